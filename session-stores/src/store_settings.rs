//! Every setting of one store, once: its key in a file, its variables, the drivers that know it, and how it is taken.
//!
//! The environment, files, error messages and the page `docs/configuration.md` all read this table.

use crate::error::{Problem, SettingError};
use crate::reading::{
    CONNECTIONS, FLAG, NAME, PATIENCE, SIZE, connections, durability, endpoint, name, prefix, put, table,
};
use crate::settings::explain;
use crate::store_config::StoreConfig;
use crate::value::Value;

/// A setting of one store.
///
/// ```
/// use session_stores::STORE_SETTINGS;
///
/// let location = STORE_SETTINGS.iter().find(|setting| setting.key == "location").unwrap();
/// assert_eq!((location.variables, location.drivers), (&["SESSION_FILE_LOCATION"][..], &["file"][..]));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct StoreSetting {
    /// Its key in the table `[stores.NAME]` of a file.
    pub key: &'static str,
    /// Its variables; of several that are set, the first counts. They speak of the store that `SESSION_DRIVER` chooses.
    pub variables: &'static [&'static str],
    /// The drivers that know it; none named: all.
    pub drivers: &'static [&'static str],
    /// What holds when nothing is said.
    pub default: &'static str,
    /// What it may be.
    pub allowed: &'static str,
    /// What it is for, in one sentence.
    pub about: &'static str,
    /// Whether its value is, or may hold, a secret.
    pub secret: bool,
    pub(crate) take: fn(&mut StoreConfig, &Value) -> Result<(), Problem>,
}

/// The settings of one store, in the order of the documentation.
///
/// ```
/// let mut redis = session_stores::STORE_SETTINGS.iter().filter(|setting| setting.drivers.contains(&"redis"));
/// assert!(redis.any(|setting| setting.variables == ["REDIS_URL"]));
/// ```
pub const STORE_SETTINGS: &[StoreSetting] = &[
    StoreSetting {
        key: "url",
        variables: &["REDIS_URL"],
        drivers: &["redis", "redis-cluster", "redis-sentinel"],
        default: "redis://127.0.0.1:6379 for redis; none for a cluster or sentinels",
        allowed: "redis://[user:password@]host[:port][/db], rediss://… (feature redis-tls), \
                  redis-cluster://host:port,host:port (feature redis-cluster), \
                  redis-sentinel://host:port,host:port/service[/db] (feature redis-sentinel)",
        about: "Where Redis or Valkey is.",
        secret: true,
        take: take_url,
    },
    StoreSetting {
        key: "url",
        variables: &["DATABASE_URL"],
        drivers: &["postgres", "mysql", "sqlite"],
        default: "none for postgres and mysql; sqlite:sessions.db for sqlite",
        allowed: "postgres://user:password@host:port/database, mysql://user:password@host:port/database, sqlite:PATH",
        about: "Where the database is.",
        secret: true,
        take: take_url,
    },
    StoreSetting {
        key: "url",
        variables: &["MEMCACHED_URL"],
        drivers: &["memcached"],
        default: "memcached://127.0.0.1:11211",
        allowed: "memcached://host:port",
        about: "Where memcached is.",
        secret: true,
        take: take_url,
    },
    StoreSetting {
        key: "url",
        variables: &["ETCD_URL"],
        drivers: &["etcd"],
        default: "etcd://127.0.0.1:2379",
        allowed: "etcd://[user:password@]host:port, with further members as ,host:port",
        about: "Where etcd is.",
        secret: true,
        take: take_url,
    },
    StoreSetting {
        key: "location",
        variables: &["SESSION_REDB_PATH"],
        drivers: &["redb"],
        default: "sessions.redb",
        allowed: "a file on a local disk, in a directory that exists",
        about: "The database file of the redb store. One process at a time opens it.",
        secret: false,
        take: |config, value| put(&mut config.location, value.text().map(|path| Some(path.into()))),
    },
    StoreSetting {
        key: "location",
        variables: &["SESSION_FILE_LOCATION"],
        drivers: &["file"],
        default: "sessions",
        allowed: "a directory of its own on a local disk",
        about: "Where the file store keeps its files.",
        secret: false,
        take: |config, value| put(&mut config.location, value.text().map(|path| Some(path.into()))),
    },
    StoreSetting {
        key: "prefix",
        variables: &["SESSION_PREFIX"],
        drivers: &["redis", "redis-cluster", "redis-sentinel", "memcached", "etcd", "dynamodb"],
        default: "app",
        allowed: "1 to 64 letters, digits, -, _ and . (a : at the end is dropped)",
        about: "What every key begins with: one for each application on a server.",
        secret: false,
        take: |config, value| put(&mut config.prefix, prefix(value)),
    },
    StoreSetting {
        key: "table",
        variables: &["SESSION_TABLE"],
        drivers: &["postgres", "mysql", "sqlite", "dynamodb"],
        default: "sessions",
        allowed: "1 to 255 letters, digits, -, _ and .; \
                  for SQL a lower-case letter, then lower-case letters, digits and _, at most 40",
        about: "The table sessions live in.",
        secret: false,
        take: |config, value| put(&mut config.table, table(value)),
    },
    StoreSetting {
        key: "timeout",
        variables: &["SESSION_STORE_TIMEOUT"],
        drivers: &[],
        default: "2s",
        allowed: PATIENCE,
        about: "How long one call of the store may take before it is an error.",
        secret: false,
        take: |config, value| put(&mut config.timeout, value.patience()),
    },
    StoreSetting {
        key: "max_record",
        variables: &[],
        drivers: &[],
        default: "as for the sessions",
        allowed: SIZE,
        about: "The largest record this store takes.",
        secret: false,
        take: |config, value| put(&mut config.max_record, value.size().map(Some)),
    },
    StoreSetting {
        key: "prepare",
        variables: &["SESSION_PREPARE"],
        drivers: &[
            "redis",
            "redis-cluster",
            "redis-sentinel",
            "memcached",
            "etcd",
            "postgres",
            "mysql",
            "sqlite",
            "dynamodb",
        ],
        default: "true",
        allowed: FLAG,
        about: "Contact the server at start-up: connect, and make the table if it is missing. `false` starts without \
                the server, and leaves the table to your own tools.",
        secret: false,
        take: |config, value| put(&mut config.prepare, value.flag()),
    },
    StoreSetting {
        key: "max_connections",
        variables: &["SESSION_MAX_CONNECTIONS"],
        drivers: &["postgres", "mysql", "sqlite", "memcached"],
        default: "10; 32 for memcached",
        allowed: CONNECTIONS,
        about: "The most connections to the server.",
        secret: false,
        take: |config, value| put(&mut config.max_connections, connections(value).map(Some)),
    },
    StoreSetting {
        key: "min_connections",
        variables: &["SESSION_MIN_CONNECTIONS"],
        drivers: &["postgres", "mysql", "sqlite"],
        default: "none",
        allowed: CONNECTIONS,
        about: "How many connections are kept when there is nothing to do; not more than `max_connections`.",
        secret: false,
        take: |config, value| put(&mut config.min_connections, connections(value)),
    },
    StoreSetting {
        key: "durability",
        variables: &["SESSION_DURABILITY"],
        drivers: &["file", "sqlite"],
        default: "power-cut",
        allowed: "power-cut or process-crash",
        about: "What an acknowledged write survives. `process-crash` waits for no disk, and a power cut may undo the \
                last moments, sign-outs among them.",
        secret: false,
        take: |config, value| put(&mut config.durability, durability(value)),
    },
    StoreSetting {
        key: "concurrency",
        variables: &["SESSION_FILE_CONCURRENCY"],
        drivers: &["file"],
        default: "64",
        allowed: "1 to 10000",
        about: "How many reads, and how many writes, may be at the disk at once.",
        secret: false,
        take: |config, value| put(&mut config.concurrency, value.count_of(10_000)),
    },
    StoreSetting {
        key: "client_cache",
        variables: &["SESSION_CLIENT_CACHE"],
        drivers: &["redis", "redis-sentinel"],
        default: "none: every read asks the server",
        allowed: "2 to 10000000",
        about: "So many sessions are kept in this process, with the server's help: reading an unchanged one costs no \
                round trip (feature redis-client-cache).",
        secret: false,
        take: |config, value| {
            let sessions = value.count_of(10_000_000).and_then(|sessions| match sessions {
                1 => Err(Problem::Refused),
                sessions => Ok(Some(sessions)),
            });
            put(&mut config.client_cache, sessions)
        },
    },
    StoreSetting {
        key: "max_sessions",
        variables: &["SESSION_MAX_SESSIONS"],
        drivers: &["memory"],
        default: "1000000",
        allowed: "1 to 1000000000",
        about: "The most sessions kept in memory; one more evicts one, anonymous ones first.",
        secret: false,
        take: |config, value| put(&mut config.max_sessions, value.count_of(1_000_000_000)),
    },
    StoreSetting {
        key: "max_bytes",
        variables: &["SESSION_MAX_BYTES"],
        drivers: &["memory"],
        default: "none",
        allowed: "1 to 1099511627776 bytes, as 1073741824, 512 MiB",
        about: "The most memory that sessions may take, beside `max_sessions`.",
        secret: false,
        take: |config, value| put(&mut config.max_bytes, value.size_in(1, 1 << 40).map(Some)),
    },
    StoreSetting {
        key: "shards",
        variables: &["SESSION_SHARDS"],
        drivers: &["memory"],
        default: "128, fewer for some thousand sessions",
        allowed: "1 to 65536",
        about: "Into how many parts, each with a lock of its own, the memory store divides its sessions.",
        secret: false,
        take: |config, value| put(&mut config.shards, value.count_of(65_536).map(Some)),
    },
    StoreSetting {
        key: "endpoint",
        variables: &["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"],
        drivers: &["dynamodb"],
        default: "none: it must be said",
        allowed: "http://HOST:PORT (for AWS itself, register the driver with your own client)",
        about: "Where a server is that speaks DynamoDB's API.",
        secret: false,
        take: |config, value| put(&mut config.endpoint, endpoint(value).map(Some)),
    },
    StoreSetting {
        key: "region",
        variables: &["AWS_REGION", "AWS_DEFAULT_REGION"],
        drivers: &["dynamodb"],
        default: "us-east-1",
        allowed: NAME,
        about: "The region.",
        secret: false,
        take: |config, value| put(&mut config.region, name(value)),
    },
    StoreSetting {
        key: "access_key_id",
        variables: &["AWS_ACCESS_KEY_ID"],
        drivers: &["dynamodb"],
        default: "local",
        allowed: "a text",
        about: "Who asks.",
        secret: true,
        take: |config, value| put(&mut config.access_key_id, value.text().map(|id| Some(id.to_owned()))),
    },
    StoreSetting {
        key: "secret_access_key",
        variables: &["AWS_SECRET_ACCESS_KEY"],
        drivers: &["dynamodb"],
        default: "local",
        allowed: "a text",
        about: "The secret of the one who asks.",
        secret: true,
        take: |config, value| put(&mut config.secret_access_key, value.text().map(|key| Some(key.into()))),
    },
    StoreSetting {
        key: "session_token",
        variables: &["AWS_SESSION_TOKEN"],
        drivers: &["dynamodb"],
        default: "none",
        allowed: "a text",
        about: "The token of a temporary access.",
        secret: true,
        take: |config, value| put(&mut config.session_token, value.text().map(|token| Some(token.into()))),
    },
];

impl StoreSetting {
    pub(crate) fn apply(
        &self,
        key: &str,
        config: &mut StoreConfig,
        value: &Value,
    ) -> Result<(), SettingError> {
        if value.is_empty_text() {
            return Err(SettingError::Empty { key: key.to_owned(), allowed: self.allowed.to_owned() });
        }
        (self.take)(config, value).map_err(|problem| explain(key, value, self.allowed, self.secret, problem))
    }

    pub(crate) fn is_for(&self, driver: &str) -> bool {
        self.drivers.is_empty() || self.drivers.contains(&driver)
    }
}

fn take_url(config: &mut StoreConfig, value: &Value) -> Result<(), Problem> {
    put(&mut config.url, value.text().map(|url| Some(url.into())))
}
