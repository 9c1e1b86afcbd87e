//! Starts the real servers that store tests talk to, on free loopback ports, and stops them by pid.
//!
//! A [`Server`] keeps everything in a temporary directory of its own, is killed when its value is dropped (a panicking
//! test drops it too), and does not outlive this process even if that one is killed with `kill -9`: the kernel is asked
//! to kill the server with it, and a small shell removes the directory. Linux only, and blocking: the calls start
//! processes and wait for them, which a test may do and an application must not.
//!
//! ```no_run
//! use session_test_servers::{Kind, start};
//!
//! let redis = start(Kind::Redis)?;
//! println!("{}", redis.url()); // redis://127.0.0.1:23456
//! redis.kill9();
//! redis.restart()?; // the same port, the same directory
//! # Ok::<(), session_test_servers::ServerError>(())
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(doctest)]
mod documents;
mod error;
mod launch;
mod node;
mod ports;
mod process;
mod server;
mod talk;

pub use error::ServerError;
pub use ports::{Port, claim_port};
pub use server::{Server, Shared, shared, start};

use std::fmt;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a promise: tests match on it, and a new server is news to all of them"
)]
pub enum Kind {
    /// One `redis-server` that keeps nothing on disk: what was written is gone after [`Server::kill9`].
    Redis,
    /// Three masters with one replica each, a node timeout of one second, nothing on disk.
    RedisCluster,
    /// Postgres 15, at least 200 connections, `pg_stat_statements` loaded and created.
    Postgres,
    /// MariaDB, at least 200 connections, an empty database `test`.
    MariaDb,
    /// A DynamoDB emulator (`dynoxide`) that keeps its tables in its directory.
    DynamoDb,
    /// One `memcached` of 64 MB: what was written is gone after [`Server::kill9`].
    Memcached,
    /// One `etcd` member of 3.4 or newer that keeps its data in its directory.
    Etcd,
}

impl Kind {
    /// Every kind, in the order of declaration.
    ///
    /// ```
    /// assert_eq!(session_test_servers::Kind::ALL.len(), 7);
    /// ```
    pub const ALL: [Self; 7] = [
        Self::Redis,
        Self::RedisCluster,
        Self::Postgres,
        Self::MariaDb,
        Self::DynamoDb,
        Self::Memcached,
        Self::Etcd,
    ];

    /// The environment variable that names a server already running, for [`shared`].
    ///
    /// ```
    /// assert_eq!(session_test_servers::Kind::MariaDb.variable(), "SESSION_TEST_MYSQL_URL");
    /// ```
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::Redis => "SESSION_TEST_REDIS_URL",
            Self::RedisCluster => "SESSION_TEST_REDIS_CLUSTER_URL",
            Self::Postgres => "SESSION_TEST_POSTGRES_URL",
            Self::MariaDb => "SESSION_TEST_MYSQL_URL",
            Self::DynamoDb => "SESSION_TEST_DYNAMODB_URL",
            Self::Memcached => "SESSION_TEST_MEMCACHED_URL",
            Self::Etcd => "SESSION_TEST_ETCD_URL",
        }
    }

    /// The URL of a server of this kind on these loopback ports.
    ///
    /// ```
    /// use session_test_servers::Kind;
    ///
    /// assert_eq!(Kind::RedisCluster.url(&[7001, 7002]), "redis-cluster://127.0.0.1:7001,127.0.0.1:7002");
    /// assert_eq!(Kind::Postgres.url(&[5432]), "postgres://postgres@127.0.0.1:5432/postgres");
    /// ```
    #[must_use]
    pub fn url(self, ports: &[u16]) -> String {
        let hosts: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let hosts = hosts.join(",");
        match self {
            Self::Redis => format!("redis://{hosts}"),
            Self::RedisCluster => format!("redis-cluster://{hosts}"),
            Self::Postgres => format!("postgres://postgres@{hosts}/postgres"),
            Self::MariaDb => format!("mysql://root@{hosts}/test"),
            Self::DynamoDb => format!("dynamodb://{hosts}/sessions"),
            Self::Memcached => format!("memcached://{hosts}"),
            Self::Etcd => format!("etcd://{hosts}"),
        }
    }

    /// The Debian packages, or the `cargo install` line, that bring this server.
    ///
    /// ```
    /// assert!(session_test_servers::Kind::Postgres.package().contains("postgresql-15"));
    /// ```
    #[must_use]
    pub fn package(self) -> &'static str {
        match self {
            Self::Redis | Self::RedisCluster => "the packages redis-server and redis-tools",
            Self::Postgres => "the package postgresql-15",
            Self::MariaDb => "the packages mariadb-server-core and mariadb-client",
            Self::Memcached => "the package memcached",
            Self::Etcd => "the package etcd-server",
            Self::DynamoDb => {
                "dynoxide (cargo install --locked dynoxide-rs@3.2.0 --no-default-features \
                 --features native-sqlite,http-server,cli --root target/tools)"
            }
        }
    }
}

/// The server's name, as in `the Postgres server`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis => "Redis",
            Self::RedisCluster => "Redis Cluster",
            Self::Postgres => "Postgres",
            Self::MariaDb => "MariaDB",
            Self::DynamoDb => "DynamoDB",
            Self::Memcached => "memcached",
            Self::Etcd => "etcd",
        })
    }
}
