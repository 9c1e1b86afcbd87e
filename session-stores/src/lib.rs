//! Every session store behind a feature, and one opened from configuration.
//!
//! In code, a store is a type: enable its feature and take it from here (`MemoryStore` is always there). Chosen at run
//! time, it is a name: [`SessionConfig`] reads every setting from the environment, or from TOML, JSON and whatever else
//! `serde` reads, and becomes [`Sessions`](session_core::Sessions).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), session_stores::SettingError> {
//! use session_stores::SessionConfig;
//!
//! // In an application: `SessionConfig::from_env()?`.
//! let variables = [
//!     ("SESSION_DRIVER", "memory"),
//!     ("SESSION_KEYS", "9f1c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264"),
//!     ("SESSION_AGE", "30 min"),
//! ];
//! let sessions = SessionConfig::from_vars(variables)?.into_sessions().await?;
//! assert_eq!(sessions.policy().age.as_secs(), 1_800);
//! # Ok(())
//! # }
//! ```
//!
//! | feature | store | driver |
//! |---|---|---|
//! | – | `MemoryStore` | `memory` |
//! | `file` | `FileStore` | `file` |
//! | `redis` | `RedisStore` | `redis` |
//! | `redis-cluster` | `RedisClusterStore` | `redis-cluster` |
//! | `redis-sentinel` | `RedisStore::sentinel` | `redis-sentinel` |
//! | `redis-tls` | (`rediss://` for all three) | |
//! | `redis-client-cache` | (the setting `client_cache`) | |
//! | `memcached` | `MemcachedStore` | `memcached` |
//! | `dynamodb` | `DynamoDbStore` | `dynamodb` |
//! | `postgres` | `PostgresStore` | `postgres` |
//! | `mysql` | `MySqlStore` | `mysql` |
//! | `sqlite` | `SqliteStore` | `sqlite` |
//!
//! The driver `cookie` needs no store: the record is the cookie. A store of your own gets a name with
//! [`Drivers::register`].
//!
//! Every setting is listed in [`SETTINGS`] and [`STORE_SETTINGS`], and on the page `docs/configuration.md`. A fresh key:
//! `cargo run -p session-stores --example session-key`, or `openssl rand -hex 32`.

mod config;
mod drivers;
mod error;
mod node;
mod open;
mod overlay;
mod place;
mod reading;
mod sessions;
mod settings;
mod store_config;
mod store_settings;
mod sweeper;
mod value;

#[cfg(feature = "dynamodb")]
pub use session_store_dynamodb::DynamoDbStore;
#[cfg(feature = "file")]
pub use session_store_file::FileStore;
#[cfg(feature = "memcached")]
pub use session_store_memcached::MemcachedStore;
pub use session_store_memory::MemoryStore;
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
pub use drivers::{Cause, Drivers, open};
pub use error::SettingError;
pub use settings::{SETTINGS, Setting};
pub use store_config::{Durability, Secret, StoreConfig};
pub use store_settings::{STORE_SETTINGS, StoreSetting};
pub use sweeper::{Round, Sweeper, SweeperBuilder};
