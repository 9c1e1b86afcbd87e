//! The etcd store on a real server: the laws of all stores, and what is particular to etcd.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod conformance;
mod support;
