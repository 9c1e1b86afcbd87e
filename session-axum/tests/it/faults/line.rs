//! The network between a site and its server, with a proxy before each process of the server.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use session_conformance::proxy::{Proxy, Weather};
use session_test_servers::{Kind, Server, start};

use super::site::Place;

/// The way to a server, good or bad.
pub(crate) struct Line {
    proxies: Vec<Proxy>,
    /// The store's URL by this way.
    pub(crate) url: String,
    _server: Option<Server>,
    _place: Option<Place>,
}

impl Line {
    pub(crate) async fn to(kind: Kind) -> Self {
        if kind == Kind::RedisCluster {
            return Self::to_cluster().await;
        }
        let place = Place::server(kind);
        let (_, rest) = place.url.split_once("://").unwrap();
        let host = rest.split('/').next().unwrap().rsplit('@').next().unwrap();
        let proxy = Proxy::start(host.parse().unwrap()).await.unwrap();
        let url = place.url.replace(host, &proxy.address().to_string());
        Self { proxies: vec![proxy], url, _server: None, _place: Some(place) }
    }

    /// The nodes of a cluster tell clients where they are, so these are made to name their proxies.
    async fn to_cluster() -> Self {
        let server = start(Kind::RedisCluster).unwrap();
        let mut proxies = Vec::new();
        for port in server.ports() {
            let proxy = Proxy::start(SocketAddr::from(([127, 0, 0, 1], port))).await.unwrap();
            let named = proxy.address().port().to_string();
            redis_cli(port, &["CONFIG", "SET", "cluster-announce-port", &named]);
            proxies.push(proxy);
        }
        let begun = Instant::now();
        let everybody_knows = || {
            server.ports().into_iter().all(|port| {
                let nodes = redis_cli(port, &["CLUSTER", "NODES"]);
                is_whole(port)
                    && proxies.iter().all(|proxy| nodes.contains(&format!(":{}@", proxy.address().port())))
            })
        };
        while !everybody_knows() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the nodes do not agree where they are");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let ports: Vec<u16> = proxies.iter().map(|proxy| proxy.address().port()).collect();
        Self { url: Kind::RedisCluster.url(&ports), proxies, _server: Some(server), _place: None }
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.proxies.iter().for_each(|proxy| proxy.set(weather));
    }

    /// Whether a cut that was asked for has happened somewhere.
    pub(crate) fn was_cut(&self) -> bool {
        self.proxies.iter().any(|proxy| proxy.weather() == Weather::Fine)
    }
}

/// Waits until a server that went on again says of itself that it serves: nodes of a cluster take their time.
pub(crate) async fn until_it_serves(server: &Server) {
    let begun = Instant::now();
    while server.kind() == Kind::RedisCluster && !server.ports().into_iter().all(is_whole) {
        assert!(begun.elapsed() < Duration::from_secs(60), "the cluster does not come together again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is_whole(port: u16) -> bool {
    redis_cli(port, &["CLUSTER", "INFO"]).contains("cluster_state:ok")
}

fn redis_cli(port: u16, words: &[&str]) -> String {
    let output = Command::new("redis-cli").args(["-p", &port.to_string()]).args(words).output().unwrap();
    assert!(output.status.success(), "redis-cli answers");
    String::from_utf8(output.stdout).unwrap()
}
