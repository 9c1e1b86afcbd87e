//! Sessions in one SQLite file: the embedded store for one machine, shared by any number of its processes.

mod capabilities;
mod statements;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use session_core::{
    Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreErrorKind, StoreKey, Sweep, Timestamp,
    Written,
};
use sqlx::error::DatabaseError;
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Row, SqlitePool};

use crate::call::{Caller, call, pool_options, require_runtime};
use crate::config::{SqlConfig, SqlConfigError};
use crate::failure::{Backend, Failure, Verdict};
use crate::row::{Columns, FORMAT, hour, query, read, read_pair, why_not_rotated};
use crate::table::TableName;
use statements::Statements;

/// A store in a SQLite file.
///
/// Writes go through one connection per process, in the order they arrive; reads have connections of their own and wait
/// for nobody (the file is in WAL mode). Between processes SQLite's own lock decides, waited for within the deadline.
///
/// Every verb is one statement, and a statement is atomic: a process that is killed leaves the old record or the new
/// one. [`Durability`] says what a power cut may take.
///
/// The file must lie on a local disk: SQLite's locks do not work on network file systems.
pub struct SqliteStore {
    reader: Caller<Sqlite>,
    writer: Caller<Sqlite>,
    statements: Statements,
    table: TableName,
    max_record: usize,
}

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Everything up to a power cut: each write is flushed to the disk before it is acknowledged
    /// (`synchronous=FULL`). The default, because a logout that a power cut undoes is a session that came back.
    #[default]
    PowerCut,
    /// A killed process, not a power cut (`synchronous=NORMAL`): the operating system has the write, the disk perhaps
    /// not yet. A power cut may undo the last moments, never damage the file. Many times faster.
    ProcessCrash,
}

impl SqliteStore {
    /// The SQL that [`migrate`](Self::migrate) runs, for a table called `sessions`; for people's own tools.
    pub const SCHEMA: &str = statements::SCHEMA;

    /// A store in the file at `path`, which is made when it is first needed; nothing is opened yet.
    ///
    /// # Errors
    /// [`SqlConfigError::NoRuntime`] outside of a Tokio runtime.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_store_sql::{SqlConfig, SqliteStore};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let store = SqliteStore::open(folder.path().join("sessions.db"), &SqlConfig::new())?;
    /// store.migrate().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn open(path: impl AsRef<Path>, config: &SqlConfig) -> Result<Self, SqlConfigError> {
        Self::open_with(path, config, Durability::default())
    }

    /// Like [`open`](Self::open), with a choice of what writes survive.
    ///
    /// # Errors
    /// [`SqlConfigError::NoRuntime`] outside of a Tokio runtime.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_store_sql::{Durability, SqlConfig, SqliteStore};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("sessions.db");
    /// let store = SqliteStore::open_with(path, &SqlConfig::new(), Durability::ProcessCrash)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn open_with(
        path: impl AsRef<Path>,
        config: &SqlConfig,
        durability: Durability,
    ) -> Result<Self, SqlConfigError> {
        require_runtime()?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(match durability {
                Durability::PowerCut => SqliteSynchronous::Full,
                Durability::ProcessCrash => SqliteSynchronous::Normal,
            })
            // SQLite never waits: a busy file is an answer at once, and `call!` tries again until the deadline. A
            // statement that waited inside SQLite could still be carried out after its caller was told that it failed.
            .busy_timeout(Duration::ZERO);
        let writer = pool_options(config).max_connections(1).connect_lazy_with(options.clone());
        let reader = pool_options(config).connect_lazy_with(options);
        Ok(Self::with_pools(reader, writer, config))
    }

    /// A store on a pool that the application already has; the pool's own settings then hold (file, WAL mode, busy
    /// timeout, how many connections write). Of `config` the table, the deadline and the record limit count.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_store_sql::{SqlConfig, SqliteStore};
    ///
    /// let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    /// let store = SqliteStore::from_pool(pool, &SqlConfig::new());
    /// store.migrate().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn from_pool(pool: SqlitePool, config: &SqlConfig) -> Self {
        Self::with_pools(pool.clone(), pool, config)
    }

    fn with_pools(reader: SqlitePool, writer: SqlitePool, config: &SqlConfig) -> Self {
        Self {
            reader: Caller::new(reader, config.deadline),
            writer: Caller::new(writer, config.deadline),
            statements: Statements::new(&config.table),
            table: config.table.clone(),
            max_record: config.max_record,
        }
    }
}

#[async_trait]
impl SessionStore for SqliteStore {
    fn name(&self) -> &'static str {
        Sqlite::STORE
    }

    fn max_record(&self) -> usize {
        self.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        call!(self.reader, |connection| {
            let found = query(&self.statements.load)
                .bind(key.as_bytes().as_slice())
                .fetch_optional(connection)
                .await?;
            found.as_ref().map_or(Ok(Loaded::Missing), read)
        })
    }

    async fn create(&self, key: &StoreKey, record: &Record, _now: Timestamp) -> Result<Written, StoreError> {
        StoreError::check_size(Sqlite::STORE, record, self.max_record)?;
        call!(self.writer, |connection| {
            let columns = Columns::from(record);
            let done = query(&self.statements.create)
                .bind(key.as_bytes().as_slice())
                .bind(columns.etag)
                .bind(columns.created)
                .bind(columns.idle_deadline)
                .bind(columns.absolute_deadline)
                .bind(columns.expires_hour)
                .bind(columns.owner)
                .bind(columns.payload)
                .execute(connection)
                .await?;
            Ok(if done.rows_affected() == 0 { Written::Taken } else { Written::Applied })
        })
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(Sqlite::STORE, record, self.max_record)?;
        call!(self.writer, |connection| {
            let columns = Columns::from(record);
            // Not `fetch_optional`: it stops at the row, and the commit comes after it. An error there, say a full disk,
            // would be lost together with the write.
            let rows = query(&self.statements.replace)
                .bind(key.as_bytes().as_slice())
                .bind(columns.etag)
                .bind(columns.created)
                .bind(columns.idle_deadline)
                .bind(columns.absolute_deadline)
                .bind(columns.expires_hour)
                .bind(columns.owner)
                .bind(columns.payload)
                .bind(expected.get().cast_signed())
                .bind(now.as_millis())
                .fetch_all(connection)
                .await?;
            match rows.first().map(read).transpose()? {
                Some(Loaded::Found(there)) if there.etag == record.etag => Ok(Written::Applied),
                Some(Loaded::Found(there)) => Ok(Written::Conflict(there)),
                Some(Loaded::Retired { .. } | Loaded::Missing) | None => Ok(Written::Gone),
            }
        })
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        call!(self.writer, |connection| {
            let rows = query(&self.statements.touch)
                .bind(key.as_bytes().as_slice())
                .bind(idle_deadline.as_millis())
                .bind(now.as_millis())
                .fetch_all(connection)
                .await?;
            match rows.first().map(|row| row.try_get::<i32, _>(0)).transpose()? {
                Some(format) if format > FORMAT => Err(Failure::Found(StoreErrorKind::Newer)),
                Some(_) => Ok(Written::Applied),
                None => Ok(Written::Gone),
            }
        })
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<(), StoreError> {
        call!(self.writer, |connection| {
            query(&self.statements.destroy)
                .bind(key.as_bytes().as_slice())
                .bind(tombstone_until.as_millis())
                .bind(hour(tombstone_until))
                .execute(connection)
                .await?;
            Ok(())
        })
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
        StoreError::check_size(Sqlite::STORE, record, self.max_record)?;
        call!(self.writer, |connection| {
            let columns = Columns::from(record);
            let done = query(&self.statements.rotate)
                .bind(new.as_bytes().as_slice())
                .bind(columns.etag)
                .bind(columns.created)
                .bind(columns.idle_deadline)
                .bind(columns.absolute_deadline)
                .bind(columns.expires_hour)
                .bind(columns.owner)
                .bind(columns.payload)
                .bind(expected.get().cast_signed())
                .bind(now.as_millis())
                .bind(old.as_bytes().as_slice())
                .bind(tombstone_until.as_millis())
                .bind(hour(tombstone_until))
                .execute(&mut *connection)
                .await?;
            if done.rows_affected() > 0 {
                return Ok(Written::Applied);
            }
            let pair = query(&self.statements.pair)
                .bind(old.as_bytes().as_slice())
                .bind(new.as_bytes().as_slice())
                .fetch_all(connection)
                .await?;
            let (there, taken) = read_pair(&pair, old, new)?;
            why_not_rotated(&there, expected, &taken, record, now)
        })
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        Some(self)
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        Some(self)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("table", &self.table.as_str()).finish_non_exhaustive()
    }
}

impl Backend for Sqlite {
    const STORE: &'static str = "sqlite";

    fn judge(error: &dyn DatabaseError) -> Verdict {
        // The low byte of SQLite's code is the kind, the rest says more about it.
        let kind = error.code().and_then(|code| code.parse::<i32>().ok()).map_or(0, |code| code & 0xff);
        match kind {
            // Busy and locked: another process has the file.
            5 | 6 => Verdict::Again,
            // Interrupted.
            9 => Verdict::Timeout,
            // I/O error.
            10 => Verdict::Unavailable,
            _ => Verdict::Refused,
        }
    }
}
