//! Claims about the Redis store beyond the store suite, on real servers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[cfg(feature = "client-cache")]
mod cached;
mod counts;
mod cuts;
mod faults;
mod owners;
mod races;
mod verbs;
