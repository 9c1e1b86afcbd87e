//! Sessions in the memory of the process.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod census;
mod entry;
mod inner;
mod machine;
#[cfg(test)]
mod model;
mod owners;
mod shard;
mod stats;
mod store;
mod sync;

pub use stats::Stats;
pub use store::{MemoryStore, MemoryStoreBuilder};
