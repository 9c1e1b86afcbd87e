//! Tests of the stores over engines in memory: the store suite, the codec, the model checker.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod codec;
mod lists;
mod map;
mod model;
mod spec;
mod suite;
