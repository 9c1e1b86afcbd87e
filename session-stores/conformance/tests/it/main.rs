//! Tests of the suites: they pass over the doubles and fail for stores with one flaw each.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod doubles;
mod histories;
mod wrong_stores;
