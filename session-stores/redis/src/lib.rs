//! Sessions in Redis, Valkey and Redis Cluster.
//!
//! Start with [`RedisStore::builder`].
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod cache;
mod census;
#[cfg(feature = "cluster")]
mod cluster;
mod fault;
mod lanes;
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

/// The name of the store in errors and events.
const NAME: &str = "redis";
