//! The importers of AdonisJS and Laravel, against what the frameworks themselves have written: see `fixtures`.
#![cfg(all(feature = "adonisjs", feature = "laravel"))]
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

mod adonisjs;
#[cfg(all(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod databases;
mod laravel;
mod mutated;
#[cfg(feature = "redis")]
mod redis;
mod support;
