//! Sessions in memcached.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod engine;
mod link;
mod store;
mod wire;

pub use builder::{BuildError, Builder};
pub use store::MemcachedStore;

/// The store's name in errors and events.
const NAME: &str = "memcached";
