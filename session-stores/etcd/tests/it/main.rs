//! Tests of the etcd store on a real server: the store suite, and claims particular to etcd.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod conformance;
mod lists;
mod outages;
mod support;
