//! How a store is set up: the endpoints, the prefix, the deadline, the limit of a record.

use std::sync::Mutex;
use std::time::Duration;

use http::uri::Authority;
use percent_encoding::percent_decode_str;
use session_core::store::DEFAULT_MAX_RECORD;
use session_store_kv::CasStore;

use crate::engine::Engine;
use crate::gateway::Gateway;
use crate::store::EtcdStore;

/// Configures an [`EtcdStore`]. Created by [`EtcdStore::builder`].
#[must_use]
pub struct EtcdStoreBuilder {
    url: String,
    prefix: String,
    timeout: Duration,
    max_record: usize,
}

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

impl EtcdStoreBuilder {
    pub(crate) fn new(url: String) -> Self {
        let timeout = Duration::from_secs(2);
        Self { url, prefix: String::new(), timeout, max_record: DEFAULT_MAX_RECORD }
    }

    /// Sets what every key begins with. Mandatory: two applications must not share one.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how long a call may take in all. The default is 2 seconds.
    ///
    /// With several endpoints, each is waited for an equal part of it.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the size of the largest record in bytes. The default is 64 KiB; etcd's own limit is 1.5 MiB for a request.
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Builds the store. It connects with the first call, so the cluster may still be down.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn open(self) -> Result<EtcdStore, BuildError> {
        let place = self.url.strip_prefix("etcd://").ok_or(BuildError::Url)?.trim_end_matches('/');
        let (login, hosts) =
            place.rsplit_once('@').map_or((None, place), |(login, hosts)| (Some(login), hosts));
        let login = login.map(|login| parse_login(login).ok_or(BuildError::Url)).transpose()?;
        let endpoints: Vec<String> = hosts.split(',').map(str::to_owned).collect();
        if !endpoints.iter().all(|endpoint| is_endpoint(endpoint)) {
            return Err(BuildError::Url);
        }
        let printable = self.prefix.bytes().all(|byte| byte.is_ascii_graphic());
        if self.prefix.is_empty() || self.prefix.len() > 100 || !printable {
            return Err(BuildError::Prefix);
        }
        if self.timeout.is_zero() {
            return Err(BuildError::Timeout);
        }
        let gateway = Gateway::new(endpoints, self.timeout, login);
        let engine = Engine { gateway, prefix: self.prefix, leases: Mutex::default() };
        let inner = CasStore::new(engine).timeout(self.timeout).max_record(self.max_record);
        Ok(EtcdStore { inner })
    }
}

fn parse_login(text: &str) -> Option<(String, String)> {
    let decode = |text| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    let (user, password) = text.split_once(':')?;
    Some((decode(user)?, decode(password)?))
}

fn is_endpoint(text: &str) -> bool {
    text.parse().is_ok_and(|place: Authority| !place.host().is_empty() && place.port_u16().is_some())
}
