//! Opens the stores of the built-in drivers whose features are enabled.

use std::pin::Pin;
use std::sync::Arc;

use session_core::store::{DEFAULT_MAX_RECORD, SessionStore};
use session_store_memory::MemoryStore;

use crate::drivers::Cause;
use crate::error::SettingError;
use crate::place::place_of;
#[cfg(any(
    feature = "redis",
    feature = "memcached",
    feature = "etcd",
    feature = "postgres",
    feature = "mysql",
    feature = "sqlite"
))]
use crate::place::{bad_url, url};
use crate::store_config::StoreConfig;

/// All built-in drivers, whether compiled in or not.
pub(crate) const BUILT_IN: [&str; 13] = [
    "cookie",
    "memory",
    "file",
    "redb",
    "redis",
    "redis-cluster",
    "redis-sentinel",
    "memcached",
    "etcd",
    "dynamodb",
    "postgres",
    "mysql",
    "sqlite",
];

pub(crate) async fn open_built_in(config: &StoreConfig) -> Result<Arc<dyn SessionStore>, SettingError> {
    let max_record = config.max_record.unwrap_or(DEFAULT_MAX_RECORD);
    // Each future is boxed: combined, the drivers' futures would exceed the compiler's recursion limit in
    // applications.
    let opening: BoxFuture<'_> = match config.driver.as_str() {
        "cookie" => return Err(SettingError::NoStore),
        "memory" => {
            let mut builder = MemoryStore::builder().max_sessions(config.max_sessions).max_record(max_record);
            if let Some(most) = config.max_bytes {
                builder = builder.max_bytes(most);
            }
            if let Some(shards) = config.shards {
                builder = builder.shards(shards);
            }
            return Ok(Arc::new(builder.build()));
        }
        "file" => return file(config, max_record),
        "redb" => return redb(config, max_record),
        // The scheme of the URL also selects one of the three drivers.
        "redis" => match place_of(config) {
            Some("redis-cluster") => Box::pin(cluster(config, max_record)),
            Some("redis-sentinel") => Box::pin(sentinel(config, max_record)),
            _ => Box::pin(redis(config, max_record)),
        },
        "redis-cluster" => Box::pin(cluster(config, max_record)),
        "redis-sentinel" => Box::pin(sentinel(config, max_record)),
        "memcached" => Box::pin(memcached(config, max_record)),
        "etcd" => Box::pin(etcd(config, max_record)),
        "dynamodb" => Box::pin(dynamodb(config, max_record)),
        "postgres" => Box::pin(postgres(config, max_record)),
        "mysql" => Box::pin(mysql(config, max_record)),
        "sqlite" => Box::pin(sqlite(config, max_record)),
        other => {
            return Err(SettingError::UnknownDriver {
                driver: other.to_owned(),
                allowed: BUILT_IN.join(", "),
            });
        }
    };
    opening.await
}

type BoxFuture<'a> = Pin<Box<dyn Future<Output = Result<Arc<dyn SessionStore>, SettingError>> + Send + 'a>>;

#[cfg(feature = "file")]
fn file(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    use crate::store_config::Durability;

    let location = config.location.as_deref().unwrap_or("sessions".as_ref());
    let store = session_store_file::FileStore::builder(location)
        .timeout(config.timeout)
        .max_record(max_record)
        .concurrency(config.concurrency)
        .durability(match config.durability {
            Durability::PowerCut => session_store_file::Durability::Full,
            Durability::ProcessCrash => session_store_file::Durability::Rename,
        });
    Ok(Arc::new(store.open().map_err(|error| failed(config, error))?))
}

#[cfg(feature = "redb")]
fn redb(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    let location = config.location.as_deref().unwrap_or("sessions.redb".as_ref());
    let store = session_store_redb::RedbStore::builder(location)
        .timeout(config.timeout)
        .max_record(max_record)
        .open()
        .map_err(|error| failed(config, error))?;
    Ok(Arc::new(store))
}

#[cfg(feature = "redis")]
async fn redis(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    let url = url(config, "redis", Some("redis://127.0.0.1:6379"))?;
    one_redis(session_store_redis::RedisStore::builder(url), "redis", config, max_record).await
}

#[cfg(feature = "redis-sentinel")]
async fn sentinel(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    let url = url(config, "redis-sentinel", None)?;
    one_redis(session_store_redis::RedisStore::sentinel(url), "redis-sentinel", config, max_record).await
}

/// Finishes a builder for a single server, given directly or found through sentinels.
#[cfg(feature = "redis")]
async fn one_redis(
    builder: session_store_redis::Builder,
    driver: &str,
    config: &StoreConfig,
    max_record: usize,
) -> Result<Arc<dyn SessionStore>, SettingError> {
    use session_store_redis::BuildError;

    let builder =
        builder.prefix(format!("{}:", config.prefix)).timeout(config.timeout).max_record(max_record);
    #[cfg(feature = "redis-client-cache")]
    let builder = match config.client_cache {
        Some(sessions) => builder.client_cache(sessions),
        None => builder,
    };
    #[cfg(not(feature = "redis-client-cache"))]
    if config.client_cache.is_some() {
        let driver = format!("{driver} with client_cache (SESSION_CLIENT_CACHE)");
        return Err(SettingError::NotCompiled { driver, feature: "redis-client-cache" });
    }
    let store = if config.prepare { builder.connect().await } else { builder.open() };
    Ok(Arc::new(store.map_err(|error| match error {
        BuildError::Url | BuildError::SentinelUrl => bad_url(driver),
        error => failed(config, error),
    })?))
}

#[cfg(feature = "memcached")]
async fn memcached(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    use session_store_memcached::{BuildError, MemcachedStore};

    let mut builder = MemcachedStore::builder(url(config, "memcached", Some("memcached://127.0.0.1:11211"))?)
        .prefix(format!("{}:", config.prefix))
        .timeout(config.timeout)
        .max_record(max_record);
    if let Some(most) = config.max_connections {
        builder = builder.connections(usize::try_from(most).unwrap_or(usize::MAX));
    }
    let store = builder.open().map_err(|error| match error {
        BuildError::Address => bad_url("memcached"),
        error => failed(config, error),
    })?;
    reached(config, store).await
}

#[cfg(feature = "etcd")]
async fn etcd(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    use session_store_etcd::{BuildError, EtcdStore};

    let builder = EtcdStore::builder(url(config, "etcd", Some("etcd://127.0.0.1:2379"))?)
        .prefix(format!("{}/", config.prefix))
        .timeout(config.timeout)
        .max_record(max_record);
    let store = builder.open().map_err(|error| match error {
        BuildError::Url => bad_url("etcd"),
        error => failed(config, error),
    })?;
    reached(config, store).await
}

/// Makes a call, if the configuration asks for it, so that a wrong address or password is detected at start-up.
#[cfg(any(feature = "memcached", feature = "etcd"))]
async fn reached(
    config: &StoreConfig,
    store: impl SessionStore + 'static,
) -> Result<Arc<dyn SessionStore>, SettingError> {
    if config.prepare {
        let unused = session_core::store::StoreKey::from_bytes([0; 32]);
        store.load(&unused).await.map_err(|error| failed(config, error))?;
    }
    Ok(Arc::new(store))
}

#[cfg(feature = "redis-cluster")]
async fn cluster(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    use session_store_redis::{BuildError, RedisClusterStore};

    let builder = RedisClusterStore::builder(url(config, "redis-cluster", None)?)
        .prefix(format!("{}:", config.prefix))
        .timeout(config.timeout)
        .max_record(max_record);
    let store = if config.prepare { builder.connect().await } else { builder.open() };
    Ok(Arc::new(store.map_err(|error| match error {
        BuildError::ClusterUrl => bad_url("redis-cluster"),
        error => failed(config, error),
    })?))
}

#[cfg(feature = "dynamodb")]
async fn dynamodb(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    use session_store_dynamodb::DynamoDbStore;
    use session_store_dynamodb::aws_sdk_dynamodb::Client;
    use session_store_dynamodb::aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};

    let Some(endpoint) = config.endpoint.clone() else {
        return Err(SettingError::Missing {
            key: "endpoint (AWS_ENDPOINT_URL_DYNAMODB)".to_owned(),
            allowed:
                "http://HOST:PORT; for AWS itself, register the driver \"dynamodb\" with your own client"
                    .to_owned(),
        });
    };
    let secret = |secret: &Option<crate::Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    let credentials = Credentials::new(
        config.access_key_id.as_deref().unwrap_or("local"),
        secret(&config.secret_access_key).unwrap_or_else(|| "local".to_owned()),
        secret(&config.session_token),
        None,
        "session-stores",
    );
    let client = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(config.region.clone()))
        .endpoint_url(endpoint)
        .credentials_provider(credentials)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    let store = DynamoDbStore::new(Client::from_conf(client.build()), config.table.clone())
        .prefix(config.prefix.clone())
        .deadline(config.timeout)
        .max_record(max_record)
        .build()
        .map_err(|error| failed(config, error))?;
    if config.prepare {
        store.create_table().await.map_err(|error| failed(config, error))?;
    }
    Ok(Arc::new(store))
}

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
fn sql(config: &StoreConfig, max_record: usize) -> Result<session_store_sql::SqlConfig, SettingError> {
    let sql =
        session_store_sql::SqlConfig::new().table(&config.table).map_err(|_| SettingError::Refused {
            key: "table (SESSION_TABLE)".to_owned(),
            value: format!("{:?}", config.table),
            allowed: "a lower-case letter, then lower-case letters, digits and _, at most 40 in all"
                .to_owned(),
        })?;
    let most = config.max_connections.unwrap_or(10);
    if config.min_connections > most {
        return Err(SettingError::Refused {
            key: "min_connections (SESSION_MIN_CONNECTIONS)".to_owned(),
            value: config.min_connections.to_string(),
            allowed: format!("at most max_connections (SESSION_MAX_CONNECTIONS), which is {most}"),
        });
    }
    Ok(sql
        .deadline(config.timeout)
        .max_connections(most)
        .min_connections(config.min_connections)
        .max_record(max_record))
}

/// Defines the functions for database servers, which differ only by the type of the store.
macro_rules! sql_servers {
    ($($driver:literal $name:ident $store:ident;)*) => {$(
        #[cfg(feature = $driver)]
        async fn $name(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
            use session_store_sql::{SqlConfigError, $store};

            let opened = $store::open(&url(config, $driver, None)?, &sql(config, max_record)?);
            let store = opened.map_err(|error| match error {
                SqlConfigError::Url { .. } => bad_url($driver),
                error => failed(config, error),
            })?;
            if config.prepare {
                store.migrate().await.map_err(|error| failed(config, error))?;
            }
            Ok(Arc::new(store))
        }
    )*};
}

sql_servers! {
    "postgres" postgres PostgresStore;
    "mysql" mysql MySqlStore;
}

#[cfg(feature = "sqlite")]
async fn sqlite(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    use crate::store_config::Durability;

    let url = url(config, "sqlite", Some("sqlite:sessions.db"))?;
    let path = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    // A question mark would start options, which are not supported; `:memory:` would be a separate store for each
    // connection.
    let path = path.filter(|path| !path.is_empty() && !path.contains('?') && *path != ":memory:");
    let path = path.ok_or_else(|| bad_url("sqlite"))?;
    let durability = match config.durability {
        Durability::PowerCut => session_store_sql::Durability::PowerCut,
        Durability::ProcessCrash => session_store_sql::Durability::ProcessCrash,
    };
    let opened = session_store_sql::SqliteStore::open_with(path, &sql(config, max_record)?, durability);
    let store = opened.map_err(|error| match error {
        session_store_sql::SqlConfigError::Schema => SettingError::Refused {
            key: "table (SESSION_TABLE)".to_owned(),
            value: format!("{:?}", config.table),
            allowed: "for the driver sqlite, which has no schemas, a name without a dot".to_owned(),
        },
        error => failed(config, error),
    })?;
    if config.prepare {
        store.migrate().await.map_err(|error| failed(config, error))?;
    }
    Ok(Arc::new(store))
}

#[allow(dead_code, reason = "without any store's feature, opening cannot fail")]
fn failed(config: &StoreConfig, error: impl Into<Cause>) -> SettingError {
    SettingError::Store { driver: config.driver.clone(), source: error.into() }
}

/// Defines a placeholder for each store whose feature is disabled.
macro_rules! absent {
    ($($feature:literal $name:ident ($($wait:ident)?);)*) => {$(
        #[cfg(not(feature = $feature))]
        $($wait)? fn $name(config: &StoreConfig, _: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
            Err(SettingError::NotCompiled { driver: config.driver.clone(), feature: $feature })
        }
    )*};
}

absent! {
    "file" file ();
    "redb" redb ();
    "redis" redis (async);
    "redis-cluster" cluster (async);
    "redis-sentinel" sentinel (async);
    "memcached" memcached (async);
    "etcd" etcd (async);
    "dynamodb" dynamodb (async);
    "postgres" postgres (async);
    "mysql" mysql (async);
    "sqlite" sqlite (async);
}
