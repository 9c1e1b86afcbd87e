//! Makes the sessions that the command line asks for: the store, counted, and the rules around it.

use std::sync::Arc;
use std::time::Duration;

use session_core::{Cookie, SecretKey, SessionStore, Sessions};
use session_testkit::probe::Stats;

use crate::args::{Settings, Store, WrongFlag};

type Failure = Box<dyn std::error::Error>;

/// Opens the store and checks that all settings agree.
pub(crate) async fn sessions(settings: Settings, stats: &Stats) -> Result<Sessions, Failure> {
    let mut builder = Sessions::builder()
        .cookie(Cookie::insecure_http(&settings.cookie))
        .eager(settings.eager)
        .commit_on_error(settings.commit_on_error)
        .encrypt_at_rest(settings.encrypt_at_rest)
        .observer(stats.observer());
    builder = match open(&settings).await? {
        Some(store) => builder.store(stats.counted(store)),
        None => builder.in_cookie(),
    };
    if let Some(age) = settings.age {
        builder = builder.age(age);
    }
    if let Some(absolute) = settings.absolute {
        builder = builder.absolute(absolute);
    }
    if let Some(bytes) = settings.max_record {
        builder = builder.max_record(bytes);
    }
    builder = match settings.keys.is_empty() {
        true => builder.key(SecretKey::generate()?),
        false => builder.keys(settings.keys),
    };
    builder.build().map_err(|error| format!("these flags do not agree: {error}").into())
}

/// The store; none when sessions live in their cookies.
async fn open(settings: &Settings) -> Result<Option<Arc<dyn SessionStore>>, Failure> {
    let timeout = settings.store_timeout.unwrap_or(Duration::from_secs(2));
    let most = settings.max_record;
    Ok(Some(match &settings.store {
        Store::Cookie => return Ok(None),
        Store::Memory => {
            let mut store = session_stores::MemoryStore::builder();
            if let Some(bytes) = most {
                store = store.max_record(bytes);
            }
            Arc::new(store.build())
        }
        Store::File(folder) => {
            let mut store = session_stores::FileStore::builder(folder).timeout(timeout);
            if let Some(bytes) = most {
                store = store.max_record(bytes);
            }
            Arc::new(store.open().map_err(|error| cannot_open("file", &error))?)
        }
        #[cfg(feature = "redis")]
        Store::Redis(url) => {
            let mut store = session_store_redis::RedisStore::builder(url).timeout(timeout);
            if let Some(bytes) = most {
                store = store.max_record(bytes);
            }
            Arc::new(store.open().map_err(|error| cannot_open("redis", &error))?)
        }
        #[cfg(feature = "redis")]
        Store::RedisCluster(nodes) => {
            let mut store = session_store_redis::RedisClusterStore::builder(nodes.clone()).timeout(timeout);
            if let Some(bytes) = most {
                store = store.max_record(bytes);
            }
            Arc::new(store.open().map_err(|error| cannot_open("redis-cluster", &error))?)
        }
        #[cfg(feature = "dynamodb")]
        Store::DynamoDb { server, table } => {
            let mut store = session_store_dynamodb::DynamoDbStore::local(server, table).deadline(timeout);
            if let Some(bytes) = most {
                store = store.max_record(bytes);
            }
            let store = store.build().map_err(|error| cannot_open("dynamodb", &error))?;
            store.create_table().await.map_err(|error| cannot_open("dynamodb", &error))?;
            Arc::new(store)
        }
        #[cfg(feature = "sql")]
        Store::Postgres(url) => {
            let store = session_store_sql::PostgresStore::open(url, &sql(timeout, most));
            let store = store.map_err(|error| cannot_open("postgres", &error))?;
            store.migrate().await.map_err(|error| cannot_open("postgres", &error))?;
            Arc::new(store)
        }
        #[cfg(feature = "sql")]
        Store::MySql(url) => {
            let store = session_store_sql::MySqlStore::open(url, &sql(timeout, most));
            let store = store.map_err(|error| cannot_open("mysql", &error))?;
            store.migrate().await.map_err(|error| cannot_open("mysql", &error))?;
            Arc::new(store)
        }
        #[cfg(feature = "sql")]
        Store::Sqlite(path) => {
            let store = session_store_sql::SqliteStore::open(path, &sql(timeout, most));
            let store = store.map_err(|error| cannot_open("sqlite", &error))?;
            store.migrate().await.map_err(|error| cannot_open("sqlite", &error))?;
            Arc::new(store)
        }
        #[cfg(not(all(feature = "redis", feature = "dynamodb", feature = "sql")))]
        other => return Err(left_out(other).into()),
    }))
}

#[cfg(feature = "sql")]
fn sql(timeout: Duration, most: Option<usize>) -> session_store_sql::SqlConfig {
    let config = session_store_sql::SqlConfig::new().deadline(timeout);
    match most {
        Some(bytes) => config.max_record(bytes),
        None => config,
    }
}

/// A store that this build does not have, and how to build one that does.
#[cfg(not(all(feature = "redis", feature = "dynamodb", feature = "sql")))]
fn left_out(store: &Store) -> WrongFlag {
    let (kind, allowed) = match store {
        Store::Redis(_) => ("redis", "build the probe with `--features redis`"),
        Store::RedisCluster(_) => ("redis-cluster", "build the probe with `--features redis`"),
        Store::DynamoDb { .. } => ("dynamodb", "build the probe with `--features dynamodb`"),
        Store::Postgres(_) => ("postgres", "build the probe with `--features sql`"),
        Store::MySql(_) => ("mysql", "build the probe with `--features sql`"),
        Store::Sqlite(_) => ("sqlite", "build the probe with `--features sql`"),
        Store::Memory | Store::Cookie | Store::File(_) => ("", "every build has it"),
    };
    WrongFlag::new("--store", kind, allowed)
}

/// What went wrong, causes included, without the URL: it may hold a password.
fn cannot_open(kind: &str, error: &dyn std::error::Error) -> Failure {
    let mut line = format!("--store {kind} cannot be opened: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line.replace('\n', " ").into()
}
