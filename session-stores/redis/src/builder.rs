//! The builder of a store: prefix, deadline, size limit, and whether to connect immediately or on the first call.

use std::fmt;
use std::time::Duration;

use redis::{Client, IntoConnectionInfo, ProtocolVersion};
use session_core::store::{DEFAULT_MAX_RECORD, StoreError};

use crate::link::{Link, Route};
use crate::store::RedisStore;

/// Builds a [`RedisStore`]. Its `Debug` does not show the URL, which may contain a password.
#[derive(Clone)]
#[must_use]
pub struct Builder {
    place: Place,
    prefix: Option<String>,
    timeout: Duration,
    max_record: usize,
    cached: Option<usize>,
}

#[derive(Clone)]
enum Place {
    Url(String),
    Client(Box<Client>),
    #[cfg(feature = "sentinel")]
    Sentinel(String),
}

impl Builder {
    pub(crate) fn new(url: String) -> Self {
        Self::at(Place::Url(url))
    }

    pub(crate) fn with_client(client: Client) -> Self {
        Self::at(Place::Client(Box::new(client)))
    }

    #[cfg(feature = "sentinel")]
    pub(crate) fn with_sentinel(url: String) -> Self {
        Self::at(Place::Sentinel(url))
    }

    fn at(place: Place) -> Self {
        Self { place, prefix: None, timeout: DEFAULT_TIMEOUT, max_record: DEFAULT_MAX_RECORD, cached: None }
    }

    /// Sets the prefix of every store key, for example `"shop:"`. There is no default, because two applications that
    /// share a server and a prefix would share their sessions.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Sets the deadline of a call, including connecting. The default is 2 seconds.
    ///
    /// ```
    /// # use session_store_redis::{BuildError, RedisStore};
    /// # use std::time::Duration;
    /// let builder = || RedisStore::builder("redis://127.0.0.1").prefix("shop:");
    /// assert!(builder().timeout(Duration::from_millis(300)).open().is_ok());
    /// assert!(matches!(builder().timeout(Duration::ZERO).open(), Err(BuildError::NoTime)));
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the maximum [`Record::size`](session_core::store::Record::size) in bytes. The default is 64 KiB.
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Enables a near cache of up to this many sessions per connection, with server-assisted invalidation (Redis 6, RESP3):
    /// reading an unchanged session costs no round trip, and writing one costs one. The server invalidates a session when
    /// another client changes or ends it. Writes compare etags in the server, so a stale record is never written.
    ///
    /// # Security
    /// A sign-out in another process takes effect in this one when the invalidation arrives, usually within a millisecond.
    /// If the connection becomes silent, it can remain unnoticed for up to a second; after that, reads go to the server
    /// again, and fail if it is unreachable. No record is used for longer than ten seconds without asking the server.
    #[cfg(feature = "client-cache")]
    pub fn client_cache(mut self, sessions: usize) -> Self {
        self.cached = Some(sessions);
        self
    }

    /// Builds the store without connecting; it connects on the first call. If the server is down at start-up, only
    /// routes that use sessions fail, until it is back.
    ///
    /// # Errors
    /// [`BuildError`] if the URL, the prefix or the timeout is invalid.
    ///
    /// ```
    /// use session_store_redis::{BuildError, RedisStore};
    ///
    /// let nameless = RedisStore::builder("redis://127.0.0.1").open();
    /// assert!(matches!(nameless, Err(BuildError::NoPrefix)));
    /// ```
    pub fn open(self) -> Result<RedisStore, BuildError> {
        let prefix = self.prefix.filter(|prefix| !prefix.is_empty()).ok_or(BuildError::NoPrefix)?;
        if self.timeout.is_zero() {
            return Err(BuildError::NoTime);
        }
        Ok(RedisStore {
            link: Link::new(self.place.route()?, self.timeout, self.cached),
            sessions: format!("{prefix}session:"),
            owners: format!("{prefix}owner:"),
            max_record: self.max_record,
        })
    }

    /// Builds the store and connects, so that a wrong address or password is detected at start-up.
    ///
    /// # Errors
    /// [`BuildError`] if a setting is invalid or the server cannot be reached within the timeout.
    ///
    /// ```no_run
    /// # async fn open() -> Result<(), session_store_redis::BuildError> {
    /// use session_store_redis::RedisStore;
    ///
    /// let store = RedisStore::builder("redis://127.0.0.1:6379").prefix("shop:").connect().await?;
    /// # drop(store);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(self) -> Result<RedisStore, BuildError> {
        let store = self.open()?;
        store.link.connect().await?;
        Ok(store)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .field("max_record", &self.max_record)
            .finish_non_exhaustive()
    }
}

impl Place {
    fn route(self) -> Result<Route, BuildError> {
        match self {
            Self::Url(url) => client(&url).map(|client| Route::Direct(Box::new(client))),
            Self::Client(client) => Ok(Route::Direct(client)),
            #[cfg(feature = "sentinel")]
            Self::Sentinel(url) => {
                prepare_tls(&url);
                crate::sentinel::route(&url)
            }
        }
    }
}

/// Creates a client that uses RESP3 (Redis 6, Valkey), with which the driver reports the end of a connection
/// immediately, unless the URL has `protocol=`.
fn client(url: &str) -> Result<Client, BuildError> {
    prepare_tls(url);
    // The driver's message is dropped, because it may quote the URL and its password.
    let info = url.into_connection_info().map_err(|_quotes_the_url| BuildError::Url)?;
    let info = if url.contains("protocol=") {
        info
    } else {
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        info.set_redis_settings(settings)
    };
    Client::open(info).map_err(|_quotes_the_url| BuildError::Url)
}

/// Installs a cryptography provider if the application has not installed one. The driver has none and panics without.
pub(crate) fn prepare_tls(url: &str) {
    #[cfg(feature = "tls")]
    if url.starts_with("rediss") && rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only if another thread has just installed one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    #[cfg(not(feature = "tls"))]
    let _ = url;
}

/// Returned when a store cannot be built.
///
/// ```
/// use session_store_redis::{BuildError, RedisStore};
///
/// let elsewhere = RedisStore::builder("http://127.0.0.1").prefix("shop:").open();
/// assert!(matches!(elsewhere, Err(BuildError::Url)));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The prefix is missing or empty.
    #[error("the redis session store needs a key prefix, for example \"shop:\"")]
    NoPrefix,
    /// The timeout is zero.
    #[error("the redis session store's timeout must be longer than zero")]
    NoTime,
    /// The URL is not the URL of a Redis server, or requires TLS without the feature `tls`.
    #[error(
        "not a Redis URL; allowed are redis://[user:password@]host[:port][/db], redis+unix:///path and, with the feature \"tls\", rediss://"
    )]
    Url,
    /// The prefix of a cluster store contains a hash tag.
    #[error("the prefix of a cluster store may not contain \"{{\"")]
    HashTag,
    /// The URL is not the URL of a cluster.
    #[error(
        "not a cluster URL; allowed is redis-cluster://[user:password@]host:port,host:port and, with the feature \"tls\", rediss-cluster://"
    )]
    ClusterUrl,
    /// The URL does not name sentinels and a service.
    #[error(
        "not a sentinel URL; allowed is redis-sentinel://[user:password@]host:port,host:port/service[/db]"
    )]
    SentinelUrl,
    /// The server cannot be reached, or refused the connection.
    #[error("cannot connect")]
    Connect(#[from] StoreError),
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
