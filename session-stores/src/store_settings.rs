//! The table of store settings: key in a file, environment variables, drivers that accept it, and parser.
//!
//! The environment, files, error messages and `docs/configuration.md` are all based on this table.

use crate::error::{Problem, SettingError};
use crate::reading::{
    CONNECTIONS, FLAG, NAME, PATIENCE, SIZE, connections, durability, endpoint, name, prefix, put, table,
};
use crate::settings::explain;
use crate::store_config::StoreConfig;
use crate::value::Value;

/// A store setting.
///
/// ```
/// use session_stores::STORE_SETTINGS;
///
/// let location = STORE_SETTINGS.iter().find(|setting| setting.variables == ["SESSION_FILE_LOCATION"]).unwrap();
/// assert_eq!((location.key, location.drivers), ("location", &["file"][..]));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct StoreSetting {
    /// The key in the table `[stores.NAME]` of a file.
    pub key: &'static str,
    /// The environment variables, which apply to the store that `SESSION_DRIVER` selects. The first one that is set is used.
    pub variables: &'static [&'static str],
    /// The drivers that accept it; empty means all.
    pub drivers: &'static [&'static str],
    /// The default, as text.
    pub default: &'static str,
    /// The accepted values.
    pub allowed: &'static str,
    /// What the setting does, in one sentence.
    pub about: &'static str,
    /// Whether the value is or may contain a secret.
    pub secret: bool,
    pub(crate) take: fn(&mut StoreConfig, &Value) -> Result<(), Problem>,
}

/// All store settings, in the order of the documentation.
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
                  redis-sentinel://host:port,host:port/service[/db] (feature redis-sentinel); user and password are \
                  percent-encoded, such as %23 for #",
        about: "The URL of Redis or Valkey.",
        secret: true,
        take: take_url,
    },
    StoreSetting {
        key: "url",
        variables: &["DATABASE_URL"],
        drivers: &["postgres", "mysql", "sqlite"],
        default: "none for postgres and mysql; sqlite:sessions.db for sqlite",
        allowed: "postgres://user:password@host:port/database, mysql://user:password@host:port/database, sqlite:PATH; \
                  user and password are percent-encoded, such as %23 for #",
        about: "The URL of the database.",
        secret: true,
        take: take_url,
    },
    StoreSetting {
        key: "url",
        variables: &["MEMCACHED_URL"],
        drivers: &["memcached"],
        default: "memcached://127.0.0.1:11211",
        allowed: "memcached://host:port",
        about: "The URL of memcached.",
        secret: true,
        take: take_url,
    },
    StoreSetting {
        key: "url",
        variables: &["ETCD_URL"],
        drivers: &["etcd"],
        default: "etcd://127.0.0.1:2379",
        allowed: "etcd://[user:password@]host:port, with further members as ,host:port; user and password are \
                  percent-encoded, such as %23 for #",
        about: "The URL of etcd.",
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
        allowed: "a dedicated directory on a local disk",
        about: "The directory of the file store.",
        secret: false,
        take: |config, value| put(&mut config.location, value.text().map(|path| Some(path.into()))),
    },
    StoreSetting {
        key: "prefix",
        variables: &["SESSION_PREFIX"],
        drivers: &["redis", "redis-cluster", "redis-sentinel", "memcached", "etcd", "dynamodb"],
        default: "app",
        allowed: "1 to 64 letters, digits, -, _ and . (a trailing : is removed)",
        about: "The prefix of every store key: a different one for each application on a server.",
        secret: false,
        take: |config, value| put(&mut config.prefix, prefix(value)),
    },
    StoreSetting {
        key: "table",
        variables: &["SESSION_TABLE"],
        drivers: &["postgres", "mysql", "sqlite", "dynamodb"],
        default: "sessions",
        allowed: "1 to 255 letters, digits, -, _ and .; \
                  for SQL a lower-case letter, then lower-case letters, digits and _, at most 40, for postgres and mysql \
                  with a schema before it if you like, as in auth.sessions",
        about: "The table that holds the sessions.",
        secret: false,
        take: |config, value| put(&mut config.table, table(value)),
    },
    StoreSetting {
        key: "timeout",
        variables: &["SESSION_STORE_TIMEOUT"],
        drivers: &[],
        default: "2s",
        allowed: PATIENCE,
        about: "The deadline of one store call, after which it is an error.",
        secret: false,
        take: |config, value| put(&mut config.timeout, value.patience()),
    },
    StoreSetting {
        key: "max_record",
        variables: &[],
        drivers: &[],
        default: "the value for the sessions",
        allowed: SIZE,
        about: "The maximum size of a record in this store.",
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
        about: "Whether to connect at start-up and create a missing table. `false` starts without the server, and leaves \
                the table to your own tools.",
        secret: false,
        take: |config, value| put(&mut config.prepare, value.flag()),
    },
    StoreSetting {
        key: "max_connections",
        variables: &["SESSION_MAX_CONNECTIONS"],
        drivers: &["postgres", "mysql", "sqlite", "memcached"],
        default: "10; 32 for memcached",
        allowed: CONNECTIONS,
        about: "The maximum number of connections to the server.",
        secret: false,
        take: |config, value| put(&mut config.max_connections, connections(value).map(Some)),
    },
    StoreSetting {
        key: "min_connections",
        variables: &["SESSION_MIN_CONNECTIONS"],
        drivers: &["postgres", "mysql", "sqlite"],
        default: "none",
        allowed: CONNECTIONS,
        about: "The number of connections kept open when idle; not more than `max_connections`.",
        secret: false,
        take: |config, value| put(&mut config.min_connections, connections(value)),
    },
    StoreSetting {
        key: "durability",
        variables: &["SESSION_DURABILITY"],
        drivers: &["file", "sqlite"],
        default: "power-cut",
        allowed: "power-cut or process-crash",
        about: "What an acknowledged write survives. `process-crash` does not wait for the disk, so a power cut may undo \
                the last writes, including sign-outs.",
        secret: false,
        take: |config, value| put(&mut config.durability, durability(value)),
    },
    StoreSetting {
        key: "concurrency",
        variables: &["SESSION_FILE_CONCURRENCY"],
        drivers: &["file"],
        default: "64",
        allowed: "1 to 10000",
        about: "The maximum number of concurrent reads, and of concurrent writes.",
        secret: false,
        take: |config, value| put(&mut config.concurrency, value.count_of(10_000)),
    },
    StoreSetting {
        key: "client_cache",
        variables: &["SESSION_CLIENT_CACHE"],
        drivers: &["redis", "redis-sentinel"],
        default: "none: every read goes to the server",
        allowed: "2 to 10000000",
        about: "The number of sessions cached in this process and invalidated by the server: reading an unchanged one \
                costs no round trip (feature redis-client-cache).",
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
        about: "The maximum number of sessions in memory; a further one evicts another, anonymous ones first.",
        secret: false,
        take: |config, value| put(&mut config.max_sessions, value.count_of(1_000_000_000)),
    },
    StoreSetting {
        key: "max_bytes",
        variables: &["SESSION_MAX_BYTES"],
        drivers: &["memory"],
        default: "1 GiB or a quarter of the memory, whichever is less",
        allowed: "1 to 1099511627776 bytes, such as 1073741824, 512 MiB",
        about: "The maximum memory of all sessions, in addition to `max_sessions`.",
        secret: false,
        take: |config, value| put(&mut config.max_bytes, value.size_in(1, 1 << 40).map(Some)),
    },
    StoreSetting {
        key: "shards",
        variables: &["SESSION_SHARDS"],
        drivers: &["memory"],
        default: "128; fewer for a few thousand sessions",
        allowed: "1 to 65536",
        about: "The number of shards of the memory store, each with its own lock.",
        secret: false,
        take: |config, value| put(&mut config.shards, value.count_of(65_536).map(Some)),
    },
    StoreSetting {
        key: "endpoint",
        variables: &["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"],
        drivers: &["dynamodb"],
        default: "none (required)",
        allowed: "http://HOST:PORT (for AWS itself, register the driver with your own client)",
        about: "The address of a server with DynamoDB's API.",
        secret: false,
        take: |config, value| put(&mut config.endpoint, endpoint(value).map(Some)),
    },
    StoreSetting {
        key: "region",
        variables: &["AWS_REGION", "AWS_DEFAULT_REGION"],
        drivers: &["dynamodb"],
        default: "us-east-1",
        allowed: NAME,
        about: "The AWS region.",
        secret: false,
        take: |config, value| put(&mut config.region, name(value)),
    },
    StoreSetting {
        key: "access_key_id",
        variables: &["AWS_ACCESS_KEY_ID"],
        drivers: &["dynamodb"],
        default: "local",
        allowed: "a string",
        about: "The id of the access key.",
        secret: true,
        take: |config, value| put(&mut config.access_key_id, value.text().map(|id| Some(id.to_owned()))),
    },
    StoreSetting {
        key: "secret_access_key",
        variables: &["AWS_SECRET_ACCESS_KEY"],
        drivers: &["dynamodb"],
        default: "local",
        allowed: "a string",
        about: "The secret of the access key.",
        secret: true,
        take: |config, value| put(&mut config.secret_access_key, value.text().map(|key| Some(key.into()))),
    },
    StoreSetting {
        key: "session_token",
        variables: &["AWS_SESSION_TOKEN"],
        drivers: &["dynamodb"],
        default: "none",
        allowed: "a string",
        about: "The session token of temporary credentials.",
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
