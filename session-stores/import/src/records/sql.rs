//! Records in the tables of the other libraries in Postgres, MySQL and SQLite.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use session_core::Timestamp;
use session_core::store::StoreError;
use sqlx::AssertSqlSafe;

use super::{ConnectError, DEADLINE, OldRecord, Records, in_time};

/// Records in a table: that of tower-sessions, unless [`adonisjs`](Self::adonisjs) or [`laravel`](Self::laravel) says another
/// library's.
#[derive(Clone)]
pub struct SqlRecords {
    pool: Pool,
    layout: Layout,
    load: String,
    remove: String,
    timeout: Duration,
}

/// Whose table it is.
#[derive(Clone, Copy)]
enum Layout {
    /// `id`, `data`; the record says when it expires.
    TowerSessions,
    /// `id`, `data`, `expires_at`.
    #[cfg(feature = "adonisjs")]
    AdonisJs,
    /// `id`, `payload` in base64, `last_activity`, for sessions that live this long after it.
    #[cfg(feature = "laravel")]
    Laravel(Duration),
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
        let (data, moment) = (self.layout.data(&self.pool), self.layout.moment(&self.pool));
        let id = self.pool.placeholder();
        self.load = format!("SELECT {data}, {moment} FROM {table} WHERE id = {id}");
        self.remove = format!("DELETE FROM {table} WHERE id = {id}");
        self
    }

    /// Reads a table of AdonisJS' store `database`, such as `sessions`.
    #[cfg(feature = "adonisjs")]
    #[must_use]
    pub fn adonisjs(mut self, table: &str) -> Self {
        self.layout = Layout::AdonisJs;
        self.table(None, table)
    }

    /// Reads a table of Laravel's driver `database`, such as `sessions`. The lifetime is `session.lifetime`, which is in minutes
    /// there.
    #[cfg(feature = "laravel")]
    #[must_use]
    pub fn laravel(mut self, table: &str, lifetime: Duration) -> Self {
        self.layout = Layout::Laravel(lifetime);
        self.table(None, table)
    }

    /// Sets how long a call may take, with the wait for a connection; the default is 2 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn new(pool: Pool) -> Self {
        let layout = Layout::TowerSessions;
        Self { pool, layout, load: String::new(), remove: String::new(), timeout: DEADLINE }
    }
}

impl Layout {
    /// The session, as bytes.
    #[cfg_attr(
        not(any(feature = "adonisjs", feature = "laravel")),
        expect(
            unused_variables,
            reason = "the table of tower-sessions has bytes, and its moment inside them"
        )
    )]
    fn data(self, pool: &Pool) -> String {
        match self {
            Self::TowerSessions => "data".to_owned(),
            #[cfg(feature = "adonisjs")]
            Self::AdonisJs => pool.bytes("data"),
            #[cfg(feature = "laravel")]
            Self::Laravel(_) => pool.bytes("payload"),
        }
    }

    /// The moment that says when the session expires, in seconds.
    fn moment(self, pool: &Pool) -> String {
        match self {
            Self::TowerSessions => pool.integer("NULL"),
            #[cfg(feature = "adonisjs")]
            Self::AdonisJs => pool.integer(match pool.name() {
                "postgres" => "EXTRACT(EPOCH FROM expires_at)",
                "mysql" => "UNIX_TIMESTAMP(expires_at)",
                // In milliseconds, as Knex writes a date.
                _ => "expires_at / 1000",
            }),
            #[cfg(feature = "laravel")]
            Self::Laravel(_) => pool.integer("last_activity"),
        }
    }

    #[cfg_attr(
        not(any(feature = "adonisjs", feature = "laravel")),
        expect(
            unused_variables,
            reason = "the table of tower-sessions has bytes, and its moment inside them"
        )
    )]
    fn record(self, data: Vec<u8>, moment: Option<i64>) -> OldRecord {
        let moment = moment.map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1_000)));
        match self {
            Self::TowerSessions => OldRecord::new(data),
            #[cfg(feature = "adonisjs")]
            Self::AdonisJs => OldRecord { expires: moment, ..OldRecord::new(data) },
            #[cfg(feature = "laravel")]
            Self::Laravel(lifetime) => {
                use base64::Engine as _;
                // What is not base64 is no payload either, which the importer says.
                let payload = base64::engine::general_purpose::STANDARD.decode(&data).unwrap_or(data);
                OldRecord { expires: moment.map(|active| active.plus(lifetime)), ..OldRecord::new(payload) }
            }
        }
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

    /// A column of text as bytes.
    #[cfg(any(feature = "adonisjs", feature = "laravel"))]
    fn bytes(&self, column: &str) -> String {
        match self.name() {
            "postgres" => format!("convert_to({column}, 'UTF8')"),
            "mysql" => format!("CAST({column} AS BINARY)"),
            _ => format!("CAST({column} AS BLOB)"),
        }
    }

    /// A number as one of 64 bits.
    fn integer(&self, expression: &str) -> String {
        let kind = match self.name() {
            "postgres" => "BIGINT",
            "mysql" => "SIGNED",
            _ => "INTEGER",
        };
        format!("CAST({expression} AS {kind})")
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
    async fn load(&self, id: &str) -> Result<Option<OldRecord>, StoreError> {
        let text = || AssertSqlSafe(self.load.clone());
        let found: Option<(Vec<u8>, Option<i64>)> =
            on!(self, |pool| sqlx::query_as(text()).bind(id).fetch_optional(pool))?;
        Ok(found.map(|(data, moment)| self.layout.record(data, moment)))
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
