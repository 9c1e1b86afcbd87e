//! What the hyper adapter promises: the suites that every adapter passes, and what is its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod cancel;
#[path = "../../../examples/probe/src/hyper.rs"]
mod probe;
mod several;
mod suite;
mod web;
