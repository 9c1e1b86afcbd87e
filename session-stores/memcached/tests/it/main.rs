//! What the memcached store promises, on a real memcached.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod conformance;
mod verbs;
