//! Tests of the test client and of the doubles.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod client;
mod doubles;
