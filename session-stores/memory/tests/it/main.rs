//! What the memory store promises.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod capacity;
mod suite;
