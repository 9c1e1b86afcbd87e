//! What the DynamoDB store promises, on an emulator.

mod common;
mod conformance;
mod contention;
mod costs;
mod faults;
mod items;
