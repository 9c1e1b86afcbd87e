//! The store of a migration against the whole store suite: with sessions that were created in the new store, and with
//! sessions that were all created in the old one, so that each case moves them.

use std::sync::Arc;
use std::time::Duration;

use session_conformance::Fixture;
use session_core::Timestamp;
use session_core::store::{
    Census, Etag, Loaded, MigratingStore, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Sweep,
    Written, async_trait,
};
use session_store_memory::MemoryStore;

/// Two stores, of which the old one holds every session at first.
#[derive(Debug)]
struct Moving {
    store: MigratingStore,
    before: MigratingStore,
    is_swept: bool,
}

impl Moving {
    fn between(to: impl SessionStore, from: impl SessionStore) -> Self {
        let (to, from): (Arc<dyn SessionStore>, Arc<dyn SessionStore>) = (Arc::new(to), Arc::new(from));
        let before = MigratingStore::shared(to.clone(), from.clone()).standby();
        Self { store: MigratingStore::shared(to, from), before, is_swept: true }
    }

    /// One of the two expires what it holds by itself, so that no sweep shows what is gone.
    #[cfg(feature = "redis")]
    fn without_sweep(self) -> Self {
        Self { is_swept: false, ..self }
    }
}

#[async_trait]
impl SessionStore for Moving {
    fn name(&self) -> &'static str {
        self.store.name()
    }

    fn max_record(&self) -> usize {
        self.before.max_record()
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        self.store.load(key).await
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        self.before.create(key, record, now).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.store.replace(key, expected, record, now).await
    }

    async fn touch(&self, key: &StoreKey, idle: Timestamp, now: Timestamp) -> Result<Written, StoreError> {
        self.store.touch(key, idle, now).await
    }

    async fn destroy(&self, key: &StoreKey, until: Timestamp) -> Result<Written, StoreError> {
        self.store.destroy(key, until).await
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Written, StoreError> {
        self.store.rotate(old, expected, new, record, now, until).await
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        self.store.owners()
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        self.store.sweeper().filter(|_| self.is_swept)
    }

    fn census(&self) -> Option<&dyn Census> {
        self.store.census()
    }
}

/// A store of stores keeps nothing itself: what its stores suffer is told by their own suites.
fn declare(fixture: Fixture) -> Fixture {
    fixture.in_one_process().without_damage().without_owner_entries().without_stall()
}

mod in_memory {
    use super::*;

    async fn fixture() -> Fixture {
        let (to, from) = (MemoryStore::new(), MemoryStore::new());
        let again = move || std::future::ready(MigratingStore::new(to.clone(), from.clone()));
        declare(Fixture::new(again().await).rounds(100).reopen(again))
    }

    session_conformance::store_suite!(fixture);
    session_conformance::crowd_suite!(fixture);
}

mod in_memory_from_the_old_store {
    use super::*;

    async fn fixture() -> Fixture {
        let (to, from) = (MemoryStore::new(), MemoryStore::new());
        let again = move || std::future::ready(Moving::between(to.clone(), from.clone()));
        declare(Fixture::new(again().await).rounds(100).reopen(again))
    }

    session_conformance::store_suite!(fixture);
    session_conformance::crowd_suite!(fixture);
}

mod in_memory_on_standby {
    use super::*;

    async fn fixture() -> Fixture {
        let (to, from) = (MemoryStore::new(), MemoryStore::new());
        let again = move || std::future::ready(MigratingStore::new(to.clone(), from.clone()).standby());
        declare(Fixture::new(again().await).rounds(100).reopen(again))
    }

    session_conformance::store_suite!(fixture);
}

/// Four clients at once, on sessions that are in the old store at first.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn histories_of_sessions_that_move_are_linearizable() {
    use session_conformance::history::{Plan, Recorder, check};

    for seed in 0..40 {
        let store = Moving::between(MemoryStore::new(), MemoryStore::new());
        let store = Recorder::new(Arc::new(store));
        let plan = Plan { seed, ..Plan::default() };
        plan.run(std::slice::from_ref(&store)).await;
        plan.look(&store).await;
        assert!(check(&store.events()).is_ok(), "seed {seed}: {:?}", check(&store.events()));
    }
}

#[cfg(feature = "file")]
fn files(dir: &tempfile::TempDir) -> session_stores::FileStore {
    let store = session_stores::FileStore::builder(dir.path().join("sessions")).timeout(A_MINUTE);
    store.durability(session_store_file::Durability::Rename).open().unwrap()
}

#[cfg(feature = "redis")]
async fn redis() -> session_stores::RedisStore {
    use std::sync::LazyLock;

    use session_test_servers::{Kind, Shared, shared};

    static SERVER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Redis));
    let store = session_stores::RedisStore::builder(SERVER.url()).prefix(format!("{}:", unlike_any_other()));
    store.timeout(A_MINUTE).connect().await.unwrap()
}

#[cfg(all(feature = "file", feature = "redis"))]
mod from_files_to_redis {
    use super::*;

    async fn fixture() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let store = Moving::between(redis().await, files(&dir)).without_sweep();
        declare(Fixture::new(store).rounds(10).with_guard(dir).without_reopen().without_sweep())
    }

    session_conformance::store_suite!(fixture);
}

#[cfg(all(feature = "postgres", feature = "redis"))]
mod from_redis_to_postgres {
    use std::sync::LazyLock;

    use session_stores::{PostgresStore, SqlConfig};
    use session_test_servers::{Kind, Shared, shared};

    use super::*;

    async fn fixture() -> Fixture {
        static SERVER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Postgres));
        let config = SqlConfig::new().table(&unlike_any_other()).unwrap().deadline(A_MINUTE);
        let postgres = PostgresStore::open(SERVER.url(), &config).unwrap();
        postgres.migrate().await.unwrap();
        let store = Moving::between(postgres, redis().await).without_sweep();
        declare(Fixture::new(store).rounds(10).without_reopen().without_sweep())
    }

    session_conformance::store_suite!(fixture);
}

#[cfg(all(feature = "sqlite", feature = "file"))]
mod from_files_to_sqlite {
    use session_stores::{SqlConfig, SqliteStore};

    use super::*;

    async fn fixture() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let config = SqlConfig::new().deadline(A_MINUTE);
        let durability = session_store_sql::Durability::ProcessCrash;
        let sqlite = SqliteStore::open_with(dir.path().join("sessions.db"), &config, durability).unwrap();
        sqlite.migrate().await.unwrap();
        let store = Moving::between(sqlite, files(&dir));
        declare(Fixture::new(store).rounds(10).with_guard(dir).without_reopen())
    }

    session_conformance::store_suite!(fixture);
}

#[cfg(any(feature = "redis", feature = "postgres"))]
fn unlike_any_other() -> String {
    use std::hash::{BuildHasher as _, RandomState};

    format!("moving_{:016x}", RandomState::new().hash_one(0))
}

#[cfg_attr(not(any(feature = "file", feature = "redis", feature = "postgres")), expect(dead_code))]
const A_MINUTE: Duration = Duration::from_secs(60);
