//! Sessions in files: atomic, durable, private, locked across processes.
//!
//! What holds and what does not is in the README, below. The verbs and the record format are those of
//! `session-store-kv`; `engine` implements its primitives on files.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(unix))]
compile_error!(
    "session-store-file needs a POSIX file system (openat, flock, rename): use another store here"
);

mod builder;
mod census;
mod dirs;
mod disk;
mod engine;
mod fault;
mod locks;
mod owners;
mod store;
mod sweep;

pub use builder::FileStoreBuilder;
pub use disk::Durability;
pub use store::FileStore;

/// The largest record that any setting allows.
const LARGEST_RECORD: usize = 16 * 1024 * 1024;
