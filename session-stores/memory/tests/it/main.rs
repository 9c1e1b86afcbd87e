//! Tests of the memory store.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod capacity;
mod suite;
