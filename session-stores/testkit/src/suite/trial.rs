//! What a case works with: the store, a base time, fresh keys and records, and the verbs with errors made loud.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use session_core::{
    Timestamp,
    adapter::{Clock, Entropy, SystemClock, SystemEntropy},
    store::{Etag, Loaded, OwnerIndex, Record, SessionStore, StoreKey, Sweep, Written},
};

use crate::fixture::{Damage, Fixture};

/// One case's view of the store under trial.
///
/// The base time is the real one, because a store with a time-to-live of its own counts in real time; cases move it
/// only through the `now` they pass, and only forwards.
#[derive(Debug)]
pub struct Trial {
    /// The store itself, for calls that may fail.
    pub store: Arc<dyn SessionStore>,
    /// When the case began.
    pub now: Timestamp,
    fixture: Fixture,
}

impl Trial {
    pub(crate) fn new(fixture: Fixture) -> Self {
        Self { store: Arc::clone(&fixture.store), now: SystemClock.now(), fixture }
    }

    /// A key that nobody has used.
    pub fn key(&self) -> StoreKey {
        fresh_key()
    }

    /// An owner that nobody has used.
    pub fn owner(&self) -> Arc<str> {
        format!("user-{:016x}", u64::from_le_bytes(random())).into()
    }

    /// A record begun now with the default deadlines (two hours, a day), a fresh etag and this payload.
    pub fn record(&self, payload: impl AsRef<[u8]>) -> Record {
        record_at(self.now, payload)
    }

    /// A record of this owner.
    pub fn owned(&self, owner: &Arc<str>) -> Record {
        Record { owner: Some(Arc::clone(owner)), ..self.record(*b"{\"v\":1}") }
    }

    /// A record that has been stored under a new key.
    pub async fn stored(&self, payload: impl AsRef<[u8]>) -> (StoreKey, Record) {
        let record = self.record(payload);
        (self.store_new(&record).await, record)
    }

    /// A new key under which this record has been stored.
    pub async fn store_new(&self, record: &Record) -> StoreKey {
        let key = self.key();
        assert_eq!(self.create(&key, record).await, Written::Applied, "a record under a new key is stored");
        key
    }

    /// Where a tombstone made now ends.
    pub fn until(&self) -> Timestamp {
        self.now.plus(Duration::from_secs(60))
    }

    /// `load`, which must not fail.
    pub async fn load(&self, key: &StoreKey) -> Loaded {
        fine("load", self.store.load(key).await)
    }

    /// `create` now, which must not fail.
    pub async fn create(&self, key: &StoreKey, record: &Record) -> Written {
        fine("create", self.store.create(key, record, self.now).await)
    }

    /// `replace` now, which must not fail.
    pub async fn replace(&self, key: &StoreKey, expected: Etag, record: &Record) -> Written {
        self.replace_at(key, expected, record, self.now).await
    }

    /// `replace` at another time.
    pub async fn replace_at(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Written {
        fine("replace", self.store.replace(key, expected, record, now).await)
    }

    /// `touch` now, which must not fail.
    pub async fn touch(&self, key: &StoreKey, idle: Timestamp) -> Written {
        self.touch_at(key, idle, self.now).await
    }

    /// `touch` at another time.
    pub async fn touch_at(&self, key: &StoreKey, idle: Timestamp, now: Timestamp) -> Written {
        fine("touch", self.store.touch(key, idle, now).await)
    }

    /// `destroy` with a tombstone of a minute, which must not fail.
    pub async fn destroy(&self, key: &StoreKey) {
        fine("destroy", self.store.destroy(key, self.until()).await);
    }

    /// `rotate` now with a tombstone of a minute, which must not fail.
    pub async fn rotate(&self, old: &StoreKey, expected: Etag, new: &StoreKey, record: &Record) -> Written {
        self.rotate_at(old, expected, new, record, self.now).await
    }

    /// `rotate` at another time.
    pub async fn rotate_at(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Written {
        let until = now.plus(Duration::from_secs(60));
        fine("rotate", self.store.rotate(old, expected, new, record, now, until).await)
    }

    /// Asserts that exactly this record is stored.
    pub async fn expect_record(&self, key: &StoreKey, record: &Record) {
        match self.load(key).await {
            Loaded::Found(found) => assert_same(&found, record),
            other => panic!("the record is there; found {other:?}"),
        }
    }

    /// Asserts that nothing at all is stored.
    pub async fn expect_missing(&self, key: &StoreKey) {
        assert_eq!(self.load(key).await, Loaded::Missing, "nothing came into being");
    }

    /// Asserts that a tombstone stands there until a minute from now.
    pub async fn expect_tombstone(&self, key: &StoreKey) {
        let until = self.until();
        assert_eq!(self.load(key).await, Loaded::Ended { until }, "a tombstone with its end stands there");
    }

    /// Asserts that there is no session any more that is alive at `now`.
    pub async fn expect_dead(&self, key: &StoreKey, now: Timestamp) {
        if let Loaded::Found(found) = self.load(key).await {
            assert!(!found.is_live(now), "the session stays dead; found {found:?}");
        }
    }

    /// The store's owner index; a case about it ends early without one.
    pub fn owners(&self) -> Option<&dyn OwnerIndex> {
        self.store.owners()
    }

    /// The store's sweeper, likewise.
    pub fn sweeper(&self) -> Option<&dyn Sweep> {
        self.store.sweeper()
    }

    /// The author's way to spoil a record, if there is one.
    pub fn damage(&self) -> Option<&dyn Damage> {
        self.fixture.damage.as_deref()
    }

    /// A second handle on the same data, if the author said how.
    pub async fn reopen(&self) -> Option<Arc<dyn SessionStore>> {
        match &self.fixture.reopen {
            Some(open) => Some(open().await),
            None => None,
        }
    }

    /// How often a race is repeated.
    pub fn rounds(&self) -> usize {
        self.fixture.rounds
    }

    /// Runs this beside the case, with a handle on the store.
    pub fn spawn<F, O>(&self, act: F) -> tokio::task::JoinHandle<O::Output>
    where
        F: FnOnce(Arc<dyn SessionStore>) -> O,
        O: Future<Output: Send> + Send + 'static,
    {
        tokio::spawn(act(Arc::clone(&self.store)))
    }
}

/// The value, or a panic that says which verb failed and why.
pub(crate) fn fine<T>(verb: &str, result: Result<T, session_core::store::StoreError>) -> T {
    result.unwrap_or_else(|error| {
        let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
        panic!("{verb} must not fail here: {error}{cause}")
    })
}

/// Compares field by field, so that a failure names the field.
pub(crate) fn assert_same(found: &Record, expected: &Record) {
    assert_eq!(found.etag, expected.etag, "the etag is the one written");
    assert_eq!(found.created, expected.created, "`created` is the one written");
    assert_eq!(found.idle_deadline, expected.idle_deadline, "the idle deadline is the one written");
    assert_eq!(
        found.absolute_deadline, expected.absolute_deadline,
        "the absolute deadline is the one written"
    );
    assert!(found.owner == expected.owner, "the owner is the one written, byte for byte");
    assert_eq!(found.payload.len(), expected.payload.len(), "the payload is as long as the one written");
    assert!(found.payload == expected.payload, "the payload is the one written, byte for byte");
}

/// A record begun at this moment with the default deadlines, a fresh etag and this payload.
pub(crate) fn record_at(now: Timestamp, payload: impl AsRef<[u8]>) -> Record {
    Record {
        etag: fresh_etag(),
        created: now,
        idle_deadline: now.plus(HOUR * 2),
        absolute_deadline: Some(now.plus(HOUR * 24)),
        owner: None,
        payload: payload.as_ref().into(),
    }
}

/// A key that nobody has used.
pub(crate) fn fresh_key() -> StoreKey {
    StoreKey::from_bytes(random())
}

/// An etag nobody has used.
pub(crate) fn fresh_etag() -> Etag {
    Etag::new(u64::from_le_bytes(random()))
}

/// Says in the test's output that a case had nothing to prove.
pub(crate) fn skip(store: &Arc<dyn SessionStore>, why: &str) {
    println!("nothing to prove for the {} store: {why}", store.name());
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemEntropy.fill(&mut bytes).expect("the system has random bytes");
    bytes
}

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
