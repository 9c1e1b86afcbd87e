//! What the Redis store promises beside the conformance suite, each claim on a real server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[cfg(feature = "client-cache")]
mod cached;
mod counts;
mod cuts;
mod faults;
mod owners;
mod races;
mod verbs;
