//! All session stores behind features, and stores opened from configuration.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod device;
#[cfg(doctest)]
mod documents;
mod drivers;
mod error;
mod migrate;
mod migrate_cookie;
mod node;
mod open;
mod overlay;
mod place;
mod reading;
mod service_links;
mod sessions;
mod settings;
mod store_config;
mod store_settings;
mod sweeper;
mod value;

#[cfg(feature = "dynamodb")]
pub use session_store_dynamodb::DynamoDbStore;
#[cfg(feature = "etcd")]
pub use session_store_etcd::EtcdStore;
#[cfg(feature = "file")]
pub use session_store_file::FileStore;
#[cfg(feature = "memcached")]
pub use session_store_memcached::MemcachedStore;
pub use session_store_memory::MemoryStore;
#[cfg(feature = "redb")]
pub use session_store_redb::RedbStore;
#[cfg(feature = "redis-cluster")]
pub use session_store_redis::RedisClusterStore;
#[cfg(feature = "redis")]
pub use session_store_redis::RedisStore;
#[cfg(feature = "mysql")]
pub use session_store_sql::MySqlStore;
#[cfg(feature = "postgres")]
pub use session_store_sql::PostgresStore;
#[cfg(feature = "sqlite")]
pub use session_store_sql::SqliteStore;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub use session_store_sql::{SqlConfig, SqlConfigError};

pub use config::{CookieConfig, SessionConfig};
pub use device::DeviceBindingMode;
pub use drivers::{Cause, Drivers, open};
pub use error::SettingError;
pub use migrate::MigrateConfig;
pub use settings::{SETTINGS, Setting};
pub use store_config::{Durability, Secret, StoreConfig};
pub use store_settings::{STORE_SETTINGS, StoreSetting};
pub use sweeper::{Round, Sweeper, SweeperBuilder};
