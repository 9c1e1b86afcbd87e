//! The builder: the server's address, the prefix, the timeout, the limits.

use session_store_kv::{CasStore, Limits, Prefix, Turns};

use crate::engine::Memcached;
use crate::link::Link;
use crate::store::MemcachedStore;

/// Configures a store. Created by [`MemcachedStore::builder`].
///
/// The server's own limit for an item (`-I`, 1 MiB) must be above that for a record.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    address: String,
    prefix: String,
    connections: usize,
    limits: Limits,
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
        Self { address, prefix: String::new(), connections: 32, limits: Limits::default() }
    }

    /// Sets what every key begins with. Required: two applications must not share one.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how many connections may be open at once. The default is 32.
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most;
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
        let prefix = Prefix::new(self.prefix).ok_or(BuildError::Prefix)?;
        if self.connections == 0 || self.limits.timeout.is_zero() {
            return Err(BuildError::Limits);
        }
        let link = Link::new(address.to_owned(), self.connections);
        let engine = Memcached { link, prefix, turns: Turns::default() };
        Ok(MemcachedStore { inner: CasStore::new(engine).limits(self.limits) })
    }
}

session_store_kv::limit_setters!(Builder, limits);
