//! What the testkit promises: that its suite finds wrong stores, and that its doubles do what they say.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod client;
mod doubles;
mod wrong_stores;
