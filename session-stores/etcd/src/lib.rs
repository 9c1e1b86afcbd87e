//! Sessions in etcd.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod engine;
mod gateway;
mod store;

pub use store::{BuildError, EtcdStore, EtcdStoreBuilder};

/// The store's name in errors and events.
const NAME: &str = "etcd";
