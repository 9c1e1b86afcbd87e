//! What the SQL stores promise, on each database.

mod claims;
mod mysql;
mod postgres;
mod sqlite;
