//! Application servers, their store and their browsers over a simulated network: a seed decides every message, fault, id
//! and clock, and the same seed gives the same run.
//!
//! Real are the core with its driver, the hyper adapter, and hyper itself; simulated are the network and the time
//! (`turmoil`). The store server is a memory store behind a small protocol of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod application;
mod browser;
mod faults;
mod flaw;
mod history;
mod judge;
mod judged;
mod random;
mod seeds;
mod store_client;
mod store_server;
mod wire;
mod world;
