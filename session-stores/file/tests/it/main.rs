//! Tests of the file store, on a real file system.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod conformance;
mod faults;
mod hostile;
mod kill;
mod private;
mod races;
mod support;
mod verbs;
