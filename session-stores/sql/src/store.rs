//! The store and its six verbs, common to the three databases.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{Census, Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Sweep, Written},
};
use sqlx::Pool;
use tokio::time::Instant;

#[cfg(feature = "sqlite")]
use crate::batch::Batches;
use crate::call::{Caller, call};
use crate::config::SqlConfig;
use crate::dialect::{Dialect, renamed, there};
use crate::statement::Asked;
use crate::statements::Statements;
use crate::table::TableName;
use crate::write::Write;

/// Sessions in a table of a database. [`PostgresStore`](crate::PostgresStore), [`MySqlStore`](crate::MySqlStore) and
/// [`SqliteStore`](crate::SqliteStore) are aliases of this type and document what is specific to each.
pub struct SqlStore<DB: Dialect> {
    pub(crate) reader: Caller<DB>,
    pub(crate) writer: Caller<DB>,
    pub(crate) statements: Arc<Statements>,
    pub(crate) table: TableName,
    pub(crate) schema: Arc<str>,
    /// Where writes wait for each other anyway, they share transactions.
    #[cfg(feature = "sqlite")]
    pub(crate) batches: Option<Arc<Batches<DB>>>,
    max_record: usize,
}

impl<DB: Dialect> SqlStore<DB> {
    /// Creates a store with an existing pool, whose settings apply. Only the table, the deadline and the record limit
    /// of `config` are used.
    ///
    /// With `test_before_acquire`, each call takes one more round trip. So that no call that failed with `Timeout` is
    /// applied later, configure its connections as follows: `statement_timeout` of less than half the deadline
    /// (Postgres); `innodb_lock_wait_timeout`, `max_statement_time` on MariaDB, and `STRICT_ALL_TABLES` (MySQL); WAL
    /// mode and a busy timeout of zero (SQLite).
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_store_sql::{SqlConfig, SqliteStore};
    ///
    /// let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    /// let store = SqliteStore::from_pool(pool, &SqlConfig::new());
    /// store.migrate().await?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sqlite"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn from_pool(pool: Pool<DB>, config: &SqlConfig) -> Self {
        let caller = Caller::new(pool, config.deadline);
        Self::with(caller.clone(), caller, config)
    }

    pub(crate) fn with(reader: Caller<DB>, writer: Caller<DB>, config: &SqlConfig) -> Self {
        Self {
            reader,
            writer,
            statements: Arc::new(Statements::of::<DB>(&config.table)),
            schema: renamed::<DB>(DB::SCHEMA, &config.table),
            table: config.table.clone(),
            #[cfg(feature = "sqlite")]
            batches: None,
            max_record: config.max_record,
        }
    }

    /// Lets concurrent writes share a transaction.
    #[cfg(feature = "sqlite")]
    pub(crate) fn batched(mut self) -> Self {
        self.batches = Some(Batches::new(self.writer.clone(), Arc::clone(&self.statements)));
        self
    }

    async fn write(&self, write: Write) -> Result<Written, StoreError> {
        #[cfg(feature = "sqlite")]
        if let Some(batches) = &self.batches {
            return batches.submit(write).await;
        }
        write.alone(&self.writer, &self.statements, Instant::now()).await
    }
}

#[async_trait]
impl<DB: Dialect> SessionStore for SqlStore<DB> {
    fn name(&self) -> &'static str {
        DB::STORE
    }

    fn max_record(&self) -> usize {
        self.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        let asked = Asked { key, ..Asked::default() };
        call!(self.reader, again, |connection| there::<DB>(connection, &self.statements, &asked).await)
    }

    async fn create(&self, key: &StoreKey, record: &Record, _now: Timestamp) -> Result<Written, StoreError> {
        StoreError::check_size(DB::STORE, record, self.max_record)?;
        self.write(Write::Create { key: *key, record: record.clone() }).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(DB::STORE, record, self.max_record)?;
        self.write(Write::Replace { key: *key, expected, record: record.clone(), now }).await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.write(Write::Touch { key: *key, until: idle_deadline, now }).await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        self.write(Write::Destroy { key: *key, until: tombstone_until }).await
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(DB::STORE, record, self.max_record)?;
        let (until, record) = (tombstone_until, record.clone());
        self.write(Write::Rotate { old: *old, expected, new: *new, record, now, until }).await
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        Some(self)
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        Some(self)
    }

    fn census(&self) -> Option<&dyn Census> {
        Some(self)
    }
}

impl<DB: Dialect> fmt::Debug for SqlStore<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("database", &DB::STORE)
            .field("table", &self.table.as_str())
            .finish_non_exhaustive()
    }
}
