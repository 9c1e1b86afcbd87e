//! Tests of the SQL stores, on each database.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod claims;
mod mysql;
mod postgres;
mod sqlite;
