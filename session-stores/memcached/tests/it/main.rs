//! Tests of the memcached store: the store suite, and claims particular to memcached.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod conformance;
mod verbs;
