//! Sessions in Redis, Valkey and Redis Cluster.
//!
//! Start with [`RedisStore::builder`]. The README has the key layout, how to read a session with `redis-cli`, and what
//! survives a fail-over.

mod builder;
mod cache;
#[cfg(feature = "cluster")]
mod cluster;
mod codec;
mod fault;
mod link;
mod owners;
mod script;
mod store;

pub use builder::{BuildError, Builder};
#[cfg(feature = "cluster")]
pub use cluster::{ClusterBuilder, RedisClusterStore};
/// The driver, for [`RedisStore::from_client`].
pub use redis;
pub use store::RedisStore;

/// The store's name in errors and events.
const NAME: &str = "redis";
