//! What the Redis store promises beside the conformance suite, each claim on a real server.

#[cfg(feature = "client-cache")]
mod cached;
mod counts;
mod cuts;
mod faults;
mod owners;
mod races;
mod support;
mod verbs;
