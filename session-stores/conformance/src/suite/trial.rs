//! What a case works with: the store, a base time, new keys and records, and verbs that panic on an error.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use session_core::{
    Timestamp,
    adapter::{Clock, Entropy, SystemClock, SystemEntropy},
    store::{
        Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreErrorKind, StoreKey, Sweep, Written,
    },
};

use super::process::OtherProcess;
use crate::fixture::{Damage, Door, Fixture};

/// One case's view of the store under trial.
///
/// The base time is the real one, because a store with a time-to-live of its own counts in real time; cases move it
/// only through the `now` they pass, and only forwards.
#[derive(Debug)]
pub struct Trial {
    /// The store, for calls that may fail.
    pub store: Arc<dyn SessionStore>,
    /// When the case began.
    pub now: Timestamp,
    fixture: Fixture,
    /// The path of the test that runs the case.
    test: Option<&'static str>,
}

impl Trial {
    pub(crate) fn new(fixture: Fixture, test: Option<&'static str>) -> Self {
        Self { store: Arc::clone(&fixture.store), now: SystemClock.now(), fixture, test }
    }

    /// Returns a key that was never used.
    pub fn key(&self) -> StoreKey {
        fresh_key()
    }

    /// Returns an owner that was never used.
    pub fn owner(&self) -> Arc<str> {
        format!("user-{:016x}", u64::from_le_bytes(random())).into()
    }

    /// Returns a record that begins now, with the default deadlines (two hours, a day), a fresh etag and this payload.
    pub fn record(&self, payload: impl AsRef<[u8]>) -> Record {
        record_at(self.now, payload)
    }

    /// Returns a record of this owner.
    pub fn owned(&self, owner: &Arc<str>) -> Record {
        self.record(*b"{\"v\":1}").with_owner(Some(Arc::clone(owner)))
    }

    /// Stores a record under a new key and returns both.
    pub async fn stored(&self, payload: impl AsRef<[u8]>) -> (StoreKey, Record) {
        let record = self.record(payload);
        (self.store_new(&record).await, record)
    }

    /// Stores this record under a new key and returns the key.
    pub async fn store_new(&self, record: &Record) -> StoreKey {
        let key = self.key();
        assert_eq!(self.create(&key, record).await, Written::Applied, "a record under a new key is stored");
        key
    }

    /// Returns the end of a tombstone that is made now.
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

    /// Asserts that there is a tombstone that ends a minute from now.
    pub async fn expect_tombstone(&self, key: &StoreKey) {
        let until = self.until();
        assert_eq!(self.load(key).await, Loaded::Ended { until }, "a tombstone with its end stands there");
    }

    /// Asserts that exactly this record, which another handle has written, is read within the time that the fixture allows.
    pub async fn sees_record(&self, key: &StoreKey, record: &Record) {
        self.seen(key, |loaded| matches!(loaded, Loaded::Found(found) if found == record)).await;
        self.expect_record(key, record).await;
    }

    /// The same for a tombstone.
    pub async fn sees_tombstone(&self, key: &StoreKey) {
        self.seen(key, |loaded| matches!(loaded, Loaded::Ended { .. })).await;
        self.expect_tombstone(key).await;
    }

    async fn seen(&self, key: &StoreKey, is: impl Fn(&Loaded) -> bool) {
        let began = tokio::time::Instant::now();
        while !is(&self.load(key).await) && began.elapsed() < self.fixture.seen_within {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Returns whether a handle sees every write of another handle at once.
    pub(super) fn reads_are_current(&self) -> bool {
        self.fixture.seen_within.is_zero()
    }

    /// Asserts that there is no session that is live at `now`.
    pub async fn expect_dead(&self, key: &StoreKey, now: Timestamp) {
        if let Loaded::Found(found) = self.load(key).await {
            assert!(!found.is_live(now), "the session stays dead; found {found:?}");
        }
    }

    /// Returns the store's owner index, or `None` if the fixture declares that there is none.
    pub fn owners(&self) -> Option<&dyn OwnerIndex> {
        self.capability(self.store.owners(), &self.fixture.owners, "owners", "without_owners")
    }

    /// Returns the store's sweeper, or `None` if the fixture declares that there is none.
    pub fn sweeper(&self) -> Option<&dyn Sweep> {
        self.capability(self.store.sweeper(), &self.fixture.sweep, "sweeper", "without_sweep")
    }

    fn capability<'a, T: ?Sized>(
        &self,
        has: Option<&'a T>,
        said: &Door<()>,
        method: &str,
        without: &str,
    ) -> Option<&'a T> {
        let name = self.store.name();
        match (has, said) {
            (Some(_), Door::Without) => panic!(
                "the fixture says `.{without}()`, but `{method}()` of the {name} store is `Some`: remove the call"
            ),
            (Some(there), _) => Some(there),
            (None, Door::Without) => {
                skip(&self.store, &format!("the fixture says `.{without}()`"));
                None
            }
            (None, _) => panic!(
                "`{method}()` of the {name} store is `None`: implement it, or say `.{without}()` on the fixture"
            ),
        }
    }

    fn door<'a, T>(&self, door: &'a Door<T>, with: &str, without: &str) -> Option<&'a T> {
        match door {
            Door::With(it) => Some(it),
            Door::Without => {
                skip(&self.store, &format!("the fixture says `.{without}()`"));
                None
            }
            Door::Undeclared => {
                panic!(
                    "this case needs `.{with}` on the fixture; say `.{without}()` if there is no such thing"
                )
            }
        }
    }

    /// Returns the number of entries that the owner index has for this owner, or `None` if the fixture declares that there
    /// are none to count.
    pub async fn owner_entries(&self, owner: &str) -> Option<usize> {
        let count = self.door(&self.fixture.entries, "owner_entries(count)", "without_owner_entries")?;
        Some(count(owner.to_owned()).await)
    }

    /// Returns the fixture's way to damage a record, or `None` if the fixture declares that there is none.
    pub fn damage(&self) -> Option<&dyn Damage> {
        self.door(&self.fixture.damage, "with_damage(damage)", "without_damage").map(AsRef::as_ref)
    }

    /// Returns a second handle on the same data, or `None` if the fixture declares that there is none.
    pub async fn reopen(&self) -> Option<Arc<dyn SessionStore>> {
        let with = "reopen(open)` or `.shared(place, open)";
        Some(self.door(&self.fixture.reopen, with, "without_reopen")?().await)
    }

    /// Returns another process on the same data, or `None` if the fixture declares that there is none. Also `None` under
    /// [`Case::run`](super::Case::run), since a process can only be started for a test.
    pub fn other_process(&self) -> Option<OtherProcess> {
        let (place, open) = self.door(&self.fixture.shared, "shared(place, open)", "in_one_process")?;
        let Some(test) = self.test else {
            skip(&self.store, "only a test of `store_suite!` can run in another process");
            return None;
        };
        Some(OtherProcess::new(test, place, Arc::clone(open)))
    }

    /// Returns a store whose server does not answer and its deadline, or `None` if the fixture declares that there is none.
    pub async fn stalled(&self) -> Option<(Fixture, Duration)> {
        let with = "stalled(deadline, open)";
        let (deadline, open) = self.door(&self.fixture.stalled, with, "without_stall")?;
        Some((open().await, *deadline))
    }

    /// Returns how often a race is repeated.
    pub fn rounds(&self) -> usize {
        self.fixture.rounds
    }

    /// Spawns a task with a handle on the store.
    pub fn spawn<F, O>(&self, act: F) -> tokio::task::JoinHandle<O::Output>
    where
        F: FnOnce(Arc<dyn SessionStore>) -> O,
        O: Future<Output: Send> + Send + 'static,
    {
        tokio::spawn(act(Arc::clone(&self.store)))
    }
}

/// Returns the value. Panics with the verb and its error.
pub(crate) fn fine<T>(verb: &str, result: Result<T, StoreError>) -> T {
    result.unwrap_or_else(|error| {
        let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
        let whose = match error.kind() {
            StoreErrorKind::Timeout => {
                "\nthis is the store's own deadline, not the suite's: if the machine is busy, open the fixture's store \
                 with a deadline of a minute"
            }
            _ => "",
        };
        panic!("{verb} must not fail here: {error}{cause}{whose}")
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

/// Returns a record that begins at this time, with the default deadlines, a fresh etag and this payload.
pub(crate) fn record_at(now: Timestamp, payload: impl AsRef<[u8]>) -> Record {
    Record::new(fresh_etag(), now, now.plus(HOUR * 2), payload.as_ref().into())
        .with_absolute_deadline(Some(now.plus(HOUR * 24)))
}

/// Returns a key that was never used.
pub(crate) fn fresh_key() -> StoreKey {
    StoreKey::from_bytes(random())
}

/// Returns an etag that was never used.
pub(crate) fn fresh_etag() -> Etag {
    Etag::new(u64::from_le_bytes(random()))
}

/// Notes in the test's output that a case does not apply.
pub(crate) fn skip(store: &Arc<dyn SessionStore>, why: &str) {
    println!("does not apply to the {} store: {why}", store.name());
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemEntropy.fill(&mut bytes).expect("the system has random bytes");
    bytes
}

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
