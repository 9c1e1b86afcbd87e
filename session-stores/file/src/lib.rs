//! Sessions in files: atomic, durable, private, locked across processes.
//!
//! What holds and what does not is in the README, below; `verbs` is the file that owns every transition on disk.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(unix))]
compile_error!(
    "session-store-file needs a POSIX file system (openat, flock, rename): use another store here"
);

mod disk;
mod fault;
mod format;
mod locks;
mod owners;
mod store;
mod sweep;
mod verbs;

pub use disk::Durability;
pub use store::{FileStore, FileStoreBuilder};

/// The largest record that any setting allows.
const LARGEST_RECORD: usize = 16 * 1024 * 1024;
