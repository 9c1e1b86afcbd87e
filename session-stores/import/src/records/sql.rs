//! Records in the tables of tower-sessions' stores for Postgres, MySQL and SQLite.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use session_core::store::StoreError;
use sqlx::AssertSqlSafe;

use super::{ConnectError, DEADLINE, Records, in_time};

/// Records in a table with the columns `id` and `data`.
#[derive(Clone)]
pub struct SqlRecords {
    pool: Pool,
    load: String,
    remove: String,
    timeout: Duration,
}

#[derive(Clone)]
enum Pool {
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
}

impl SqlRecords {
    /// Connects to a Postgres server; the table is `tower_sessions.session`.
    ///
    /// # Errors
    /// [`ConnectError`] if the URL cannot be read or the server cannot be reached.
    #[cfg(feature = "postgres")]
    pub async fn postgres(url: &str) -> Result<Self, ConnectError> {
        let pool = sqlx::PgPool::connect(url).await.map_err(|error| ConnectError::new("postgres", error))?;
        Ok(Self::new(Pool::Postgres(pool)).table(Some("tower_sessions"), "session"))
    }

    /// Connects to a MySQL or MariaDB server; the table is `tower_sessions.session`.
    ///
    /// # Errors
    /// As for [`postgres`](Self::postgres).
    #[cfg(feature = "mysql")]
    pub async fn mysql(url: &str) -> Result<Self, ConnectError> {
        let pool = sqlx::MySqlPool::connect(url).await.map_err(|error| ConnectError::new("mysql", error))?;
        Ok(Self::new(Pool::MySql(pool)).table(Some("tower_sessions"), "session"))
    }

    /// Opens a SQLite database; the table is `tower_sessions`.
    ///
    /// # Errors
    /// As for [`postgres`](Self::postgres).
    #[cfg(feature = "sqlite")]
    pub async fn sqlite(url: &str) -> Result<Self, ConnectError> {
        let pool =
            sqlx::SqlitePool::connect(url).await.map_err(|error| ConnectError::new("sqlite", error))?;
        Ok(Self::new(Pool::Sqlite(pool)).table(None, "tower_sessions"))
    }

    /// Sets the table, if `with_schema_name` or `with_table_name` was used.
    #[must_use]
    pub fn table(mut self, schema: Option<&str>, table: &str) -> Self {
        let quote = self.pool.quote();
        let quoted =
            |name: &str| format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")));
        let table = schema.map(|schema| format!("{}.", quoted(schema))).unwrap_or_default() + &quoted(table);
        let id = self.pool.placeholder();
        self.load = format!("SELECT data FROM {table} WHERE id = {id}");
        self.remove = format!("DELETE FROM {table} WHERE id = {id}");
        self
    }

    /// Sets how long a call may take, with the wait for a connection; the default is 2 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn new(pool: Pool) -> Self {
        Self { pool, load: String::new(), remove: String::new(), timeout: DEADLINE }
    }
}

impl Pool {
    fn name(&self) -> &'static str {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "postgres",
            #[cfg(feature = "mysql")]
            Self::MySql(_) => "mysql",
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => "sqlite",
        }
    }

    fn quote(&self) -> char {
        if self.name() == "mysql" { '`' } else { '"' }
    }

    fn placeholder(&self) -> &'static str {
        if self.name() == "postgres" { "$1" } else { "?" }
    }
}

/// The same call on each kind of pool.
macro_rules! on {
    ($self:ident, |$pool:ident| $call:expr) => {
        match &$self.pool {
            #[cfg(feature = "postgres")]
            Pool::Postgres($pool) => in_time($self.pool.name(), $self.timeout, $call).await,
            #[cfg(feature = "mysql")]
            Pool::MySql($pool) => in_time($self.pool.name(), $self.timeout, $call).await,
            #[cfg(feature = "sqlite")]
            Pool::Sqlite($pool) => in_time($self.pool.name(), $self.timeout, $call).await,
        }
    };
}

#[async_trait]
impl Records for SqlRecords {
    async fn load(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let text = || AssertSqlSafe(self.load.clone());
        on!(self, |pool| sqlx::query_scalar::<_, Vec<u8>>(text()).bind(id).fetch_optional(pool))
    }

    async fn remove(&self, id: &str) -> Result<(), StoreError> {
        let text = || AssertSqlSafe(self.remove.clone());
        on!(self, |pool| async { sqlx::query(text()).bind(id).execute(pool).await.map(|_| ()) })
    }
}

/// Leaves out the server's address, which may hold a password.
impl fmt::Debug for SqlRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlRecords").field("store", &self.pool.name()).finish_non_exhaustive()
    }
}
