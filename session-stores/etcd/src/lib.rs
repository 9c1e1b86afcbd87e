//! Sessions in etcd.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod engine;
mod gateway;
mod store;

pub use builder::{BuildError, EtcdStoreBuilder};
pub use store::EtcdStore;

/// The store's name in errors and events.
const NAME: &str = "etcd";
