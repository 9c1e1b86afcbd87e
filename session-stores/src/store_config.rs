//! The configuration of a single store: driver, location and limits.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::SettingError;

/// The settings of a single store. Settings that its driver does not use are `None` or have their defaults.
///
/// ```
/// use session_stores::StoreConfig;
///
/// let config = StoreConfig::from_url("redis://:hunter2@cache.internal:6379")?;
/// assert_eq!(config.driver, "redis");
/// assert!(!format!("{config:?}").contains("hunter2"));
/// # Ok::<(), session_stores::SettingError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreConfig {
    /// The driver: `memory`, `file`, `redis`, …, or the name of a registered driver.
    pub driver: String,
    /// The URL of the server (Redis, memcached, etcd, Postgres, MySQL), or `sqlite:PATH`.
    pub url: Option<Secret>,
    /// The directory of the file store, or the file of redb.
    pub location: Option<PathBuf>,
    /// The prefix of every store key in Redis, memcached, etcd or DynamoDB.
    pub prefix: String,
    /// The table in SQL databases and DynamoDB.
    pub table: String,
    /// The deadline of a call.
    pub timeout: Duration,
    /// The maximum size of a record, in bytes; `None` for the `max_record` of the sessions.
    pub max_record: Option<usize>,
    /// Whether opening the store connects to the server and, with SQL and DynamoDB, creates a missing table.
    pub prepare: bool,
    /// The maximum number of connections to a SQL database or memcached; `None` for the store's default.
    pub max_connections: Option<u32>,
    /// The number of connections to a SQL database that are kept open when idle.
    pub min_connections: u32,
    /// What an acknowledged write to a file or to SQLite survives.
    pub durability: Durability,
    /// The maximum number of concurrent reads, and of concurrent writes, of the file store.
    pub concurrency: usize,
    /// The number of sessions in the near cache of the Redis store; `None` for no cache.
    pub client_cache: Option<usize>,
    /// The maximum number of sessions in the memory store.
    pub max_sessions: usize,
    /// The maximum size of the memory store, in bytes.
    pub max_bytes: Option<usize>,
    /// The number of shards of the memory store; `None` for its default.
    pub shards: Option<usize>,
    /// The address of DynamoDB, `http://HOST:PORT`.
    pub endpoint: Option<String>,
    /// The AWS region.
    pub region: String,
    /// The id of the AWS access key.
    pub access_key_id: Option<String>,
    /// The secret of the AWS access key.
    pub secret_access_key: Option<Secret>,
    /// The session token of temporary AWS credentials.
    pub session_token: Option<Secret>,
    /// Settings of a registered driver (`SESSION_OPTION_…`, in lower case).
    pub options: BTreeMap<String, Secret>,
}

impl StoreConfig {
    /// Creates the default configuration of a driver.
    #[must_use]
    pub fn new(driver: impl Into<String>) -> Self {
        Self {
            driver: driver.into(),
            url: None,
            location: None,
            prefix: "app".to_owned(),
            table: "sessions".to_owned(),
            timeout: Duration::from_secs(2),
            max_record: None,
            prepare: true,
            max_connections: None,
            min_connections: 0,
            durability: Durability::PowerCut,
            concurrency: 64,
            client_cache: None,
            max_sessions: 1_000_000,
            max_bytes: None,
            shards: None,
            endpoint: None,
            region: "us-east-1".to_owned(),
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
            options: BTreeMap::new(),
        }
    }

    /// Parses a URL that describes a store: `memory`, `cookie`, `file:DIR`, `redis://…`, `redis-cluster://h:p,h:p`,
    /// `redis-sentinel://h:p,h:p/service`, `memcached://HOST:PORT`, `etcd://HOST:PORT`, `dynamodb://HOST:PORT/TABLE`,
    /// `postgres://…`, `mysql://…`, `sqlite:PATH`, `redb:PATH`.
    ///
    /// # Errors
    /// [`SettingError::RefusedSecret`] for any other text, without showing it.
    ///
    /// ```
    /// use session_stores::StoreConfig;
    ///
    /// let config = StoreConfig::from_url("dynamodb://127.0.0.1:8000/carts")?;
    /// assert_eq!((config.table.as_str(), config.endpoint.as_deref()), ("carts", Some("http://127.0.0.1:8000")));
    /// # Ok::<(), session_stores::SettingError>(())
    /// ```
    pub fn from_url(text: &str) -> Result<Self, SettingError> {
        let refused =
            || SettingError::RefusedSecret { key: "the store".to_owned(), allowed: URLS.to_owned() };
        if let "memory" | "cookie" = text {
            return Ok(Self::new(text));
        }
        let (scheme, rest) = text.split_once(':').ok_or_else(refused)?;
        if rest.trim_start_matches('/').is_empty() && !matches!(scheme, "file" | "redb" | "sqlite")
            || rest.is_empty()
        {
            return Err(refused());
        }
        let driver = match scheme {
            "file" | "redb" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                return Ok(Self { location: Some(path.into()), ..Self::new(scheme) });
            }
            "dynamodb" => {
                let (place, table) =
                    rest.strip_prefix("//").and_then(|rest| rest.split_once('/')).ok_or_else(refused)?;
                if place.contains('@') || !place.contains(':') || !is_table(table) {
                    return Err(refused());
                }
                let endpoint = Some(format!("http://{place}"));
                return Ok(Self { endpoint, table: table.to_owned(), ..Self::new("dynamodb") });
            }
            "sqlite" => "sqlite",
            _ if !rest.starts_with("//") => return Err(refused()),
            _ => driver_of(scheme).ok_or_else(refused)?,
        };
        Ok(Self { url: Some(text.into()), ..Self::new(driver) })
    }
}

/// What an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// A power cut: the write is on disk before it is acknowledged.
    #[default]
    PowerCut,
    /// The end of the process, however it ends; a power cut may undo the last writes.
    ProcessCrash,
}

/// Returns the driver that the scheme of a URL names.
pub(crate) fn driver_of(scheme: &str) -> Option<&'static str> {
    Some(match scheme {
        "redis" | "rediss" | "redis+unix" | "unix" => "redis",
        "redis-cluster" | "rediss-cluster" => "redis-cluster",
        "redis-sentinel" | "rediss-sentinel" => "redis-sentinel",
        "memcached" => "memcached",
        "etcd" => "etcd",
        "postgres" | "postgresql" => "postgres",
        "mysql" | "mariadb" => "mysql",
        "sqlite" => "sqlite",
        _ => return None,
    })
}

/// Whether the name is valid for a table in DynamoDB or SQL. SQL stores apply stricter rules when they are opened.
pub(crate) fn is_table(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=255).contains(&name.len()) && name.bytes().all(plain)
}

/// A string that is or may contain a secret, such as a URL with a password. It prints as `****`.
///
/// ```
/// use session_stores::Secret;
///
/// let url = Secret::from("redis://:hunter2@cache.internal");
/// assert_eq!(format!("{url:?}"), "****");
/// assert!(url.expose().contains("hunter2"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the string. Do not log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

const URLS: &str = "memory, cookie, file:DIR, redis://HOST:PORT, redis-cluster://HOST:PORT,HOST:PORT, \
                    redis-sentinel://HOST:PORT,HOST:PORT/SERVICE, memcached://HOST:PORT, \
                    etcd://HOST:PORT, dynamodb://HOST:PORT/TABLE, postgres://USER@HOST:PORT/DATABASE, \
                    mysql://USER@HOST:PORT/DATABASE, sqlite:PATH, redb:PATH";
