//! What the Redis stores promise, on one server, on a cluster, behind Sentinel and over TLS.

mod cluster;
mod conformance;
mod process;
mod sentinel;
mod store;
mod support;
mod tls;
