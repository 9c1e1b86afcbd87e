//! The builder: the server's address, the prefix, the timeout, the limits.

use std::time::Duration;

use session_core::store::DEFAULT_MAX_RECORD;
use session_store_kv::CasStore;

use crate::engine::Memcached;
use crate::link::Link;
use crate::store::MemcachedStore;

/// Configures a store. Created by [`MemcachedStore::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    address: String,
    prefix: String,
    timeout: Duration,
    connections: usize,
    max_record: usize,
}

/// Returned when the configuration does not fit. No server has been contacted.
///
/// ```
/// use session_store_memcached::{BuildError, MemcachedStore};
///
/// let error = MemcachedStore::builder("memcached://127.0.0.1:11211").open().unwrap_err();
/// assert_eq!(error, BuildError::Prefix);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Not `memcached://host:port`.
    #[error("the address is not of the form memcached://host:port")]
    Address,
    /// The prefix is missing, too long, or has characters that the protocol does not allow.
    #[error("a prefix is needed: 1 to 100 printable ASCII characters, for example \"shop:\"")]
    Prefix,
    /// No connection is allowed, or no time for a call.
    #[error("at least one connection and a deadline above zero are needed")]
    Limits,
}

impl Builder {
    pub(crate) fn new(address: String) -> Self {
        Self {
            address,
            prefix: String::new(),
            timeout: Duration::from_secs(2),
            connections: 32,
            max_record: DEFAULT_MAX_RECORD,
        }
    }

    /// Sets what every key begins with. Required: two applications must not share one.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how long one verb may take, the wait for a connection included. The default is 2 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many connections may be open at once. The default is 32.
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }

    /// Sets the largest record in bytes. The default is 64 KiB. The server's own limit (`-I`, 1 MiB) must be higher.
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Creates the store. It connects with the first call, so the server may still be down.
    ///
    /// # Errors
    /// [`BuildError`] naming what does not fit.
    pub fn open(self) -> Result<MemcachedStore, BuildError> {
        let address = self.address.strip_prefix("memcached://").ok_or(BuildError::Address)?;
        let (host, port) = address.rsplit_once(':').ok_or(BuildError::Address)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(BuildError::Address);
        }
        let printable = self.prefix.bytes().all(|byte| byte.is_ascii_graphic());
        if self.prefix.is_empty() || self.prefix.len() > 100 || !printable {
            return Err(BuildError::Prefix);
        }
        if self.connections == 0 || self.timeout.is_zero() {
            return Err(BuildError::Limits);
        }
        let link = Link::new(address.to_owned(), self.connections);
        let store = CasStore::new(Memcached { link, prefix: self.prefix });
        Ok(MemcachedStore { inner: store.timeout(self.timeout).max_record(self.max_record) })
    }
}
