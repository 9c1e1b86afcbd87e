//! What is said about one store: its driver, where it is, and what it may cost.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::SettingError;

/// The settings of one store. What a driver has no use for is `None` or its default.
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
    /// The driver: `memory`, `file`, `redis`, … or the name of a registered one.
    pub driver: String,
    /// Where the server is: Redis, memcached, etcd, Postgres, MySQL; or `sqlite:PATH`.
    pub url: Option<Secret>,
    /// The directory of the file store, or the file of redb.
    pub location: Option<PathBuf>,
    /// What every key in Redis, memcached, etcd or DynamoDB begins with.
    pub prefix: String,
    /// The table of SQL databases and DynamoDB.
    pub table: String,
    /// How long one call may take.
    pub timeout: Duration,
    /// The largest record in bytes; the sessions' own `max_record` where nothing is said.
    pub max_record: Option<usize>,
    /// Whether opening contacts the server: Redis is connected to, SQL and DynamoDB get their table if it is missing.
    pub prepare: bool,
    /// The most connections to a SQL database or memcached; the store's own default where nothing is said.
    pub max_connections: Option<u32>,
    /// How many connections to a SQL database are kept when there is nothing to do.
    pub min_connections: u32,
    /// What an acknowledged write to a file or to SQLite survives.
    pub durability: Durability,
    /// How many reads, and how many writes, of the file store may be at the disk at once.
    pub concurrency: usize,
    /// How many sessions are kept in this process with the help of Redis; none unless said.
    pub client_cache: Option<usize>,
    /// The most sessions the memory store keeps.
    pub max_sessions: usize,
    /// The most bytes the memory store keeps.
    pub max_bytes: Option<usize>,
    /// Into how many parts the memory store divides its sessions; its own choice where nothing is said.
    pub shards: Option<usize>,
    /// Where DynamoDB is, `http://HOST:PORT`.
    pub endpoint: Option<String>,
    /// DynamoDB's region.
    pub region: String,
    /// Who asks DynamoDB.
    pub access_key_id: Option<String>,
    /// The secret of the one who asks DynamoDB.
    pub secret_access_key: Option<Secret>,
    /// The token of a temporary access to DynamoDB.
    pub session_token: Option<Secret>,
    /// Whatever a registered driver wants to know (`SESSION_OPTION_…`, in lower case).
    pub options: BTreeMap<String, Secret>,
}

impl StoreConfig {
    /// The defaults for a driver.
    ///
    /// ```
    /// use session_stores::StoreConfig;
    ///
    /// assert_eq!(StoreConfig::new("memory").timeout.as_secs(), 2);
    /// ```
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

    /// The store that one text names: `memory`, `cookie`, `file:DIR`, `redis://…`, `redis-cluster://h:p,h:p`,
    /// `redis-sentinel://h:p,h:p/service`, `memcached://HOST:PORT`, `etcd://HOST:PORT`, `dynamodb://HOST:PORT/TABLE`,
    /// `postgres://…`, `mysql://…`, `sqlite:PATH`, `redb:PATH`.
    ///
    /// # Errors
    /// [`SettingError::RefusedSecret`] for any other text, which is not shown.
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
///
/// ```
/// use session_stores::{Durability, StoreConfig};
///
/// assert_eq!(StoreConfig::new("sqlite").durability, Durability::PowerCut);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// A power cut: it is on the disk before it is acknowledged.
    #[default]
    PowerCut,
    /// The end of the process, however it ends; a power cut may undo the last moments.
    ProcessCrash,
}

/// The driver that a URL's scheme names.
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

/// Whether DynamoDB or a SQL database might have a table of this name; SQL is stricter when the store is opened.
pub(crate) fn is_table(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=255).contains(&name.len()) && name.bytes().all(plain)
}

/// A text that is or may hold a secret, such as a URL with a password. It prints as `****`.
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
    /// The text itself. Do not log it.
    ///
    /// ```
    /// let token = session_stores::Secret::from("s3cr3t");
    /// assert_eq!(token.expose(), "s3cr3t");
    /// ```
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
