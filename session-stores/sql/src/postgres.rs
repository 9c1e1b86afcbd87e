//! Sessions in Postgres 12 or later: one statement, and therefore one round trip, per verb.
//!
//! Written for READ COMMITTED, where a statement reads rows as of its start, but changes the latest version of a row
//! once it has locked it. The result of a verb therefore comes from the locked row, never from a separate read. Under
//! stricter isolation the database aborts one of two conflicting transactions, which is then retried.

use async_trait::async_trait;
use session_core::store::{Record, StoreError, Written};
use sqlx::Connection;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgQueryResult, Postgres};

use crate::call::{Caller, call, servers_patience};
use crate::capabilities::Pass;
use crate::config::{SqlConfig, SqlConfigError};
use crate::dialect::{Dialect, renamed};
use crate::failure::{Failure, Verdict};
use crate::pool::{Suspicion, pool_options, require_runtime};
use crate::row::{Cells, Trail, read_etag, read_key, why_not_rotated};
use crate::statement::{Asked, OwnerAs, Places};
use crate::statements::{Statements, Verbs};
use crate::store::SqlStore;
use crate::table::TableName;
use crate::talk::Talk;

/// Sessions in a table of a Postgres database.
///
/// Every verb is one statement, so it needs no explicit transaction and holds no connection between round trips.
/// Touches and writes do not change indexed columns (the expiry index contains hours), so Postgres can use heap-only
/// updates.
///
/// With a store opened from a URL, the server cancels a statement after two fifths of the deadline
/// (`statement_timeout`), and no statement is sent in the second half, so a statement that timed out is not applied
/// later.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_store_sql::SqlConfigError> {
/// use session_store_sql::{PostgresStore, SqlConfig};
///
/// let store = PostgresStore::open("postgres://shop:secret@db.internal/shop", &SqlConfig::new())?;
/// # Ok(())
/// # }
/// ```
pub type PostgresStore = SqlStore<Postgres>;

impl SqlStore<Postgres> {
    /// Opens a store at `postgres://user:password@host:port/database`. It connects on the first call, so the server
    /// may be down.
    ///
    /// # Errors
    /// [`SqlConfigError::Url`] if the URL has another form, [`SqlConfigError::NoRuntime`] outside a Tokio runtime.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_store_sql::SqlConfigError> {
    /// use session_store_sql::{PostgresStore, SqlConfig};
    ///
    /// let store = PostgresStore::open("postgres://shop:secret@db.internal/shop", &SqlConfig::new())?;
    /// assert!(!format!("{store:?}").contains("secret"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn open(url: &str, config: &SqlConfig) -> Result<Self, SqlConfigError> {
        require_runtime()?;
        let expected = "postgres://user:password@host:port/database";
        let Ok(options) = url.parse::<PgConnectOptions>() else {
            return Err(SqlConfigError::Url { expected });
        };
        let patience = servers_patience(config.deadline).as_millis();
        let options = options.options([("statement_timeout", patience)]);
        let suspicion = Suspicion::default();
        let pool = pool_options(config, &suspicion).connect_lazy_with(options);
        let caller = Caller::suspicious(pool, config.deadline, suspicion);
        Ok(Self::with(caller.clone(), caller, config))
    }
}

#[async_trait]
impl Dialect for Postgres {
    const STORE: &'static str = "postgres";
    const QUOTE: &'static str = "\"";
    const PLACES: Places = Places::Numbered('$');
    const OWNER: OwnerAs = OwnerAs::Bytes;
    const TEXTS: Verbs<&'static str> = Verbs { destroy_all: DESTROY_ALL, ..Verbs::common(ROTATE, SWEEP) };
    const SCHEMA: &'static str = SCHEMA;
    const UPGRADE: &'static str = UPGRADE;
    const REMOTE: bool = true;

    fn word(name: &str) -> Option<&'static str> {
        Some(match name {
            "greatest" => "greatest",
            "least" => "least",
            "spared" => "session_key IS DISTINCT FROM {except}",
            _ => return None,
        })
    }

    fn judge(error: &dyn DatabaseError) -> Verdict {
        match error.code().as_deref() {
            // Serialization failure, deadlock: this transaction was aborted.
            Some("40001" | "40P01") => Verdict::Again,
            // Statement timeout, lock not available, too many connections.
            Some("57014" | "55P03" | "53300") => Verdict::Timeout,
            // Connection failures, server shutting down or starting.
            Some(code) if code.starts_with("08") || code.starts_with("57P") => Verdict::Unavailable,
            _ => Verdict::Refused,
        }
    }

    fn is_missing_table(error: &dyn DatabaseError) -> bool {
        error.code().as_deref() == Some("42P01")
    }

    fn affected(done: &PgQueryResult) -> u64 {
        done.rows_affected()
    }

    async fn rotate(
        connection: &mut PgConnection,
        verbs: &Statements,
        asked: &Asked<'_>,
        record: &Record,
    ) -> Result<Written, Failure> {
        let mut rows = connection.rows(&verbs.rotate, asked).await?;
        let stood = rows.iter().find(|row| matches!(read_key(*row), Ok(key) if key == *asked.key));
        if let Some(stood) = stood {
            if stood.small(9)? == Some(1) {
                return Ok(Written::Applied);
            }
            // A tombstone: an earlier attempt of this call was applied, or the session has moved elsewhere. If that attempt
            // was still running when this statement started, its new row exists, but this statement did not see it.
            let is_ours = rows.iter().any(|row| {
                matches!((read_key(row), read_etag(row)), (Ok(key), Ok(etag)) if key == *asked.new && etag == record.etag)
            });
            if stood.bytes(7)?.is_none() && !is_ours {
                rows = connection.rows(&verbs.trail, asked).await?;
            }
        }
        why_not_rotated(&Trail(&rows), (asked.key, asked.expected), (asked.new, record), asked.now)
    }

    async fn end_all(store: &SqlStore<Self>, asked: &Asked<'_>) -> Result<Pass, StoreError> {
        call!(store.writer, once, |connection| {
            let row = connection.row(&store.statements.destroy_all, asked).await?;
            let number = |column| -> Result<usize, Failure> {
                let number = row.as_ref().map(|row| row.int(column)).transpose()?.flatten();
                Ok(usize::try_from(number.unwrap_or(0)).unwrap_or(0))
            };
            Ok(Pass { seen: number(0)?, ended: number(1)? })
        })
    }

    /// Both scripts skip existing objects.
    async fn migrate(
        connection: &mut PgConnection,
        store: &SqlStore<Self>,
        _: Option<i32>,
    ) -> Result<(), Failure> {
        let mut transaction = connection.begin().await?;
        sqlx::query(MIGRATION_LOCK).bind(lock_number(&store.table)).execute(&mut *transaction).await?;
        transaction.script(&store.schema).await?;
        transaction.script(&renamed::<Self>(UPGRADE, &store.table)).await?;
        Ok(transaction.commit().await?)
    }
}

/// Returns the number of the advisory lock for creating a table: FNV-1a of its name.
fn lock_number(table: &TableName) -> i64 {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    table.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, hash).cast_signed()
}

const SCHEMA: &str = r#"
-- Every time is milliseconds since 1970 in UTC, written by the application. A row without a payload is a tombstone:
-- the session was ended, and its idle_deadline says until when that is remembered; its successor, if it has one, is
-- the session_key under which the session goes on.
-- Room is left in each page so that a write stays there, and no index has to learn of it.
CREATE TABLE IF NOT EXISTS "sessions" (
    session_key       BYTEA   NOT NULL PRIMARY KEY CHECK (octet_length(session_key) = 32),
    format            INTEGER NOT NULL,
    etag              BIGINT  NOT NULL,
    created           BIGINT  NOT NULL,
    idle_deadline     BIGINT  NOT NULL,
    absolute_deadline BIGINT,
    expires_hour      BIGINT  NOT NULL,
    owner             BYTEA,
    payload           BYTEA,
    checksum          BIGINT,
    successor         BYTEA
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS "sessions_expiry" ON "sessions" (expires_hour);
CREATE INDEX IF NOT EXISTS "sessions_owner" ON "sessions" USING hash (owner);
CREATE TABLE IF NOT EXISTS "sessions_schema" (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "sessions_schema" (version) VALUES (2) ON CONFLICT DO NOTHING;
"#;

const UPGRADE: &str = r#"
ALTER TABLE "sessions" ADD COLUMN IF NOT EXISTS checksum BIGINT;
ALTER TABLE "sessions" ADD COLUMN IF NOT EXISTS successor BYTEA;
INSERT INTO "sessions_schema" (version) VALUES (2) ON CONFLICT DO NOTHING;
"#;

/// Only one process creates tables at a time: concurrent CREATE TABLE IF NOT EXISTS statements fail.
const MIGRATION_LOCK: &str =
    "SELECT pg_advisory_xact_lock($1), set_config('statement_timeout', '30000', true)";

/// First locks the old row; then inserts the new row if the old one matches and the new store key is free; then turns
/// the old row into a tombstone if the new one was inserted. The etag of the tombstone is the first etag of its
/// successor.
///
/// Returns the row under the old store key as it was when locked, whether the rotation was applied, and the row under
/// the new store key as of the start of the statement.
const ROTATE: &str = r"
WITH there AS (
    SELECT *, etag = {expected} AND {known} AND {live} AS fits FROM {table} WHERE session_key = {key} FOR UPDATE
), fresh AS (
    INSERT INTO {table} ({written}) SELECT {new}, {record}, {new_checksum} FROM there WHERE fits
    ON CONFLICT (session_key) DO NOTHING
    RETURNING session_key
), retired AS (
    UPDATE {table} AS old SET {retired}, etag = {etag} FROM fresh WHERE old.session_key = {key}
    RETURNING old.session_key
)
SELECT session_key, format, etag, created, idle_deadline, absolute_deadline, owner,
       CASE WHEN EXISTS (SELECT 1 FROM retired) THEN NULL ELSE payload END, checksum,
       CASE WHEN EXISTS (SELECT 1 FROM retired) THEN 1 ELSE 0 END
FROM there
UNION ALL
SELECT {columns}, 0 FROM {table} WHERE session_key = {new}";

/// Ends a batch of sessions, those that it can lock, in the order of store keys to avoid deadlocks, and returns the
/// number of sessions at the start, up to a batch. Some of those may have been rotated to another store key before they were locked.
const DESTROY_ALL: &str = r"
WITH seen AS (
    SELECT count(*) AS sessions FROM (SELECT 1 FROM {table} WHERE {of_owner} LIMIT {most}) AS batch
), doomed AS (
    SELECT session_key, {in_time} AS live FROM {table} WHERE {of_owner}
    ORDER BY session_key LIMIT {most} FOR UPDATE
), ended AS (
    UPDATE {table} AS old SET format = 1, {tombstone} FROM doomed WHERE old.session_key = doomed.session_key
    RETURNING doomed.live
)
SELECT sessions, (SELECT count(*) FROM ended WHERE live) FROM seen";

/// The lock is held for the duration of the statement. A sweeper that does not acquire it does nothing.
const SWEEP: &str = r"
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(1936942444, '{table}'::regclass::oid::int) AS ours
), dead AS MATERIALIZED (
    SELECT session_key FROM {table}
    WHERE (SELECT ours FROM turn) AND expires_hour <= {now_hour} AND {known} AND {dead}
    LIMIT {most} FOR UPDATE SKIP LOCKED
)
DELETE FROM {table} AS old USING dead WHERE old.session_key = dead.session_key";
