//! The store's public type.

use session_store_kv::CasStore;

use crate::builder::Builder;
use crate::engine::Memcached;

/// Keeps sessions in one memcached server.
///
/// The crate's page says what each verb costs, and what an eviction means.
///
/// ```
/// use session_core::store::SessionStore as _;
/// use session_store_memcached::MemcachedStore;
///
/// let store = MemcachedStore::builder("memcached://127.0.0.1:11211").prefix("shop:").open()?;
/// assert_eq!(store.name(), "memcached");
/// # Ok::<(), session_store_memcached::BuildError>(())
/// ```
#[derive(Debug)]
pub struct MemcachedStore {
    pub(crate) inner: CasStore<Memcached>,
}

impl MemcachedStore {
    /// Starts the configuration of a store at `memcached://host:port`.
    pub fn builder(address: impl Into<String>) -> Builder {
        Builder::new(address.into())
    }
}

session_store_kv::delegate_session_store!(MemcachedStore, inner);
