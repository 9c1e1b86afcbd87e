//! Proof for stores and adapters: conformance suites, clocks, doubles, a browser-like test client.

pub mod proxy;
