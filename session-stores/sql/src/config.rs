//! What a person may set about a store, the same for the three databases.

use std::time::Duration;

use session_core::store::DEFAULT_MAX_RECORD;

use crate::table::{BadTableName, TableName};

/// Settings of a SQL store; [`SqlConfig::new`] has good ones.
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
    /// Table `sessions`, a deadline of 2 seconds, 0 to 10 connections, records of at most 64 KiB.
    ///
    /// ```
    /// # use session_store_sql::SqlConfig;
    /// let config = SqlConfig::new();
    /// ```
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

    /// The table sessions live in. Two applications in one database take two tables.
    ///
    /// # Errors
    /// [`SqlConfigError::Table`] when the name is not a plain lower-case identifier (see [`TableName`]).
    ///
    /// ```
    /// # use session_store_sql::SqlConfig;
    /// assert!(SqlConfig::new().table("shop_sessions").is_ok());
    /// assert!(SqlConfig::new().table("Robert'); --").is_err());
    /// ```
    pub fn table(mut self, name: &str) -> Result<Self, SqlConfigError> {
        self.table = name.parse()?;
        Ok(self)
    }

    /// How long one call may take, waiting for a connection included. Past it the call is a `Timeout`.
    ///
    /// ```
    /// # use session_store_sql::SqlConfig;
    /// let config = SqlConfig::new().deadline(std::time::Duration::from_millis(500));
    /// ```
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The most connections this store opens; at least one. A call is one statement, so a few serve many requests.
    ///
    /// SQLite has one writer whatever is set here: the rest of its connections are for reading.
    ///
    /// ```
    /// # use session_store_sql::SqlConfig;
    /// let config = SqlConfig::new().max_connections(20);
    /// ```
    #[must_use]
    pub fn max_connections(mut self, most: u32) -> Self {
        self.max_connections = most.max(1);
        self
    }

    /// How many connections are kept open when there is nothing to do.
    ///
    /// ```
    /// # use session_store_sql::SqlConfig;
    /// let config = SqlConfig::new().min_connections(2);
    /// ```
    #[must_use]
    pub fn min_connections(mut self, least: u32) -> Self {
        self.min_connections = least;
        self
    }

    /// The largest record kept, in bytes of payload and owner. A larger one is refused before any call.
    ///
    /// ```
    /// # use session_store_sql::SqlConfig;
    /// let config = SqlConfig::new().max_record(16 * 1024);
    /// ```
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

/// The store cannot be set up as it was asked for. No password or other part of a URL is in it.
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
    /// The table's name is not allowed.
    #[error("the table's name is not allowed")]
    Table(#[from] BadTableName),
    /// There is no Tokio runtime here: open a store from within `#[tokio::main]` or a `Runtime::block_on`.
    #[error("a SQL session store must be opened inside a Tokio runtime")]
    NoRuntime,
    /// The URL cannot be understood.
    #[error("the database URL is not of the form {expected}")]
    Url {
        /// What a good one looks like.
        expected: &'static str,
    },
}
