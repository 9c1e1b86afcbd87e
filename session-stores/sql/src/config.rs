//! The settings of a store, common to the three databases.

use std::time::Duration;

use session_core::store::DEFAULT_MAX_RECORD;

use crate::table::{BadTableName, TableName};

/// The settings of a SQL store. [`SqlConfig::new`] returns the defaults.
///
/// ```
/// use session_store_sql::SqlConfig;
/// use std::time::Duration;
///
/// let config = SqlConfig::new().table("shop_sessions")?.deadline(Duration::from_millis(500)).max_connections(20);
/// # Ok::<(), session_store_sql::SqlConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqlConfig {
    pub(crate) table: TableName,
    pub(crate) deadline: Duration,
    pub(crate) max_connections: u32,
    pub(crate) min_connections: u32,
    pub(crate) max_record: usize,
}

impl SqlConfig {
    /// Returns the defaults: table `sessions`, a deadline of 2 seconds, 0 to 10 connections, records of at most 64
    /// KiB.
    #[must_use]
    pub fn new() -> Self {
        Self {
            table: TableName::default(),
            deadline: Duration::from_secs(2),
            max_connections: 10,
            min_connections: 0,
            max_record: DEFAULT_MAX_RECORD,
        }
    }

    /// Sets the name of the table. Applications that share a database need separate tables. On Postgres and MySQL it may
    /// be in a schema of its own, which must exist: `auth.sessions`.
    ///
    /// # Errors
    /// [`SqlConfigError::Table`] if the name is not a plain lower-case identifier (see [`TableName`]).
    pub fn table(mut self, name: &str) -> Result<Self, SqlConfigError> {
        self.table = name.parse()?;
        Ok(self)
    }

    /// Sets the deadline of a call, including the wait for a connection. After that, the call fails with `Timeout`.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the maximum number of connections; at least one. A call is one statement, so a few connections serve many
    /// requests.
    ///
    /// SQLite always has a single writer; its other connections are for reading.
    #[must_use]
    pub fn max_connections(mut self, most: u32) -> Self {
        self.max_connections = most.max(1);
        self
    }

    /// Sets the number of connections kept open when idle.
    #[must_use]
    pub fn min_connections(mut self, least: u32) -> Self {
        self.min_connections = least;
        self
    }

    /// Sets the maximum size of a record, in bytes of payload and owner. A larger record is rejected before any call.
    #[must_use]
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }
}

impl Default for SqlConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// Returned when the settings of a store are invalid. Does not contain any part of a URL.
///
/// ```
/// use session_store_sql::{SqlConfig, SqlConfigError};
///
/// let error = SqlConfig::new().table("Robert'); --").unwrap_err();
/// assert!(matches!(error, SqlConfigError::Table(_)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlConfigError {
    /// The name of the table is invalid.
    #[error("the table's name is not allowed")]
    Table(#[from] BadTableName),
    /// The name of the table has a schema, and SQLite has none.
    #[error("SQLite has no schemas, so its table's name has no dot")]
    Schema,
    /// There is no Tokio runtime: open the store inside `#[tokio::main]` or `Runtime::block_on`.
    #[error("a SQL session store must be opened inside a Tokio runtime")]
    NoRuntime,
    /// The URL is invalid.
    #[error("the database URL is not of the form {expected}")]
    Url {
        /// The expected form.
        expected: &'static str,
    },
}
