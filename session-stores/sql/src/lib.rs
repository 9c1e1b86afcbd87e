//! Sessions in Postgres, MySQL or MariaDB, and SQLite.
//!
//! One type per database, each behind the feature of its name, all with the same schema and the same guarantees:
//!
//! | type | feature | each verb costs |
//! |---|---|---|
//! | `PostgresStore` | `postgres` | one statement |
//! | `MySqlStore` | `mysql` | one statement, a second one after a conflict; a short transaction for rotate |
//! | `SqliteStore` | `sqlite` | one statement; concurrent writes share a transaction |
//!
//! All three are [`SessionStore`](session_core::store::SessionStore), [`OwnerIndex`](session_core::store::OwnerIndex) and
//! [`Sweep`](session_core::store::Sweep). The database's clock is not used: deadlines are milliseconds since the epoch,
//! passed by the caller, so the time zones of connections and servers do not matter.
//!
//! A connection prepares each statement on first use, which takes one more round trip. A connection that was idle for
//! half a second is tested before use.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use session_core::{Timestamp, store::{Etag, Loaded, Record, SessionStore, StoreKey, Written}};
//! use session_store_sql::{SqlConfig, SqliteStore};
//!
//! let folder = tempfile::tempdir()?;
//! let store = SqliteStore::open(folder.path().join("sessions.db"), &SqlConfig::new())?;
//! store.migrate().await?;
//!
//! let key = StoreKey::from_bytes([1; 32]);
//! let record = Record::new(Etag::new(7), Timestamp::from_millis(0), Timestamp::from_millis(7_200_000), br#"{"cart":[]}"#.to_vec().into()).with_owner(Some("ada".into()));
//! assert_eq!(store.create(&key, &record, Timestamp::from_millis(0)).await?, Written::Applied);
//! assert_eq!(store.load(&key).await?, Loaded::Found(record));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(feature = "postgres", feature = "mysql", feature = "sqlite")),
    expect(dead_code, reason = "a database, each a feature, uses it")
)]

mod config;
#[cfg(all(doctest, feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod documents;
mod table;

pub use config::{SqlConfig, SqlConfigError};
pub use table::{BadTableName, TableName};

#[cfg(feature = "sqlite")]
mod batch;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod call;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod capabilities;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod census;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod dialect;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod failure;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod pool;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod row;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod statement;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod statements;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod store;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod talk;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod write;

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "mysql")]
pub use mysql::MySqlStore;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, SqliteStore};
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub use store::SqlStore;
