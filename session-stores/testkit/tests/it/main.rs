//! What the testkit promises: that its suite finds wrong stores, and that its doubles do what they say.

mod client;
mod doubles;
mod wrong_stores;
