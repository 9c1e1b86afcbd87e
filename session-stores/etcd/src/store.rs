//! The store that applications hold.

use session_store_kv::CasStore;

use crate::builder::EtcdStoreBuilder;
use crate::engine::Engine;

/// Keeps sessions in an etcd cluster.
///
/// A clone is another handle on the same store. It needs a Tokio runtime with timers and I/O.
///
/// ```
/// use session_core::store::SessionStore as _;
/// use session_store_etcd::EtcdStore;
///
/// let store = EtcdStore::builder("etcd://127.0.0.1:2379").prefix("shop/").open()?;
/// assert_eq!(store.name(), "etcd");
/// # Ok::<(), session_store_etcd::BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct EtcdStore {
    pub(crate) inner: CasStore<Engine>,
}

impl EtcdStore {
    /// Begins a store at `etcd://[user:password@]host:port[,host:port]`.
    pub fn builder(url: impl Into<String>) -> EtcdStoreBuilder {
        EtcdStoreBuilder::new(url.into())
    }
}

session_store_kv::delegate_session_store!(EtcdStore, inner);
