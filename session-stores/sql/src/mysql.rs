//! Sessions in MySQL 8 or MariaDB 10.6 and later: one statement for each verb, a second one only after a conflict.
//!
//! MySQL has no RETURNING, and an assignment in SET sees the effects of those before it. All conditions are therefore
//! in WHERE, and after a conflict a second statement reads the current row.

use std::sync::Arc;

use async_trait::async_trait;
use session_core::store::{Loaded, Record, Written};
use sqlx::error::DatabaseError;
use sqlx::mysql::{MySql, MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlQueryResult};
use sqlx::{AssertSqlSafe, Connection, Executor, QueryBuilder, Row};

use crate::call::{Caller, servers_patience};
use crate::config::{SqlConfig, SqlConfigError};
use crate::dialect::{Dialect, changed, count, renamed, there};
use crate::failure::{Failure, Verdict};
use crate::pool::{Suspicion, pool_options, require_runtime};
use crate::row::{Trail, read_key, why_not_rotated};
use crate::statement::{Asked, OwnerAs, Places};
use crate::statements::{Statements, Verbs};
use crate::store::SqlStore;
use crate::talk::Talk;

/// Sessions in a table of a MySQL or MariaDB database.
///
/// Every verb is one statement with its conditions in `WHERE`. If it changed nothing, a second statement reads the
/// reason. Rotate is a transaction of two statements; after a deadlock it is retried within the deadline.
///
/// A store opened from a URL sets its connections to strict mode (`STRICT_ALL_TABLES`: values are never truncated).
/// MariaDB cancels a statement after two fifths of the deadline (`max_statement_time`), and no statement is sent in
/// the second half, so a statement that timed out is not applied later. MySQL supports such a limit only for lock
/// waits, and in whole seconds (`innodb_lock_wait_timeout`): there this holds for deadlines of 3 seconds or more.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_store_sql::SqlConfigError> {
/// use session_store_sql::{MySqlStore, SqlConfig};
///
/// let store = MySqlStore::open("mysql://shop:secret@db.internal/shop", &SqlConfig::new())?;
/// # Ok(())
/// # }
/// ```
pub type MySqlStore = SqlStore<MySql>;

impl SqlStore<MySql> {
    /// Opens a store at `mysql://user:password@host:port/database`. It connects on the first call, so the server may
    /// be down.
    ///
    /// # Errors
    /// [`SqlConfigError::Url`] if the URL has another form, [`SqlConfigError::NoRuntime`] outside a Tokio runtime.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_store_sql::SqlConfigError> {
    /// use session_store_sql::{MySqlStore, SqlConfig};
    ///
    /// let store = MySqlStore::open("mysql://shop:secret@db.internal/shop", &SqlConfig::new())?;
    /// assert!(!format!("{store:?}").contains("secret"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn open(url: &str, config: &SqlConfig) -> Result<Self, SqlConfigError> {
        require_runtime()?;
        let expected = "mysql://user:password@host:port/database";
        let Ok(options) = url.parse::<MySqlConnectOptions>() else {
            return Err(SqlConfigError::Url { expected });
        };
        let patience = servers_patience(config.deadline);
        // MySQL ignores /*M! … */ as a comment; MariaDB executes it.
        let manners: Arc<str> = format!(
            "SET SESSION innodb_lock_wait_timeout = {}, SESSION sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES') \
             /*M!100600 , SESSION max_statement_time = {} */",
            patience.as_secs().max(1),
            patience.as_secs_f64(),
        )
        .into();
        let suspicion = Suspicion::default();
        let pool =
            pool_options(config, &suspicion).after_connect(move |connection: &mut MySqlConnection, _| {
                let manners = AssertSqlSafe(Arc::clone(&manners));
                Box::pin(async move { connection.execute(sqlx::raw_sql(manners)).await.map(drop) })
            });
        let caller = Caller::suspicious(pool.connect_lazy_with(options), config.deadline, suspicion);
        Ok(Self::with(caller.clone(), caller, config))
    }
}

#[async_trait]
impl Dialect for MySql {
    const STORE: &'static str = "mysql";
    const QUOTE: &'static str = "`";
    const PLACES: Places = Places::InOrder;
    const OWNER: OwnerAs = OwnerAs::Bytes;
    const TEXTS: Verbs<&'static str> =
        Verbs { create: CREATE, replace: REPLACE, touch: TOUCH, ..Verbs::common(RETIRE, DEAD) };
    const SCHEMA: &'static str = SCHEMA;
    const UPGRADE: &'static str = UPGRADE;
    const REMOTE: bool = true;

    fn word(name: &str) -> Option<&'static str> {
        Some(match name {
            "spared" => "NOT (session_key <=> {except})",
            // A subquery may have no LIMIT here, but an UPDATE may.
            "some_live" => "{of_owner} AND {in_time} LIMIT {most}",
            "some_expired" => "{of_owner} AND NOT ({in_time}) LIMIT {most}",
            _ => return None,
        })
    }

    fn judge(error: &dyn DatabaseError) -> Verdict {
        match number(error) {
            // Deadlock, record changed since it was read: this transaction was aborted. Too many connections in total
            // or of this user: nothing was started.
            1213 | 1020 | 1040 | 1203 | 1226 => Verdict::Again,
            // Lock wait timeout; statement timeout of MySQL and of MariaDB.
            1205 | 3024 | 1969 => Verdict::Timeout,
            // Server shutting down, connection killed or idle for too long, network failures.
            1053 | 1077 | 1079 | 1080 | 1927 | 4031 | 1152 | 1156..=1161 | 1184 => Verdict::Unavailable,
            _ => Verdict::Refused,
        }
    }

    fn is_missing_table(error: &dyn DatabaseError) -> bool {
        number(error) == 1146
    }

    fn affected(done: &MySqlQueryResult) -> u64 {
        done.rows_affected()
    }

    async fn create(
        connection: &mut MySqlConnection,
        verbs: &Statements,
        asked: &Asked<'_>,
        record: &Record,
    ) -> Result<Written, Failure> {
        if inserted(connection, verbs, asked).await? {
            return Ok(Written::Applied);
        }
        match there::<Self>(connection, verbs, asked).await? {
            Loaded::Found(there) if there.etag == record.etag => Ok(Written::Applied),
            Loaded::Found(_) | Loaded::Ended { .. } => Ok(Written::Taken),
            // Swept in the meantime.
            Loaded::Missing => Err(Failure::Again),
        }
    }

    async fn replace(
        connection: &mut MySqlConnection,
        verbs: &Statements,
        asked: &Asked<'_>,
        record: &Record,
    ) -> Result<Written, Failure> {
        if changed::<Self>(connection, &verbs.replace, asked).await? > 0 {
            return Ok(Written::Applied);
        }
        let rows = connection.rows(&verbs.trail, asked).await?;
        let trail = Trail(&rows);
        match trail.at(asked.key)? {
            Loaded::Missing => Ok(Written::Gone),
            Loaded::Ended { .. } => Ok(trail.moved(asked.key, Some(asked.now))?.unwrap_or(Written::Gone)),
            Loaded::Found(there) if !there.is_live(asked.now) => Ok(Written::Gone),
            Loaded::Found(there) if there.etag == record.etag => Ok(Written::Applied),
            Loaded::Found(there) if there.etag != asked.expected => Ok(Written::Conflict(there)),
            // A caller whose clock is behind touched it between the two statements.
            Loaded::Found(_) => Err(Failure::Again),
        }
    }

    async fn touch(
        connection: &mut MySqlConnection,
        verbs: &Statements,
        asked: &Asked<'_>,
    ) -> Result<Written, Failure> {
        if changed::<Self>(connection, &verbs.touch, asked).await? > 0 {
            return Ok(Written::Applied);
        }
        // Gone, unless it has a newer format, in which case reading it returns an error.
        there::<Self>(connection, verbs, asked).await.map(|_| Written::Gone)
    }

    async fn rotate(
        connection: &mut MySqlConnection,
        verbs: &Statements,
        asked: &Asked<'_>,
        record: &Record,
    ) -> Result<Written, Failure> {
        let mut transaction = connection.begin().await?;
        if changed::<Self>(&mut transaction, &verbs.rotate, asked).await? > 0 {
            let fresh = Asked { key: asked.new, ..*asked };
            if inserted(&mut transaction, verbs, &fresh).await? {
                transaction.commit().await?;
                return Ok(Written::Applied);
            }
        }
        transaction.rollback().await?;
        let rows = connection.rows(&verbs.trail, asked).await?;
        why_not_rotated(&Trail(&rows), (asked.key, asked.expected), (asked.new, record), asked.now)
    }

    /// Allows one sweeper at a time, with a named lock. The name is hashed, because lock names are limited to 64
    /// bytes.
    async fn sweep(
        connection: &mut MySqlConnection,
        store: &SqlStore<Self>,
        asked: &Asked<'_>,
    ) -> Result<usize, Failure> {
        let name = format!("sha1(concat('sweep of ', database(), '.{}'))", store.table);
        let turn = sqlx::query(AssertSqlSafe(format!("SELECT get_lock({name}, 0)")));
        if turn.fetch_one(&mut *connection).await?.try_get::<Option<i64>, _>(0)? != Some(1) {
            return Ok(0);
        }
        let removed = sweep_batch(&mut *connection, store, asked).await;
        // Release the lock in any case. If this statement fails, the connection is closed, which releases the lock as
        // well.
        let over = sqlx::query(AssertSqlSafe(format!("SELECT release_lock({name})")));
        over.execute(connection).await?;
        removed
    }

    /// Each of these statements may run concurrently with itself; MySQL cannot roll them back.
    async fn migrate(
        connection: &mut MySqlConnection,
        store: &SqlStore<Self>,
        version: Option<i32>,
    ) -> Result<(), Failure> {
        let script = match version {
            Some(_) => renamed::<Self>(UPGRADE, &store.table),
            None => Arc::clone(&store.schema),
        };
        connection.script(&AT_LEISURE.into()).await?;
        let made = connection.script(&script).await;
        connection.script(&AS_BEFORE.into()).await?;
        match made {
            // The column exists: another process has added it.
            Err(sqlx::Error::Database(error)) if number(&*error) == 1060 => Err(Failure::Again),
            made => Ok(made.map(drop)?),
        }
    }
}

fn number(error: &dyn DatabaseError) -> u16 {
    error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number)
}

/// Inserts the record. Returns false if the store key is taken.
async fn inserted(
    connection: &mut MySqlConnection,
    verbs: &Statements,
    asked: &Asked<'_>,
) -> Result<bool, Failure> {
    match connection.run(&verbs.create, asked).await {
        Ok(_) => Ok(true),
        Err(error) if error.as_database_error().is_some_and(DatabaseError::is_unique_violation) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn sweep_batch(
    connection: &mut MySqlConnection,
    store: &SqlStore<MySql>,
    asked: &Asked<'_>,
) -> Result<usize, Failure> {
    // Other isolation levels would also lock the gaps between expired rows, into which tombstones of the same hour
    // are inserted.
    sqlx::query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").execute(&mut *connection).await?;
    let mut transaction = connection.begin().await?;
    let dead = transaction.rows(&store.statements.sweep, asked).await?;
    if dead.is_empty() {
        transaction.rollback().await?;
        return Ok(0);
    }
    let mut delete = QueryBuilder::<MySql>::new("DELETE FROM ");
    delete.push(store.table.quoted(MySql::QUOTE, "")).push(" WHERE session_key IN (");
    let mut keys = delete.separated(", ");
    for row in &dead {
        keys.push_bind(read_key(row)?.as_bytes().to_vec());
    }
    delete.push(")");
    let done = delete.build().persistent(false).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(count(done.rows_affected()))
}

const SCHEMA: &str = r"
-- Every time is milliseconds since 1970 in UTC, written by the application. A row without a payload is a tombstone:
-- the session was ended, and its idle_deadline says until when that is remembered; its successor, if it has one, is
-- the session_key under which the session goes on. Nothing here is text, so no collation
-- can find `aBcD` for `ABCD`.
CREATE TABLE IF NOT EXISTS `sessions` (
    session_key       BINARY(32) NOT NULL PRIMARY KEY,
    format            INT        NOT NULL,
    etag              BIGINT     NOT NULL,
    created           BIGINT     NOT NULL,
    idle_deadline     BIGINT     NOT NULL,
    absolute_deadline BIGINT,
    expires_hour      BIGINT     NOT NULL,
    owner             MEDIUMBLOB,
    payload           LONGBLOB,
    checksum          BIGINT,
    successor         BINARY(32),
    INDEX `sessions_expiry` (expires_hour),
    INDEX `sessions_owner` (owner(255))
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS `sessions_schema` (version INT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT IGNORE INTO `sessions_schema` (version) VALUES (2);
";

const UPGRADE: &str = r"
ALTER TABLE `sessions` ADD COLUMN checksum BIGINT, ADD COLUMN successor BINARY(32);
INSERT IGNORE INTO `sessions_schema` (version) VALUES (2);
";

/// Removes the limit of a statement while tables are created, which is not part of a request, and restores it
/// afterwards.
const AT_LEISURE: &str = "SET @session_store = 0 /*M!100600 , @session_store = @@max_statement_time, SESSION max_statement_time = 0 */";
const AS_BEFORE: &str = "SET @session_tables = 0 /*M!100600 , SESSION max_statement_time = @session_store */";

/// A plain insert: INSERT IGNORE would also ignore truncated values.
const CREATE: &str = "INSERT INTO {table} ({written}) VALUES ({key}, {record}, {checksum})";

const REPLACE: &str = r"
UPDATE {table} SET
    format = {format}, etag = {etag}, created = {created}, idle_deadline = {idle}, absolute_deadline = {absolute},
    expires_hour = {hour}, owner = {record_owner}, payload = {payload}, checksum = {checksum}
WHERE session_key = {key} AND etag = {expected} AND {known} AND {live}";

/// The hour is assigned first, while the deadline still has its old value.
const TOUCH: &str = r"
UPDATE {table} SET
    expires_hour =
        least(greatest(idle_deadline, {until}), coalesce(absolute_deadline, 9223372036854775807)) DIV 3600000,
    idle_deadline = greatest(idle_deadline, {until})
WHERE session_key = {key} AND {known} AND {live}";

/// The first half of a rotate. It runs before the insert, so that concurrent rotates of one session contend for an
/// existing row; contending for gaps would deadlock.
const RETIRE: &str =
    "UPDATE {table} SET {retired} WHERE session_key = {key} AND etag = {expected} AND {known} AND {live}";

/// Selects the rows that a sweep removes.
const DEAD: &str = r"
SELECT session_key FROM {table} WHERE expires_hour <= {now_hour} AND {known} AND {dead}
LIMIT {most} FOR UPDATE SKIP LOCKED";
