//! Histories of stores with one flaw each: the checker finds it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use session_conformance::history::{Plan, Recorder, Rule, Violation, check, read};
use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, SessionStore, StoreError, StoreKey, Written, async_trait},
};
use session_store_memory::MemoryStore;

use crate::wrong_stores::flawed::{Flaw, Flawed};

/// Makes histories until one is rejected; `None` if all were accepted.
fn violation(store: impl Fn() -> Arc<dyn SessionStore>, histories: u64) -> Option<Violation> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    (0..histories).find_map(|seed| {
        let recorder = Recorder::new(store());
        runtime.block_on(async {
            let plan = Plan { seed, calls: 12, ..Plan::default() };
            plan.run(std::slice::from_ref(&recorder)).await;
            plan.look(&recorder).await;
        });
        check(&recorder.events()).err()
    })
}

fn flawed(flaw: Flaw) -> Option<Violation> {
    violation(|| Arc::new(Flawed::with(flaw)), 200)
}

#[test]
fn a_store_without_a_flaw_is_accepted() {
    assert_eq!(flawed(Flaw::None), None);
    assert_eq!(violation(|| Arc::new(MemoryStore::new()), 200), None);
}

#[test]
fn histories_find_every_flaw_in_the_order_of_writes() {
    let flaws = [
        Flaw::ReplaceUpserts,
        Flaw::ReplaceRevives,
        Flaw::ForgetsTombstones,
        Flaw::BuriesNothing,
        Flaw::TouchCreates,
        Flaw::TouchShortens,
        Flaw::TouchChangesTheEtag,
        Flaw::IgnoresEtags,
        Flaw::ReplaceInTwoSteps,
        Flaw::RotateInTwoSteps,
        Flaw::ForgetsSuccessors,
        Flaw::DestroyFollowsNothing,
        Flaw::DestroyEndsTheSuccessor,
        Flaw::LoadFollows,
        Flaw::CreateOverwrites,
        Flaw::SecondsOnly,
        Flaw::EtagsOf63Bits,
    ];
    for flaw in flaws {
        let violation = flawed(flaw).unwrap_or_else(|| panic!("{flaw:?} is not found"));
        println!("{flaw:?}: {violation}");
        assert_eq!(check(&violation.events).unwrap_err().rule, violation.rule, "it is shown by itself");
    }
}

/// A store that answers some calls wrongly.
#[derive(Debug)]
struct Wrong {
    inner: MemoryStore,
    calls: AtomicU64,
    wrong: Kind,
    seen: Mutex<HashMap<StoreKey, Loaded>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Some loads return the result of an earlier one.
    StaleRead,
    /// Some writes are acknowledged and not applied.
    LostWrite,
    /// Some destroys are acknowledged and not applied.
    LostDestroy,
    /// Some writes are applied and answered with an error, which is allowed.
    Error,
}

impl Wrong {
    fn made(wrong: Kind) -> Arc<dyn SessionStore> {
        let (inner, calls, seen) = (MemoryStore::new(), AtomicU64::new(0), Mutex::default());
        Arc::new(Self { inner, calls, wrong, seen })
    }

    fn is(&self, kind: Kind) -> bool {
        self.wrong == kind && self.calls.fetch_add(1, Relaxed).is_multiple_of(5)
    }
}

#[async_trait]
impl SessionStore for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }
    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        if self.is(Kind::StaleRead)
            && let Some(seen) = self.seen.lock().unwrap().get(key)
        {
            return Ok(seen.clone());
        }
        let loaded = self.inner.load(key).await?;
        self.seen.lock().unwrap().insert(*key, loaded.clone());
        Ok(loaded)
    }
    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        self.inner.create(key, record, now).await
    }
    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        if self.is(Kind::LostWrite) {
            return Ok(Written::Applied);
        }
        let written = self.inner.replace(key, expected, record, now).await?;
        if self.is(Kind::Error) { Err(StoreError::timeout("wrong")) } else { Ok(written) }
    }
    async fn touch(&self, key: &StoreKey, idle: Timestamp, now: Timestamp) -> Result<Written, StoreError> {
        self.inner.touch(key, idle, now).await
    }
    async fn destroy(&self, key: &StoreKey, until: Timestamp) -> Result<Written, StoreError> {
        if self.is(Kind::LostDestroy) {
            return Ok(Written::Applied);
        }
        self.inner.destroy(key, until).await
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
        let written = self.inner.rotate(old, expected, new, record, now, until).await?;
        if self.is(Kind::Error) { Err(StoreError::timeout("wrong")) } else { Ok(written) }
    }
}

#[test]
fn histories_find_a_stale_read() {
    let violation = violation(|| Wrong::made(Kind::StaleRead), 200).expect("it is found");
    assert!(matches!(violation.rule, Rule::Order | Rule::Deadline), "{violation}");
}

#[test]
fn histories_find_an_acknowledged_write_that_is_lost() {
    assert!(violation(|| Wrong::made(Kind::LostWrite), 200).is_some());
    assert!(violation(|| Wrong::made(Kind::LostDestroy), 200).is_some());
}

#[test]
fn writes_that_took_effect_without_an_answer_are_accepted() {
    assert_eq!(violation(|| Wrong::made(Kind::Error), 200), None);
}

#[tokio::test]
async fn a_history_is_read_back_from_its_file() {
    let file = std::env::temp_dir().join(format!("session-history-{}", std::process::id()));
    let recorder = Recorder::to_file(Arc::new(MemoryStore::new()), &file).unwrap();
    Plan::default().run(std::slice::from_ref(&recorder)).await;
    let events = read(&file);
    // What a killed process may leave at the end.
    let mut torn = std::fs::read(&file).unwrap();
    torn.extend(b"[40,{\"client\":0");
    std::fs::write(&file, torn).unwrap();
    let torn = read(&file);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(events.unwrap(), recorder.events());
    assert_eq!(torn.unwrap(), recorder.events());
}

#[tokio::test]
async fn a_call_that_is_given_up_stays_unknown() {
    use session_conformance::history::Answer;
    use session_testkit::{GateStore, Verb, When};

    let gate = GateStore::over(Arc::new(MemoryStore::new()) as Arc<dyn SessionStore>);
    let closed = gate.hold(Verb::Load, When::Before);
    let recorder = Recorder::new(Arc::new(gate.clone()));
    let key = StoreKey::from_bytes([1; 32]);
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(20), recorder.load(&key));
    assert!(waiting.await.is_err());
    drop(closed);
    let events = recorder.events();
    assert_eq!((events[0].answer, events[0].returned), (Answer::Unknown, None));
}
