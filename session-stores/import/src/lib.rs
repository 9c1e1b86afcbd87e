//! Importers of the sessions of tower-sessions and actix-session.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod actix_session;
#[cfg(doctest)]
mod documents;
mod old_cookie;
mod records;
mod tower_sessions;

pub use actix_session::ActixSession;
pub use cookie::Key;
pub use old_cookie::OldCookie;
#[cfg(feature = "redis")]
pub use records::redis::RedisRecords;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub use records::sql::SqlRecords;
pub use records::{ConnectError, Records};
pub use tower_sessions::TowerSessions;

/// Derives the user of a session from its values.
type UserOf = dyn Fn(&serde_json::Map<String, serde_json::Value>) -> Option<String> + Send + Sync;

/// More than any record that a store of this library keeps.
const MOST_BYTES: usize = 1024 * 1024;
