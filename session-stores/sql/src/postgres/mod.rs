//! Sessions in Postgres 12 or later: one statement, and so one round trip, for each verb.

mod capabilities;
mod statements;

use std::fmt;

use async_trait::async_trait;
use session_core::{
    Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreErrorKind, StoreKey, Sweep, Timestamp,
    Written,
};
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, Postgres};
use sqlx::{PgPool, Row};

use crate::call::{Caller, call, pool_options, require_runtime};
use crate::config::{SqlConfig, SqlConfigError};
use crate::failure::{Backend, Failure, Verdict};
use crate::row::{Columns, FORMAT, hour, query, read, read_key, read_pair, why_not_rotated};
use crate::table::TableName;
use statements::Statements;

/// A store in a table of a Postgres database.
///
/// Every verb is one statement, so it needs no transaction and holds no connection between two trips. Touches and
/// writes leave the indexed columns alone (the expiry index is made of hours), so Postgres keeps them within a page.
///
/// A store made from a URL tells the server to give up a statement at the deadline too (`statement_timeout`), so that
/// calls that timed out do not pile up there.
pub struct PostgresStore {
    caller: Caller<Postgres>,
    statements: Statements,
    table: TableName,
    max_record: usize,
}

impl PostgresStore {
    /// The SQL that [`migrate`](Self::migrate) runs, for a table called `sessions`; for people's own tools.
    pub const SCHEMA: &str = statements::SCHEMA;

    /// A store at `postgres://user:password@host:port/database`. It connects when it is first needed, so the server
    /// may be down now.
    ///
    /// # Errors
    /// [`SqlConfigError::Url`] when that is no such URL, [`SqlConfigError::NoRuntime`] outside of a Tokio runtime.
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
        let options = options.options([("statement_timeout", config.deadline.as_millis().max(1))]);
        Ok(Self::from_pool(pool_options(config).connect_lazy_with(options), config))
    }

    /// A store on a pool that the application already has; the pool's own settings then hold. Of `config` the table,
    /// the deadline and the record limit count.
    ///
    /// A pool that keeps `test_before_acquire` pays one more trip for each call. Set a `statement_timeout`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_store_sql::{PostgresStore, SqlConfig};
    ///
    /// let pool = sqlx::PgPool::connect_lazy("postgres://shop:secret@db.internal/shop")?;
    /// let store = PostgresStore::from_pool(pool, &SqlConfig::new());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn from_pool(pool: PgPool, config: &SqlConfig) -> Self {
        Self {
            caller: Caller::new(pool, config.deadline),
            statements: Statements::new(&config.table),
            table: config.table.clone(),
            max_record: config.max_record,
        }
    }
}

#[async_trait]
impl SessionStore for PostgresStore {
    fn name(&self) -> &'static str {
        Postgres::STORE
    }

    fn max_record(&self) -> usize {
        self.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        call!(self.caller, |connection| {
            let found = query(&self.statements.load)
                .bind(key.as_bytes().as_slice())
                .fetch_optional(connection)
                .await?;
            found.as_ref().map_or(Ok(Loaded::Missing), read)
        })
    }

    async fn create(&self, key: &StoreKey, record: &Record, _now: Timestamp) -> Result<Written, StoreError> {
        StoreError::check_size(Postgres::STORE, record, self.max_record)?;
        call!(self.caller, |connection| {
            let columns = Columns::from(record);
            let done = query(&self.statements.create)
                .bind(key.as_bytes().as_slice())
                .bind(columns.etag)
                .bind(columns.created)
                .bind(columns.idle_deadline)
                .bind(columns.absolute_deadline)
                .bind(columns.expires_hour)
                .bind(columns.owner.map(str::as_bytes))
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
        StoreError::check_size(Postgres::STORE, record, self.max_record)?;
        call!(self.caller, |connection| {
            let columns = Columns::from(record);
            let row = query(&self.statements.replace)
                .bind(key.as_bytes().as_slice())
                .bind(columns.etag)
                .bind(columns.created)
                .bind(columns.idle_deadline)
                .bind(columns.absolute_deadline)
                .bind(columns.expires_hour)
                .bind(columns.owner.map(str::as_bytes))
                .bind(columns.payload)
                .bind(expected.get().cast_signed())
                .bind(now.as_millis())
                .fetch_optional(connection)
                .await?;
            match row.as_ref().map(read).transpose()? {
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
        call!(self.caller, |connection| {
            let row = query(&self.statements.touch)
                .bind(key.as_bytes().as_slice())
                .bind(idle_deadline.as_millis())
                .bind(now.as_millis())
                .fetch_optional(connection)
                .await?;
            match row.map(|row| row.try_get::<i32, _>(0)).transpose()? {
                Some(format) if format > FORMAT => Err(Failure::Found(StoreErrorKind::Newer)),
                Some(_) => Ok(Written::Applied),
                None => Ok(Written::Gone),
            }
        })
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<(), StoreError> {
        call!(self.caller, |connection| {
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
        StoreError::check_size(Postgres::STORE, record, self.max_record)?;
        call!(self.caller, |connection| {
            let columns = Columns::from(record);
            let rows = query(&self.statements.rotate)
                .bind(new.as_bytes().as_slice())
                .bind(columns.etag)
                .bind(columns.created)
                .bind(columns.idle_deadline)
                .bind(columns.absolute_deadline)
                .bind(columns.expires_hour)
                .bind(columns.owner.map(str::as_bytes))
                .bind(columns.payload)
                .bind(expected.get().cast_signed())
                .bind(now.as_millis())
                .bind(old.as_bytes().as_slice())
                .bind(tombstone_until.as_millis())
                .bind(hour(tombstone_until))
                .fetch_all(&mut *connection)
                .await?;
            let stood = rows.iter().find(|row| matches!(read_key(*row, 7), Ok(key) if key == *old));
            if let Some(stood) = stood {
                if stood.try_get(8)? {
                    return Ok(Written::Applied);
                }
                // Our own earlier attempt may have been at work when this statement began: then its new row is
                // there, but this statement did not see it.
                if rows.len() == 1 && stood.try_get::<i64, _>(1)? == columns.etag {
                    let pair = query(&self.statements.pair)
                        .bind(old.as_bytes().as_slice())
                        .bind(new.as_bytes().as_slice())
                        .fetch_all(connection)
                        .await?;
                    let (there, taken) = read_pair(&pair, old, new)?;
                    return why_not_rotated(&there, expected, &taken, record, now);
                }
            }
            let (there, taken) = read_pair(&rows, old, new)?;
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

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("table", &self.table.as_str()).finish_non_exhaustive()
    }
}

impl Backend for Postgres {
    const STORE: &'static str = "postgres";

    fn judge(error: &dyn DatabaseError) -> Verdict {
        match error.code().as_deref() {
            // Serialization failure, deadlock: the other one won, this one was undone.
            Some("40001" | "40P01") => Verdict::Again,
            // Statement timeout, lock not available, too many connections.
            Some("57014" | "55P03" | "53300") => Verdict::Timeout,
            // Connection failures, server shutting down or starting.
            Some(code) if code.starts_with("08") || code.starts_with("57P") => Verdict::Unavailable,
            _ => Verdict::Refused,
        }
    }
}
