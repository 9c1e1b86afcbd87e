//! Every session store behind a feature, and one opened from configuration.

#[cfg(feature = "file")]
pub use session_store_file::FileStore;
pub use session_store_memory::MemoryStore;
