//! Sessions in Redis, Valkey and Redis Cluster.
//!
//! Start with [`RedisStore::builder`]. What follows is the README.
#![doc = include_str!("../README.md")]

mod builder;
mod cache;
#[cfg(feature = "cluster")]
mod cluster;
mod fault;
mod link;
mod owners;
mod script;
#[cfg(feature = "sentinel")]
mod sentinel;
mod store;

pub use builder::{BuildError, Builder};
#[cfg(feature = "cluster")]
pub use cluster::{ClusterBuilder, RedisClusterStore};
/// The driver, for [`RedisStore::from_client`].
pub use redis;
pub use store::RedisStore;

/// The store's name in errors and events.
const NAME: &str = "redis";
