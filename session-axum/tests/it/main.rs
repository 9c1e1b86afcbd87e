//! Tests of the axum adapter: the suites that every adapter passes, its own claims, and what visitors see when stores fail.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod cancel;
#[cfg(all(
    feature = "dynamodb",
    feature = "etcd",
    feature = "file",
    feature = "memcached",
    feature = "mysql",
    feature = "postgres",
    feature = "redis",
    feature = "redis-cluster",
    feature = "sqlite"
))]
mod faults;
mod http;
mod layers;
#[path = "../../../examples/probe/src/axum.rs"]
mod probe;
mod several;
mod suite;
mod web;
