//! The servers that are measured: an adapter or another library, with a store.

use std::path::Path;

use session_test_servers::{Kind, Server as Store};

/// A server to measure.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// The crate that binds sessions to the framework.
    pub(super) library: &'static str,
    /// The bare server that it is compared with, an adapter of the probe.
    pub(super) bare: &'static str,
    /// Where its sessions are, as the table names it.
    pub(super) store: &'static str,
    /// The program to start.
    pub(super) program: String,
    /// Its arguments, without the address.
    pub(super) arguments: Vec<String>,
    /// The process of the store's server, if it has one.
    pub(super) store_process: Option<u32>,
    /// Whether writers of one session meet in a store; not so in a cookie, where each response replaces the last.
    pub(super) shared: bool,
}

/// The three adapters, in memory and in the cookie.
pub(super) fn ours() -> Vec<Subject> {
    let adapters = [("session-axum", "axum"), ("session-actix", "actix"), ("session-hyper", "hyper")];
    adapters
        .into_iter()
        .flat_map(|(library, adapter)| {
            [
                Subject::ours(library, adapter, "memory", "memory"),
                Subject::ours(library, adapter, "cookie", "cookie"),
            ]
        })
        .collect()
}

/// The same with the probe of another version beside each, in the same run.
pub(super) fn ours_and_another(program: &str) -> Vec<Subject> {
    let pair = |subject: Subject| {
        let another = Subject { library: "another version", program: program.to_owned(), ..subject.clone() };
        [subject, another]
    };
    ours().into_iter().flat_map(pair).collect()
}

/// Every store, on axum.
pub(super) fn stores(servers: &[Store], directory: &Path) -> Vec<Subject> {
    let axum = |store, argument: &str| Subject::ours("session-axum", "axum", store, argument);
    let at = |name: &str| directory.join(name).display().to_string();
    let mut subjects = vec![
        axum("memory", "memory"),
        axum("cookie", "cookie"),
        axum("SQLite", &format!("sqlite:{}", at("sqlite.db"))),
        axum("redb", &format!("redb:{}", at("redb"))),
        axum("files", &format!("file:{}", at("files"))),
    ];
    for server in servers {
        let name = match server.kind() {
            Kind::Redis => "Redis",
            Kind::RedisCluster => "Redis Cluster",
            Kind::Postgres => "Postgres",
            Kind::MariaDb => "MariaDB",
            Kind::DynamoDb => "DynamoDB API",
            Kind::Memcached => "memcached",
            Kind::Etcd => "etcd",
        };
        subjects.push(axum(name, &server.url()).served_by(server));
        if server.kind() == Kind::Redis {
            subjects.push(axum("Redis, near cache", &server.url()).near_cache().served_by(server));
        }
    }
    subjects
}

/// The peers, and the same requests here: in memory, in a sealed cookie, in Redis.
pub(super) fn peers(servers: &[Store]) -> Vec<Subject> {
    let mut subjects = vec![
        Subject::peer("tower-sessions", "axum", "memory", "memory"),
        Subject::peer("axum-session", "axum", "memory", "memory"),
        Subject::ours("session-axum", "axum", "memory", "memory"),
        Subject::ours("session-actix", "actix", "memory", "memory"),
        Subject::peer("actix-session", "actix", "cookie", "cookie"),
        Subject::ours("session-axum", "axum", "cookie", "cookie"),
        Subject::ours("session-actix", "actix", "cookie", "cookie"),
    ];
    for server in servers {
        let url = server.url();
        let redis = [
            Subject::peer("tower-sessions", "axum", "Redis", &url),
            Subject::peer("axum-session", "axum", "Redis", &url),
            Subject::peer("actix-session", "actix", "Redis", &url),
            Subject::ours("session-axum", "axum", "Redis", &url),
            Subject::ours("session-actix", "actix", "Redis", &url),
            Subject::ours("session-axum", "axum", "Redis, near cache", &url).near_cache(),
            Subject::ours("session-actix", "actix", "Redis, near cache", &url).near_cache(),
        ];
        subjects.extend(redis.map(|subject| subject.served_by(server)));
    }
    subjects
}

/// The same server without sessions.
pub(super) fn bare(framework: &'static str) -> Subject {
    let mut subject = Subject::ours("none", framework, "memory", "memory");
    subject.arguments[1] = format!("none-{framework}");
    subject
}

impl Subject {
    fn ours(library: &'static str, adapter: &'static str, store: &'static str, argument: &str) -> Self {
        Self {
            library,
            bare: adapter,
            store,
            program: "target/release/probe".to_owned(),
            arguments: ["--adapter", adapter, "--store", argument, "--threads", "1"]
                .map(str::to_owned)
                .to_vec(),
            store_process: None,
            shared: argument != "cookie",
        }
    }

    fn peer(library: &'static str, bare: &'static str, store: &'static str, argument: &str) -> Self {
        Self {
            library,
            bare,
            store,
            program: "xtask/peers/target/release/peers".to_owned(),
            arguments: ["--library", library, "--store", argument].map(str::to_owned).to_vec(),
            store_process: None,
            shared: argument != "cookie",
        }
    }

    /// The URL of its store.
    pub(super) fn url(&self) -> &str {
        &self.arguments[3]
    }

    fn near_cache(mut self) -> Self {
        self.arguments.extend(["--near-cache", "10000"].map(str::to_owned));
        self
    }

    fn served_by(mut self, server: &Store) -> Self {
        self.store_process = server.pid();
        self
    }
}
