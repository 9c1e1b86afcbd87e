//! Sessions in Redis, Valkey and Redis Cluster.
