//! The builder of a cluster store.

use std::fmt;
use std::time::Duration;

use redis::cluster::ClusterClient;
use session_core::store::DEFAULT_MAX_RECORD;

use super::line::Line;
use super::store::RedisClusterStore;
use crate::builder::{BuildError, prepare_tls};

/// Builds a [`RedisClusterStore`]. Its `Debug` does not show the URL, which may contain a password.
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

    /// Sets the prefix of every store key. There is no default, and it must not contain `{`, which would assign all
    /// keys to one node.
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

    /// Sets the deadline of a verb, including all its round trips. The default is 2 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the maximum [`Record::size`](session_core::store::Record::size) in bytes. The default is 64 KiB.
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Builds the store without connecting.
    ///
    /// # Errors
    /// [`BuildError`] if the URL, the prefix or the timeout is invalid.
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

    /// Builds the store and connects, so that a wrong address or password is detected at start-up.
    ///
    /// # Errors
    /// [`BuildError`] if a setting is invalid or the cluster cannot be reached within the timeout.
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

/// Parses `redis-cluster://[user:password@]host:port,host:port…`, or `rediss-cluster://` with the feature `tls`. The
/// driver's messages are dropped, because they may quote the URL.
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
