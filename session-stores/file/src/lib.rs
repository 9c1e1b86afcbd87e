//! Sessions in files: atomic, durable, private, locked across processes.
//!
//! The README says what holds and what does not; `verbs` is the file that owns every transition of a session on disk.

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
