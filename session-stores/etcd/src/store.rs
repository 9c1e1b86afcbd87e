//! The store that applications hold, and its builder: the endpoints, the prefix, the deadline, the limit of a record.

use http::uri::Authority;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use session_store_kv::{CasStore, Limits, Prefix};

use crate::engine::Engine;
use crate::gateway::Gateway;

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
    inner: CasStore<Engine>,
}

session_store_kv::delegate_session_store!(EtcdStore, inner);

impl EtcdStore {
    /// Begins a store at `etcd://[user:password@]host:port[,host:port]`.
    pub fn builder(url: impl Into<String>) -> EtcdStoreBuilder {
        EtcdStoreBuilder { url: url.into(), prefix: String::new(), limits: Limits::default() }
    }
}

/// Configures an [`EtcdStore`]. Created by [`EtcdStore::builder`].
///
/// With several endpoints, each is waited for an equal part of the timeout. etcd's own limit is 1.5 MiB for a request.
#[must_use]
pub struct EtcdStoreBuilder {
    url: String,
    prefix: String,
    limits: Limits,
}

impl EtcdStoreBuilder {
    /// Sets what every key begins with. Mandatory: two applications must not share one.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Builds the store. It connects with the first call, so the cluster may still be down.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn open(self) -> Result<EtcdStore, BuildError> {
        let (login, endpoints) = parse_url(&self.url).ok_or(BuildError::Url)?;
        let prefix = Prefix::new(self.prefix).ok_or(BuildError::Prefix)?;
        if self.limits.timeout.is_zero() {
            return Err(BuildError::Timeout);
        }
        let gateway = Gateway::new(endpoints, self.limits.timeout, login);
        Ok(EtcdStore { inner: CasStore::new(Engine::new(gateway, prefix)).limits(self.limits) })
    }
}

session_store_kv::limit_setters!(EtcdStoreBuilder, limits);

/// Why a store was not built. Nothing was contacted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The URL has another form, or an endpoint without a port.
    #[error("the address is not of the form etcd://[user:password@]host:port[,host:port]")]
    Url,
    /// Two applications in one cluster must not share keys.
    #[error("a prefix is needed: 1 to 100 printable ASCII characters, for example \"shop/\"")]
    Prefix,
    /// No call could succeed.
    #[error("the timeout must be above zero")]
    Timeout,
}

/// Returns the body of etcd's login request, if the URL has a user, and the endpoints.
fn parse_url(url: &str) -> Option<(Option<Value>, Vec<Authority>)> {
    let place = url.strip_prefix("etcd://")?.trim_end_matches('/');
    let (login, hosts) = match place.rsplit_once('@') {
        Some((login, hosts)) => (Some(parse_login(login)?), hosts),
        None => (None, place),
    };
    let is_complete = |place: &Authority| !place.host().is_empty() && place.port_u16().is_some();
    let endpoints = hosts.split(',').map(|host| host.parse().ok().filter(is_complete));
    Some((login, endpoints.collect::<Option<_>>()?))
}

fn parse_login(text: &str) -> Option<Value> {
    let (user, password) = text.split_once(':')?;
    let decode = |text| percent_decode_str(text).decode_utf8().ok();
    Some(json!({"name": decode(user)?, "password": decode(password)?}))
}
