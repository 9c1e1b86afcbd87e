//! The memcached store: the whole suite, and what the suite cannot know about this server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod conformance;
mod verbs;
