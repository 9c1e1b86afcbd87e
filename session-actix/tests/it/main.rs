//! Tests of the actix adapter: the suites that every adapter passes, and its own claims.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod cancel;
#[path = "../../../examples/probe/src/actix.rs"]
mod probe;
mod protected;
mod several;
mod suite;
mod web;
