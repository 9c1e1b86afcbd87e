//! Sessions in a SQLite file: the embedded store for one machine, shared by any number of its processes.
//!
//! SQLite has a single writer, so a write statement sees the effects of all statements before it.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use session_core::store::{Record, Written};
use sqlx::Connection;
use sqlx::error::DatabaseError;
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteQueryResult, SqliteSynchronous,
};

use crate::call::Caller;
use crate::config::{SqlConfig, SqlConfigError};
use crate::dialect::{Dialect, changed, renamed, version};
use crate::failure::{Failure, Verdict};
use crate::pool::{Suspicion, pool_options, require_runtime};
use crate::row::{Trail, why_not_rotated};
use crate::statement::{Asked, OwnerAs, Places};
use crate::statements::{Statements, Verbs};
use crate::store::SqlStore;
use crate::talk::Talk;

/// Sessions in a SQLite file.
///
/// Writes use one connection per process, in order of arrival; writes that wait for it share a transaction, and one flush
/// to the disk, and each has its own result. Reads use separate connections and do not wait (the file is in WAL mode). Between processes, SQLite's lock applies: a writer that finds the database locked retries
/// until the deadline.
///
/// Every verb is atomic: if the process is killed, the old or the new record remains. [`Durability`]
/// describes what a power cut may undo.
///
/// The file must be on a local disk: SQLite's locks do not work on network file systems.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_store_sql::SqlConfigError> {
/// use session_store_sql::{SqlConfig, SqliteStore};
///
/// let store = SqliteStore::open("/var/lib/shop/sessions.db", &SqlConfig::new())?;
/// # Ok(())
/// # }
/// ```
pub type SqliteStore = SqlStore<Sqlite>;

/// What an acknowledged write survives.
///
/// ```
/// use session_store_sql::Durability;
///
/// // A sign-out that was acknowledged stays one, even after a power cut.
/// assert_eq!(Durability::default(), Durability::PowerCut);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// A power cut: each write is flushed to disk before it is acknowledged (`synchronous=FULL`). The default,
    /// because a power cut could otherwise undo a sign-out.
    #[default]
    PowerCut,
    /// A killed process, but not a power cut (`synchronous=NORMAL`): the operating system has received the write, but
    /// the disk may not have. A power cut may undo the last writes, but does not damage the file. Many times faster.
    ProcessCrash,
}

impl SqlStore<Sqlite> {
    /// Returns a store in the file at `path`, which is opened, and created if missing, on the first call.
    ///
    /// # Errors
    /// [`SqlConfigError::NoRuntime`] outside a Tokio runtime, [`SqlConfigError::Schema`] if the table's name has a schema.
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

    /// Like [`open`](Self::open), with the given durability.
    ///
    /// # Errors
    /// [`SqlConfigError::NoRuntime`] outside a Tokio runtime, [`SqlConfigError::Schema`] if the table's name has a schema.
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
        if config.table.schema().is_some() {
            return Err(SqlConfigError::Schema);
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(match durability {
                Durability::PowerCut => SqliteSynchronous::Full,
                Durability::ProcessCrash => SqliteSynchronous::Normal,
            })
            // SQLite does not wait: a locked database is an immediate error, and `call!` retries until the deadline.
            // A statement waiting inside SQLite could be applied after its caller has received an error.
            .busy_timeout(Duration::ZERO);
        let suspicion = Suspicion::default();
        let pool = || pool_options(config, &suspicion);
        let writer = pool().max_connections(1).connect_lazy_with(options.clone());
        let reader = pool().connect_lazy_with(options);
        let caller = |pool| Caller::suspicious(pool, config.deadline, suspicion.clone());
        Ok(Self::with(caller(reader), caller(writer), config).batched())
    }
}

#[async_trait]
impl Dialect for Sqlite {
    const STORE: &'static str = "sqlite";
    const QUOTE: &'static str = "\"";
    const PLACES: Places = Places::Numbered('?');
    const OWNER: OwnerAs = OwnerAs::Text;
    const TEXTS: Verbs<&'static str> = Verbs::common(ROTATE, SWEEP);
    const SCHEMA: &'static str = SCHEMA;
    const UPGRADE: &'static str = UPGRADE;
    const REMOTE: bool = false;

    fn word(name: &str) -> Option<&'static str> {
        Some(match name {
            "greatest" => "max",
            "least" => "min",
            "spared" => "session_key IS NOT {except}",
            _ => return None,
        })
    }

    fn judge(error: &dyn DatabaseError) -> Verdict {
        match kind(error) {
            // Busy and locked: another process holds the lock.
            5 | 6 => Verdict::Again,
            // Interrupted.
            9 => Verdict::Timeout,
            // I/O error.
            10 => Verdict::Unavailable,
            _ => Verdict::Refused,
        }
    }

    /// SQLite has a single code for all statements that it cannot compile.
    fn is_missing_table(error: &dyn DatabaseError) -> bool {
        kind(error) == 1
    }

    fn affected(done: &SqliteQueryResult) -> u64 {
        done.rows_affected()
    }

    async fn rotate(
        connection: &mut SqliteConnection,
        verbs: &Statements,
        asked: &Asked<'_>,
        record: &Record,
    ) -> Result<Written, Failure> {
        if changed::<Self>(connection, &verbs.rotate, asked).await? > 0 {
            return Ok(Written::Applied);
        }
        let rows = connection.rows(&verbs.trail, asked).await?;
        why_not_rotated(&Trail(&rows), (asked.key, asked.expected), (asked.new, record), asked.now)
    }

    async fn migrate(
        connection: &mut SqliteConnection,
        store: &SqlStore<Self>,
        _: Option<i32>,
    ) -> Result<(), Failure> {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        // Another process may have created or upgraded them.
        match version::<Self>(&mut transaction, &store.statements).await? {
            None => transaction.script(&store.schema).await?,
            Some(1) => transaction.script(&renamed::<Self>(UPGRADE, &store.table)).await?,
            Some(_) => return Err(Failure::Again),
        };
        Ok(transaction.commit().await?)
    }
}

/// The low byte of SQLite's code is the primary error; the rest is the extended code.
fn kind(error: &dyn DatabaseError) -> i32 {
    error.code().and_then(|code| code.parse::<i32>().ok()).map_or(0, |code| code & 0xff)
}

const SCHEMA: &str = r#"
-- Every time is milliseconds since 1970 in UTC, written by the application. A row without a payload is a tombstone:
-- the session was ended, and its idle_deadline says until when that is remembered; its successor, if it has one, is
-- the session_key under which the session goes on.
CREATE TABLE IF NOT EXISTS "sessions" (
    session_key       BLOB    NOT NULL PRIMARY KEY CHECK (length(session_key) = 32),
    format            INTEGER NOT NULL,
    etag              INTEGER NOT NULL,
    created           INTEGER NOT NULL,
    idle_deadline     INTEGER NOT NULL,
    absolute_deadline INTEGER,
    expires_hour      INTEGER NOT NULL,
    owner             TEXT,
    payload           BLOB,
    checksum          INTEGER,
    successor         BLOB
);
CREATE INDEX IF NOT EXISTS "sessions_expiry" ON "sessions" (expires_hour);
CREATE INDEX IF NOT EXISTS "sessions_owner" ON "sessions" (owner) WHERE owner IS NOT NULL;
CREATE TABLE IF NOT EXISTS "sessions_schema" (version INTEGER NOT NULL PRIMARY KEY);
INSERT OR IGNORE INTO "sessions_schema" (version) VALUES (2);
"#;

const UPGRADE: &str = r#"
ALTER TABLE "sessions" ADD COLUMN checksum INTEGER;
ALTER TABLE "sessions" ADD COLUMN successor BLOB;
INSERT OR IGNORE INTO "sessions_schema" (version) VALUES (2);
"#;

/// Inserts two rows: the record under the new store key, and under the old one a row that conflicts with the existing
/// one and turns it into a tombstone. Neither row is inserted unless all conditions hold.
const ROTATE: &str = r"
WITH both ({written}) AS (
    VALUES ({new}, {record}, {new_checksum}),
           ({key}, {format}, {etag}, {created}, {until}, NULL, {until_hour}, NULL, NULL, NULL)
)
INSERT INTO {table} ({written})
SELECT {written} FROM both
WHERE EXISTS (SELECT 1 FROM {table} WHERE session_key = {key} AND etag = {expected} AND {known} AND {live})
  AND NOT EXISTS (SELECT 1 FROM {table} WHERE session_key = {new})
ON CONFLICT (session_key) DO UPDATE SET {retired}";

const SWEEP: &str = r"
DELETE FROM {table} WHERE session_key IN (
    SELECT session_key FROM {table} WHERE expires_hour <= {now_hour} AND {known} AND {dead} LIMIT {most}
)";
