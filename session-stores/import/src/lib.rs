//! Importers of the sessions of tower-sessions, actix-session, AdonisJS and Laravel.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod actix_session;
#[cfg(feature = "adonisjs")]
mod adonisjs;
#[cfg(any(feature = "adonisjs", feature = "laravel"))]
mod cipher;
#[cfg(doctest)]
mod documents;
#[cfg(feature = "laravel")]
mod laravel;
mod library;
mod old_cookie;
mod records;
mod tower_sessions;
#[cfg(any(feature = "adonisjs", feature = "laravel"))]
mod values;

pub use actix_session::ActixSession;
#[cfg(feature = "adonisjs")]
pub use adonisjs::{AdonisJs, AdonisJsKeys};
#[cfg(any(feature = "adonisjs", feature = "laravel"))]
pub use cipher::KeyError;
pub use cookie::Key;
#[cfg(feature = "laravel")]
pub use laravel::{Laravel, LaravelKeys};
pub use old_cookie::OldCookie;
#[cfg(any(feature = "adonisjs", feature = "laravel"))]
pub use records::file::FileRecords;
#[cfg(feature = "redis")]
pub use records::redis::RedisRecords;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub use records::sql::SqlRecords;
pub use records::{ConnectError, OldRecord, Records};
pub use tower_sessions::TowerSessions;

/// Derives the user of a session from its values.
type UserOf = dyn Fn(&serde_json::Map<String, serde_json::Value>) -> Option<String> + Send + Sync;

/// More than any record that a store of this library keeps.
const MOST_BYTES: usize = 1024 * 1024;
