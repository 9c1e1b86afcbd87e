//! Opens the stores of the built-in drivers, each where its feature is compiled in.

use std::pin::Pin;
use std::sync::Arc;

use session_core::{DEFAULT_MAX_RECORD, SessionStore};
use session_store_memory::MemoryStore;

use crate::drivers::Cause;
use crate::error::SettingError;
use crate::store_config::{StoreConfig, driver_of};

/// The drivers there are, compiled in or not.
pub(crate) const BUILT_IN: [&str; 9] =
    ["cookie", "memory", "file", "redis", "redis-cluster", "dynamodb", "postgres", "mysql", "sqlite"];

pub(crate) async fn open_built_in(config: &StoreConfig) -> Result<Arc<dyn SessionStore>, SettingError> {
    let max_record = config.max_record.unwrap_or(DEFAULT_MAX_RECORD);
    // Boxed one by one: together, the drivers' futures nest more deeply than a compiler follows in an application.
    let opening: BoxFuture<'_> = match config.driver.as_str() {
        "cookie" => return Err(SettingError::NoStore),
        "memory" => {
            let builder = MemoryStore::builder().max_sessions(config.max_sessions).max_record(max_record);
            return Ok(Arc::new(builder.build()));
        }
        "file" => return file(config, max_record),
        "redis" if driver_of(scheme(config)) == Some("redis-cluster") => {
            Box::pin(cluster(config, max_record))
        }
        "redis" => Box::pin(redis(config, max_record)),
        "redis-cluster" => Box::pin(cluster(config, max_record)),
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
    let location = config.location.as_deref().unwrap_or("sessions".as_ref());
    let store =
        session_store_file::FileStore::builder(location).timeout(config.timeout).max_record(max_record);
    Ok(Arc::new(store.open().map_err(|error| failed(config, error))?))
}

#[cfg(feature = "redis")]
async fn redis(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    use session_store_redis::{BuildError, RedisStore};

    let url = url(config, "redis", Some("redis://127.0.0.1:6379"))?;
    let builder = RedisStore::builder(url)
        .prefix(format!("{}:", config.prefix))
        .timeout(config.timeout)
        .max_record(max_record);
    let store = if config.prepare { builder.connect().await } else { builder.open() };
    Ok(Arc::new(store.map_err(|error| match error {
        BuildError::Url => bad_url("redis"),
        error => failed(config, error),
    })?))
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
    Ok(sql.deadline(config.timeout).max_connections(config.max_connections).max_record(max_record))
}

#[cfg(feature = "postgres")]
async fn postgres(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    use session_store_sql::{PostgresStore, SqlConfigError};

    let opened = PostgresStore::open(&url(config, "postgres", None)?, &sql(config, max_record)?);
    let store = opened.map_err(|error| match error {
        SqlConfigError::Url { .. } => bad_url("postgres"),
        error => failed(config, error),
    })?;
    if config.prepare {
        store.migrate().await.map_err(|error| failed(config, error))?;
    }
    Ok(Arc::new(store))
}

#[cfg(feature = "mysql")]
async fn mysql(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    use session_store_sql::{MySqlStore, SqlConfigError};

    let opened = MySqlStore::open(&url(config, "mysql", None)?, &sql(config, max_record)?);
    let store = opened.map_err(|error| match error {
        SqlConfigError::Url { .. } => bad_url("mysql"),
        error => failed(config, error),
    })?;
    if config.prepare {
        store.migrate().await.map_err(|error| failed(config, error))?;
    }
    Ok(Arc::new(store))
}

#[cfg(feature = "sqlite")]
async fn sqlite(config: &StoreConfig, max_record: usize) -> Result<Arc<dyn SessionStore>, SettingError> {
    let url = url(config, "sqlite", Some("sqlite:sessions.db"))?;
    let path = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    // A question mark would begin options, of which we have none; `:memory:` would be a store for each connection.
    let path = path.filter(|path| !path.is_empty() && !path.contains('?') && *path != ":memory:");
    let path = path.ok_or_else(|| bad_url("sqlite"))?;
    let opened = session_store_sql::SqliteStore::open(path, &sql(config, max_record)?);
    let store = opened.map_err(|error| failed(config, error))?;
    if config.prepare {
        store.migrate().await.map_err(|error| failed(config, error))?;
    }
    Ok(Arc::new(store))
}

/// The URL, if its scheme is one of this driver's.
#[cfg(any(feature = "redis", feature = "postgres", feature = "mysql", feature = "sqlite"))]
fn url(config: &StoreConfig, driver: &str, default: Option<&str>) -> Result<String, SettingError> {
    match (config.url.as_ref().map(crate::Secret::expose), default) {
        (Some(url), _) if driver_of(scheme(config)) == Some(driver) => Ok(url.to_owned()),
        (Some(_), _) => Err(bad_url(driver)),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) => {
            let (key, allowed) = url_setting(driver);
            Err(SettingError::Missing { key, allowed })
        }
    }
}

fn scheme(config: &StoreConfig) -> &str {
    config.url.as_ref().and_then(|url| url.expose().split_once(':')).map_or("", |(scheme, _)| scheme)
}

#[cfg(any(feature = "redis", feature = "postgres", feature = "mysql", feature = "sqlite"))]
fn bad_url(driver: &str) -> SettingError {
    let (key, allowed) = url_setting(driver);
    SettingError::RefusedSecret { key, allowed: format!("for the driver {driver}, {allowed}") }
}

#[cfg(any(feature = "redis", feature = "postgres", feature = "mysql", feature = "sqlite"))]
fn url_setting(driver: &str) -> (String, String) {
    let (variable, allowed) = match driver {
        "redis" => {
            ("REDIS_URL", "redis://[user:password@]host[:port][/db] (rediss:// with the feature redis-tls)")
        }
        "redis-cluster" => ("REDIS_URL", "redis-cluster://[user:password@]host:port,host:port"),
        "postgres" => ("DATABASE_URL", "postgres://user:password@host:port/database"),
        "mysql" => ("DATABASE_URL", "mysql://user:password@host:port/database"),
        _ => ("DATABASE_URL", "sqlite:PATH"),
    };
    (format!("url ({variable})"), allowed.to_owned())
}

#[allow(dead_code, reason = "without any store's feature, opening cannot fail")]
fn failed(config: &StoreConfig, error: impl Into<Cause>) -> SettingError {
    SettingError::Store { driver: config.driver.clone(), source: error.into() }
}

/// Stands in for each store whose feature is off.
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
    "redis" redis (async);
    "redis-cluster" cluster (async);
    "dynamodb" dynamodb (async);
    "postgres" postgres (async);
    "mysql" mysql (async);
    "sqlite" sqlite (async);
}
