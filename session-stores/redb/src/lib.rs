//! Sessions in one file, with the embedded database redb.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod engine;
mod store;

pub use builder::{OpenError, RedbStoreBuilder};
pub use store::RedbStore;

/// The store's name in errors and events.
const NAME: &str = "redb";
