//! Sessions in MySQL 8 or MariaDB 10.6 and later: one statement for each verb, a second one only after a conflict.

mod capabilities;
mod statements;

use std::fmt;

use async_trait::async_trait;
use session_core::{
    Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Sweep, Timestamp, Written,
};
use sqlx::error::DatabaseError;
use sqlx::mysql::{MySql, MySqlConnectOptions, MySqlConnection, MySqlDatabaseError};
use sqlx::{Connection, Executor, MySqlPool};

use crate::call::{Caller, call, pool_options, require_runtime};
use crate::config::{SqlConfig, SqlConfigError};
use crate::failure::{Backend, Failure, Verdict};
use crate::row::{Columns, hour, query, read, read_pair, why_not_rotated};
use crate::table::TableName;
use statements::Statements;

/// A store in a table of a MySQL or MariaDB database.
///
/// Every verb is one statement whose conditions stand in its `WHERE`. Where it changed nothing, a second statement reads
/// why. Rotate is a transaction of two statements; a deadlock that the server breaks is tried again, within the deadline.
///
/// A store made from a URL makes its connections strict (`STRICT_ALL_TABLES`: nothing is ever cut to fit), and tells the
/// server not to wait for a row longer than the deadline.
pub struct MySqlStore {
    caller: Caller<MySql>,
    statements: Statements,
    table: TableName,
    max_record: usize,
}

impl MySqlStore {
    /// The SQL that [`migrate`](Self::migrate) runs, for a table called `sessions`; for people's own tools.
    pub const SCHEMA: &str = statements::SCHEMA;

    /// A store at `mysql://user:password@host:port/database`. It connects when it is first needed, so the server may be
    /// down now.
    ///
    /// # Errors
    /// [`SqlConfigError::Url`] when that is no such URL, [`SqlConfigError::NoRuntime`] outside of a Tokio runtime.
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
        let seconds = config.deadline.as_secs().max(1);
        let manners: &str = &format!(
            "SET SESSION innodb_lock_wait_timeout = {seconds}, \
             SESSION sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES')"
        );
        let manners: std::sync::Arc<str> = manners.into();
        let pool = pool_options(config).after_connect(move |connection: &mut MySqlConnection, _| {
            let manners = sqlx::AssertSqlSafe(std::sync::Arc::clone(&manners));
            Box::pin(async move { connection.execute(sqlx::raw_sql(manners)).await.map(drop) })
        });
        Ok(Self::from_pool(pool.connect_lazy_with(options), config))
    }

    /// A store on a pool that the application already has; the pool's own settings then hold. Of `config` the table,
    /// the deadline and the record limit count.
    ///
    /// A pool that keeps `test_before_acquire` pays one more trip for each call. Its connections should be strict
    /// (`STRICT_ALL_TABLES`).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_store_sql::{MySqlStore, SqlConfig};
    ///
    /// let pool = sqlx::MySqlPool::connect_lazy("mysql://shop:secret@db.internal/shop")?;
    /// let store = MySqlStore::from_pool(pool, &SqlConfig::new());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn from_pool(pool: MySqlPool, config: &SqlConfig) -> Self {
        Self {
            caller: Caller::new(pool, config.deadline),
            statements: Statements::new(&config.table),
            table: config.table.clone(),
            max_record: config.max_record,
        }
    }
}

#[async_trait]
impl SessionStore for MySqlStore {
    fn name(&self) -> &'static str {
        MySql::STORE
    }

    fn max_record(&self) -> usize {
        self.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        call!(self.caller, |connection| self.there(connection, key).await)
    }

    async fn create(&self, key: &StoreKey, record: &Record, _now: Timestamp) -> Result<Written, StoreError> {
        StoreError::check_size(MySql::STORE, record, self.max_record)?;
        call!(self.caller, |connection| {
            match self.insert(&mut *connection, key, record).await {
                Ok(()) => return Ok(Written::Applied),
                Err(error) if is_duplicate(&error) => {}
                Err(error) => return Err(error.into()),
            }
            match self.there(connection, key).await? {
                Loaded::Found(there) if there.etag == record.etag => Ok(Written::Applied),
                Loaded::Found(_) | Loaded::Retired { .. } => Ok(Written::Taken),
                // Swept since.
                Loaded::Missing => Err(Failure::Again),
            }
        })
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(MySql::STORE, record, self.max_record)?;
        call!(self.caller, |connection| {
            let columns = Columns::from(record);
            let done = query(&self.statements.replace)
                .bind(columns.etag)
                .bind(columns.created)
                .bind(columns.idle_deadline)
                .bind(columns.absolute_deadline)
                .bind(columns.expires_hour)
                .bind(columns.owner.map(str::as_bytes))
                .bind(columns.payload)
                .bind(key.as_bytes().as_slice())
                .bind(expected.get().cast_signed())
                .bind(now.as_millis())
                .bind(now.as_millis())
                .execute(&mut *connection)
                .await?;
            if done.rows_affected() > 0 {
                return Ok(Written::Applied);
            }
            match self.there(connection, key).await? {
                Loaded::Missing | Loaded::Retired { .. } => Ok(Written::Gone),
                Loaded::Found(there) if !there.is_live(now) => Ok(Written::Gone),
                Loaded::Found(there) if there.etag == record.etag => Ok(Written::Applied),
                Loaded::Found(there) if there.etag != expected => Ok(Written::Conflict(there)),
                // A caller with a slower clock touched it between the two statements.
                Loaded::Found(_) => Err(Failure::Again),
            }
        })
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        call!(self.caller, |connection| {
            let done = query(&self.statements.touch)
                .bind(idle_deadline.as_millis())
                .bind(idle_deadline.as_millis())
                .bind(key.as_bytes().as_slice())
                .bind(now.as_millis())
                .bind(now.as_millis())
                .execute(&mut *connection)
                .await?;
            if done.rows_affected() > 0 {
                return Ok(Written::Applied);
            }
            // Gone, unless it is of a newer format: then reading it says so.
            self.there(connection, key).await.map(|_| Written::Gone)
        })
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<(), StoreError> {
        call!(self.caller, |connection| {
            query(&self.statements.destroy)
                .bind(tombstone_until.as_millis())
                .bind(hour(tombstone_until))
                .bind(key.as_bytes().as_slice())
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
        StoreError::check_size(MySql::STORE, record, self.max_record)?;
        call!(self.caller, |connection| {
            let mut transaction = connection.begin().await?;
            let retired = query(&self.statements.retire)
                .bind(tombstone_until.as_millis())
                .bind(hour(tombstone_until))
                .bind(old.as_bytes().as_slice())
                .bind(expected.get().cast_signed())
                .bind(now.as_millis())
                .bind(now.as_millis())
                .execute(&mut *transaction)
                .await?;
            if retired.rows_affected() > 0 {
                match self.insert(&mut transaction, new, record).await {
                    Ok(()) => {
                        transaction.commit().await?;
                        return Ok(Written::Applied);
                    }
                    Err(error) if is_duplicate(&error) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            transaction.rollback().await?;
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

impl MySqlStore {
    async fn there(&self, connection: &mut MySqlConnection, key: &StoreKey) -> Result<Loaded, Failure> {
        let found =
            query(&self.statements.load).bind(key.as_bytes().as_slice()).fetch_optional(connection).await?;
        found.as_ref().map_or(Ok(Loaded::Missing), read)
    }

    async fn insert(
        &self,
        connection: &mut MySqlConnection,
        key: &StoreKey,
        record: &Record,
    ) -> Result<(), sqlx::Error> {
        let columns = Columns::from(record);
        query(&self.statements.create)
            .bind(key.as_bytes().as_slice())
            .bind(columns.etag)
            .bind(columns.created)
            .bind(columns.idle_deadline)
            .bind(columns.absolute_deadline)
            .bind(columns.expires_hour)
            .bind(columns.owner.map(str::as_bytes))
            .bind(columns.payload)
            .execute(connection)
            .await
            .map(drop)
    }
}

fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(DatabaseError::is_unique_violation)
}

impl fmt::Debug for MySqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlStore").field("table", &self.table.as_str()).finish_non_exhaustive()
    }
}

impl Backend for MySql {
    const STORE: &'static str = "mysql";

    fn judge(error: &dyn DatabaseError) -> Verdict {
        match error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number) {
            // Deadlock, record changed since it was read: the other one won, this one was undone. Too many connections,
            // of all or of this user: nothing was begun.
            1213 | 1020 | 1040 | 1203 | 1226 => Verdict::Again,
            // Lock wait timeout; statement timeout of MySQL and of MariaDB.
            1205 | 3024 | 1969 => Verdict::Timeout,
            // Server shutting down, connection killed or idle for too long, network read and write failures.
            1053 | 1077 | 1079 | 1080 | 1927 | 4031 | 1152 | 1156..=1161 | 1184 => Verdict::Unavailable,
            _ => Verdict::Refused,
        }
    }
}
