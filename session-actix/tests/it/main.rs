//! What the actix adapter promises: the suites that every adapter passes, and what is its own.

mod cancel;
#[path = "../../../examples/probe/src/actix.rs"]
mod probe;
mod several;
mod suite;
mod web;
