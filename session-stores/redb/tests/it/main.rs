//! Tests of the redb store: the store suite, and claims about its file.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod conformance;
mod file;
mod support;
