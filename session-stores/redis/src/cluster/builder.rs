//! How a cluster store is put together.

use std::fmt;
use std::time::Duration;

use redis::cluster::ClusterClient;
use session_core::store::DEFAULT_MAX_RECORD;

use super::line::Line;
use super::store::RedisClusterStore;
use crate::builder::{BuildError, prepare_tls};

/// Puts a [`RedisClusterStore`] together. Its `Debug` shows no URL, since a URL may hold a password.
#[derive(Clone)]
#[must_use]
pub struct ClusterBuilder {
    url: String,
    prefix: Option<String>,
    timeout: Duration,
    max_record: usize,
}

impl ClusterBuilder {
    pub(crate) fn new(url: String) -> Self {
        Self { url, prefix: None, timeout: Duration::from_secs(2), max_record: DEFAULT_MAX_RECORD }
    }

    /// Sets what every key begins with. There is no default, and it may hold no `{`, which would pin all keys to one
    /// node.
    ///
    /// ```
    /// # use session_store_redis::{BuildError, RedisClusterStore};
    /// let builder = || RedisClusterStore::builder("redis-cluster://10.0.0.1:6379,10.0.0.2:6379");
    /// assert!(builder().prefix("shop:").open().is_ok());
    /// assert!(matches!(builder().prefix("{shop}:").open(), Err(BuildError::HashTag)));
    /// ```
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Sets how long one verb may take, all its trips together: 2 seconds unless said otherwise.
    ///
    /// ```
    /// # use session_store_redis::RedisClusterStore;
    /// # use std::time::Duration;
    /// let builder = RedisClusterStore::builder("redis-cluster://10.0.0.1:6379").prefix("shop:");
    /// assert!(builder.timeout(Duration::from_millis(500)).open().is_ok());
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the largest [`Record::size`](session_core::store::Record::size) in bytes: 64 KiB unless said otherwise.
    ///
    /// ```
    /// # use session_core::store::SessionStore as _;
    /// # use session_store_redis::RedisClusterStore;
    /// let builder = RedisClusterStore::builder("redis-cluster://10.0.0.1:6379").prefix("shop:");
    /// assert_eq!(builder.max_record(16 * 1024).open()?.max_record(), 16_384);
    /// # Ok::<(), session_store_redis::BuildError>(())
    /// ```
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Makes the store without contacting the cluster.
    ///
    /// # Errors
    /// [`BuildError`] when the URL, the prefix or the timeout cannot be right.
    ///
    /// ```
    /// use session_store_redis::RedisClusterStore;
    ///
    /// let url = "redis-cluster://10.0.0.1:6379,10.0.0.2:6379";
    /// let store = RedisClusterStore::builder(url).prefix("shop:").open()?;
    /// # Ok::<(), session_store_redis::BuildError>(())
    /// ```
    pub fn open(self) -> Result<RedisClusterStore, BuildError> {
        let prefix = self.prefix.filter(|prefix| !prefix.is_empty()).ok_or(BuildError::NoPrefix)?;
        if prefix.contains('{') {
            return Err(BuildError::HashTag);
        }
        if self.timeout.is_zero() {
            return Err(BuildError::NoTime);
        }
        let client = client(&self.url, self.timeout).ok_or(BuildError::ClusterUrl)?;
        Ok(RedisClusterStore {
            line: Line::new(client, self.timeout),
            sessions: format!("{prefix}session:"),
            owners: format!("{prefix}owner:"),
            max_record: self.max_record,
        })
    }

    /// Makes the store and connects, so that a wrong address or password shows at start-up.
    ///
    /// # Errors
    /// [`BuildError`] when the settings cannot be right or the cluster cannot be reached within the timeout.
    ///
    /// ```no_run
    /// # async fn start() -> Result<(), session_store_redis::BuildError> {
    /// use session_store_redis::RedisClusterStore;
    ///
    /// let url = "redis-cluster://10.0.0.1:6379,10.0.0.2:6379";
    /// let store = RedisClusterStore::builder(url).prefix("shop:").connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(self) -> Result<RedisClusterStore, BuildError> {
        let store = self.open()?;
        store.line.connect().await?;
        Ok(store)
    }
}

impl fmt::Debug for ClusterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterBuilder")
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .field("max_record", &self.max_record)
            .finish_non_exhaustive()
    }
}

/// `redis-cluster://[user:password@]host:port,host:port…`, or `rediss-cluster://` with the feature `tls`. The driver's
/// own messages may quote the URL, so they go no further.
fn client(url: &str, deadline: Duration) -> Option<ClusterClient> {
    let (scheme, rest) = match url.split_once("-cluster://") {
        Some((scheme @ ("redis" | "rediss"), rest)) => (scheme, rest),
        _ => return None,
    };
    prepare_tls(url);
    let (login, hosts) = match rest.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), rest),
    };
    let nodes: Vec<String> = hosts.split(',').map(|host| format!("{scheme}://{login}{host}")).collect();
    ClusterClient::builder(nodes)
        .retries(0)
        .connection_timeout(deadline / 4)
        .response_timeout(deadline)
        .overall_response_timeout(None)
        .build()
        .ok()
}
