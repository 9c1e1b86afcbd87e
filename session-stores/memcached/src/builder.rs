//! How a store is set up: where the server is, the prefix, the deadline, the limits.

use std::time::Duration;

use session_core::store::DEFAULT_MAX_RECORD;

use crate::link::Link;
use crate::store::MemcachedStore;

/// Collects what a store needs. Made by [`MemcachedStore::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    address: String,
    prefix: String,
    timeout: Duration,
    connections: usize,
    max_record: usize,
}

/// Why a store was not made. Nothing was contacted.
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
    /// Two applications on one server must not meet.
    #[error("a prefix is needed: 1 to 100 printable ASCII characters, for example \"shop:\"")]
    Prefix,
    /// No call could ever be made.
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

    /// What every key begins with. Mandatory: two applications must not share one.
    ///
    /// ```
    /// # use session_store_memcached::MemcachedStore;
    /// let store = MemcachedStore::builder("memcached://127.0.0.1:11211").prefix("shop:").open()?;
    /// # Ok::<(), session_store_memcached::BuildError>(())
    /// ```
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long one verb may take in all, the wait for a connection included; 2 seconds unless said.
    ///
    /// ```
    /// # use session_store_memcached::{BuildError, MemcachedStore};
    /// # use std::time::Duration;
    /// let builder = MemcachedStore::builder("memcached://127.0.0.1:11211").prefix("shop:");
    /// assert!(builder.clone().timeout(Duration::from_millis(300)).open().is_ok());
    /// assert_eq!(builder.timeout(Duration::ZERO).open().unwrap_err(), BuildError::Limits);
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many connections may be open at once; 32 unless said.
    ///
    /// ```
    /// # use session_store_memcached::MemcachedStore;
    /// let builder = MemcachedStore::builder("memcached://127.0.0.1:11211").prefix("shop:");
    /// assert!(builder.connections(8).open().is_ok());
    /// ```
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }

    /// The largest record in bytes; 64 KiB unless said. The server's own limit (`-I`, 1 MiB) must be higher.
    ///
    /// ```
    /// # use session_core::store::SessionStore as _;
    /// # use session_store_memcached::MemcachedStore;
    /// let builder = MemcachedStore::builder("memcached://127.0.0.1:11211").prefix("shop:");
    /// assert_eq!(builder.max_record(16 * 1024).open()?.max_record(), 16_384);
    /// # Ok::<(), session_store_memcached::BuildError>(())
    /// ```
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Makes the store. It connects with the first call, so the server may still be down.
    ///
    /// # Errors
    /// [`BuildError`] naming what does not fit.
    ///
    /// ```
    /// use session_store_memcached::{BuildError, MemcachedStore};
    ///
    /// let nowhere = MemcachedStore::builder("memcached://127.0.0.1:11211").open();
    /// assert_eq!(nowhere.unwrap_err(), BuildError::Prefix);
    /// ```
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
        let link = Link::new(address.to_owned(), self.timeout, self.connections);
        Ok(MemcachedStore { link, prefix: self.prefix, max_record: self.max_record })
    }
}
