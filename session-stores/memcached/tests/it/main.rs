//! What the memcached store promises, on a real memcached.

mod conformance;
mod verbs;
