//! Tests of the DynamoDB store, on an emulator.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;
mod conformance;
mod contention;
mod costs;
mod faults;
mod items;
