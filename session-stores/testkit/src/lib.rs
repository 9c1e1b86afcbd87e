//! What tests of an application with sessions need: a test client, clocks, and stores that log, fail and wait.
#![doc = include_str!("../README.md")]
#![allow(clippy::unwrap_used, reason = "everything here runs in tests, where a panic is the report")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
#[cfg(feature = "dbsc")]
mod device;
pub mod doubles;

pub use client::TestClient;
#[cfg(feature = "dbsc")]
pub use device::{DeviceBrowser, DeviceReply, DeviceSite, TestDevice};
pub use doubles::blocking::Blocking;
pub use doubles::clock::ManualClock;
pub use doubles::entropy::ScriptedEntropy;
pub use doubles::faulty::{Fault, FaultyStore, When};
pub use doubles::gate::{Gate, GateStore};
pub use doubles::oplog::{Op, OpLog};
pub use doubles::wrap::{Call, Hook, Hooked, Outcome, Verb};
