//! Sessions in a Redis Cluster: single keys as on one server, rotation and the owner index across slots.

mod builder;
mod connections;
mod line;
mod owners;
mod rotate;
mod store;

pub use builder::ClusterBuilder;
pub use store::RedisClusterStore;
