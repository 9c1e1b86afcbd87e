//! The stores below the bridge: memory, files, Redis.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use session_core::store::SessionStore;
use session_store_file::FileStore;
use session_store_memory::MemoryStore;
use session_store_redis::RedisStore;
use session_test_servers::{Kind, Shared, shared};

pub(crate) fn memory() -> Arc<dyn SessionStore> {
    Arc::new(MemoryStore::new())
}

/// A directory that is removed with the guard.
pub(crate) fn files() -> (tempfile::TempDir, Arc<dyn SessionStore>) {
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::builder(directory.path().join("sessions")).timeout(PATIENT).open().unwrap();
    (directory, Arc::new(store))
}

pub(crate) async fn redis() -> Arc<dyn SessionStore> {
    static SERVER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Redis));
    let prefix = format!("bridge-{:016x}:", RandomState::new().hash_one(0));
    Arc::new(RedisStore::builder(SERVER.url()).prefix(prefix).timeout(PATIENT).connect().await.unwrap())
}

/// Longer than a busy machine needs.
const PATIENT: Duration = Duration::from_secs(60);
