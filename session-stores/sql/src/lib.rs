//! Sessions in Postgres, MySQL or MariaDB, and SQLite.
//!
//! One type per database, each behind the feature of its name, all with the same schema and the same promises:
//!
//! | type | feature | each verb costs |
//! |---|---|---|
//! | `PostgresStore` | `postgres` | one statement |
//! | `MySqlStore` | `mysql` | one statement, a second one after a conflict; a short transaction for rotate |
//! | `SqliteStore` | `sqlite` | one statement |
//!
//! All three are [`SessionStore`](session_core::store::SessionStore), [`OwnerIndex`](session_core::store::OwnerIndex) and
//! [`Sweep`](session_core::store::Sweep). Nothing here asks the database what time it is: deadlines are epoch milliseconds
//! that the caller passes, so no time zone of any session or server can move them.
//!
//! A statement is prepared the first time a connection runs it, which costs that connection one trip more, once; and a
//! connection that has been idle for half a second is asked whether it still lives before it is used.
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
//! let record = Record {
//!     etag: Etag::new(7),
//!     created: Timestamp::from_millis(0),
//!     idle_deadline: Timestamp::from_millis(7_200_000),
//!     absolute_deadline: None,
//!     owner: Some("ada".into()),
//!     payload: br#"{"cart":[]}"#.to_vec().into(),
//! };
//! assert_eq!(store.create(&key, &record, Timestamp::from_millis(0)).await?, Written::Applied);
//! assert_eq!(store.load(&key).await?, Loaded::Found(record));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```

mod config;
#[cfg(all(doctest, feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod documents;
mod table;

pub use config::{SqlConfig, SqlConfigError};
pub use table::{BadTableName, TableName};

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod call;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod capabilities;
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
