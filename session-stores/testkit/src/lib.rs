//! Proof for stores and adapters: conformance suites, clocks, doubles, a browser-like test client.
#![doc = include_str!("../README.md")]
#![allow(clippy::unwrap_used, reason = "everything here runs in tests, where a panic is the report")]

pub mod adapter;
pub mod cancel;
mod client;
pub mod crowd;
#[cfg(doctest)]
mod documents;
pub mod doubles;
mod fixture;
pub mod overheard;
pub mod probe;
pub mod proxy;
pub mod script;
pub mod shutdown;
pub mod suite;
pub mod web;

pub use client::TestClient;
pub use doubles::blocking::Blocking;
pub use doubles::clock::ManualClock;
pub use doubles::entropy::ScriptedEntropy;
pub use doubles::faulty::{Fault, FaultyStore, When};
pub use doubles::gate::{Gate, GateStore};
pub use doubles::oplog::{Op, OpLog};
pub use doubles::wrap::{Call, Hook, Hooked, Outcome, Verb};
pub use fixture::{Damage, DamageKind, Fixture};
pub use suite::{Case, cases, run_case};
