//! The redb store: the laws of all stores, and what is particular to one file of one process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod conformance;
