//! Tests of the Redis stores, on one server, on a cluster, behind Sentinel and over TLS.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod cluster;
mod conformance;
#[cfg(any(feature = "sentinel", feature = "tls"))]
mod process;
mod sentinel;
mod store;
mod support;
mod tls;
