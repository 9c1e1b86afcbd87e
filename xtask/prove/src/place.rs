//! Where the store under trial is: a directory, or a server of its own behind a proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use session_conformance::proxy::Proxy;
use session_core::store::SessionStore;
use session_stores::StoreConfig;
use session_test_servers::{Kind, Server, start};
use tempfile::TempDir;

use crate::Failure;

/// A store that several processes can open by its URL.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) server: Option<Server>,
    pub(crate) proxy: Option<Proxy>,
    /// Whether the server still has every acknowledged write after `kill -9`.
    pub(crate) survives_a_kill: bool,
    /// Whether several processes may use it at once.
    pub(crate) is_shared: bool,
    /// Whether the data survives the processes that use it.
    pub(crate) outlives_clients: bool,
    _directory: TempDir,
}

/// Opens the store in a process of the trial.
pub(crate) async fn open(url: &str, prepare: bool) -> Result<Arc<dyn SessionStore>, Failure> {
    let mut config = StoreConfig::from_url(url)?;
    config.timeout = DEADLINE;
    config.prepare = prepare;
    config.durability = session_stores::Durability::ProcessCrash;
    Ok(session_stores::open(&config).await?)
}

impl Place {
    pub(crate) async fn of(store: &str) -> Result<Self, Failure> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().display();
        let kind = match store {
            "memory" => None,
            "file" | "sqlite" | "redb" => None,
            "redis" => Some(Kind::Redis),
            "redis-cluster" => Some(Kind::RedisCluster),
            "memcached" => Some(Kind::Memcached),
            "etcd" => Some(Kind::Etcd),
            "dynamodb" => Some(Kind::DynamoDb),
            "postgres" => Some(Kind::Postgres),
            "mysql" => Some(Kind::MariaDb),
            _ => return Err(format!("there is no store `{store}`").into()),
        };
        let Some(kind) = kind else {
            let url = match store {
                "memory" => "memory".to_owned(),
                "file" => format!("file:{path}/sessions"),
                "sqlite" => format!("sqlite:{path}/sessions.db"),
                _ => format!("redb:{path}/sessions.redb"),
            };
            return Ok(Self {
                url,
                server: None,
                proxy: None,
                survives_a_kill: false,
                is_shared: matches!(store, "file" | "sqlite"),
                outlives_clients: store != "memory",
                _directory: directory,
            });
        };
        let server = tokio::task::spawn_blocking(move || start(kind)).await??;
        // The nodes of a cluster tell their own addresses, which lead around a proxy.
        let proxy = match kind {
            Kind::RedisCluster => None,
            _ => Some(Proxy::start(SocketAddr::from(([127, 0, 0, 1], server.port()))).await?),
        };
        let url = proxy.as_ref().map_or_else(|| server.url(), |proxy| kind.url(&[proxy.address().port()]));
        Ok(Self {
            url,
            survives_a_kill: matches!(kind, Kind::Postgres | Kind::MariaDb | Kind::Etcd | Kind::DynamoDb),
            server: Some(server),
            proxy,
            is_shared: true,
            outlives_clients: true,
            _directory: directory,
        })
    }
}

/// Of each call.
const DEADLINE: Duration = Duration::from_millis(400);
