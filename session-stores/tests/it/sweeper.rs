//! The sweeper: removes expired sessions in batches, and continues after errors and panics. Time is paused; nothing sleeps.
#![allow(clippy::unwrap_used, reason = "the doubles of these tests")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_core::{
    Timestamp,
    adapter::Clock,
    store::{Etag, Loaded, Record, SessionStore, StoreError, StoreKey, Sweep, Swept, Written, async_trait},
};
use session_stores::{MemoryStore, Round, Sweeper, SweeperBuilder};
use tokio::time::Instant;

/// Two minutes after 1970: what died in the first one is swept.
#[derive(Debug)]
struct TwoMinutes;

impl Clock for TwoMinutes {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(120_000)
    }
}

/// A store whose sweeps follow a script: how many to remove, or how to fail.
#[derive(Debug, Default)]
struct Scripted {
    script: Mutex<Vec<&'static str>>,
    calls: AtomicUsize,
    /// When each sweep began.
    moments: Mutex<Vec<Instant>>,
}

#[async_trait]
impl Sweep for Scripted {
    async fn sweep(&self, _: Timestamp, most: usize) -> Result<Swept, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.moments.lock().unwrap().push(Instant::now());
        let step = self.script.lock().unwrap().pop();
        match step {
            Some("fail") => Err(StoreError::timeout("scripted")),
            Some("panic") => panic!("out of cheese"),
            Some("full") => Ok(Swept { removed: most, more: true }),
            Some("slow") => {
                tokio::time::sleep(Duration::from_secs(5)).await;
                Ok(Swept { removed: most, more: true })
            }
            _ => Ok(Swept { removed: 0, more: false }),
        }
    }
}

#[async_trait]
impl SessionStore for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }
    async fn load(&self, _: &StoreKey) -> Result<Loaded, StoreError> {
        Ok(Loaded::Missing)
    }
    async fn create(&self, _: &StoreKey, _: &Record, _: Timestamp) -> Result<Written, StoreError> {
        Ok(Written::Taken)
    }
    async fn replace(&self, _: &StoreKey, _: Etag, _: &Record, _: Timestamp) -> Result<Written, StoreError> {
        Ok(Written::Gone)
    }
    async fn touch(&self, _: &StoreKey, _: Timestamp, _: Timestamp) -> Result<Written, StoreError> {
        Ok(Written::Gone)
    }
    async fn destroy(&self, _: &StoreKey, _: Timestamp) -> Result<Written, StoreError> {
        Ok(Written::Applied)
    }
    async fn rotate(
        &self,
        _: &StoreKey,
        _: Etag,
        _: &StoreKey,
        _: &Record,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Written, StoreError> {
        Ok(Written::Gone)
    }
    fn sweeper(&self) -> Option<&dyn Sweep> {
        self.script.lock().unwrap().first().is_none_or(|first| *first != "native").then_some(self)
    }
}

fn scripted(steps: &[&'static str]) -> Arc<Scripted> {
    Arc::new(Scripted { script: Mutex::new(steps.iter().rev().copied().collect()), ..Scripted::default() })
}

/// The sweeper of a store, and what it reported.
fn watched(store: Arc<dyn SessionStore>) -> (SweeperBuilder, Arc<Mutex<Vec<String>>>) {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&reports);
    let builder = Sweeper::of(store).unwrap().clock(TwoMinutes).report(move |round| {
        heard.lock().unwrap().push(match round {
            Round::Done { removed, batches } => format!("{removed} in {batches}"),
            Round::Failed { removed, error } => format!("{removed}, then: {error}"),
            Round::Panicked(message) => format!("panic: {message}"),
            other => format!("{other:?}"),
        });
    });
    (builder, reports)
}

fn record(deadline: i64) -> Record {
    Record::new(
        Etag::new(1),
        Timestamp::from_millis(0),
        Timestamp::from_millis(deadline),
        b"{}".to_vec().into(),
    )
}

#[tokio::test(start_paused = true)]
async fn what_has_been_dead_for_a_minute_is_removed_in_batches_and_the_rest_stays() {
    let store = MemoryStore::new();
    for at in 0..7 {
        // The last two are dead as well, but not for long.
        let deadline = if at < 5 { 60_000 } else { 60_001 };
        store
            .create(&StoreKey::from_bytes([at; 32]), &record(deadline), Timestamp::from_millis(0))
            .await
            .unwrap();
    }
    let (builder, reports) = watched(Arc::new(store.clone()));
    let sweeper = builder.batch(2).spawn();
    sweeper.sweep_now().await;
    assert_eq!(store.stats().sessions(), 2);
    assert_eq!(*reports.lock().unwrap(), ["5 in 3"]);
    sweeper.stop().await;
}

#[tokio::test(start_paused = true)]
async fn peers_17_a_sweeper_survives_errors_and_panics() {
    let (builder, reports) = watched(scripted(&["full", "fail", "panic", "full"]));
    let sweeper = builder.batch(10).spawn();
    for _ in 0..3 {
        sweeper.sweep_now().await;
    }
    assert_eq!(
        *reports.lock().unwrap(),
        ["10, then: the scripted session store did not answer in time", "panic: out of cheese", "10 in 2"]
    );
    sweeper.stop().await;
}

#[tokio::test(start_paused = true)]
async fn it_comes_back_every_so_often_give_or_take_a_tenth() {
    let store = scripted(&[]);
    let (builder, _) = watched(store.clone());
    let sweeper = builder.every(Duration::from_secs(100)).spawn();
    tokio::time::sleep(Duration::from_secs(10_000)).await;
    let calls = store.calls.load(Ordering::SeqCst);
    assert!((90..=112).contains(&calls), "{calls}");
    sweeper.stop().await;
}

#[tokio::test(start_paused = true)]
async fn two_sweepers_that_start_together_do_not_sweep_together() {
    let stores = [scripted(&[]), scripted(&[])];
    let sweepers = stores.clone().map(|store| watched(store).0.every(Duration::from_secs(100)).spawn());
    tokio::time::sleep(Duration::from_secs(2_000)).await;
    let [one, other] = stores.map(|store| store.moments.lock().unwrap().clone());
    assert!(one.len() >= 17 && other.len() >= 17, "{} and {} rounds", one.len(), other.len());
    // Jitter is drawn from 32 bits for each: two equal rounds are not to be seen, let alone all.
    assert!(one.iter().zip(&other).any(|(one, other)| one != other));
    let pauses: Vec<_> = one.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(pauses.iter().any(|pause| *pause != pauses[0]), "no round comes like clockwork: {pauses:?}");
    for sweeper in sweepers {
        sweeper.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_the_batch_at_work_and_not_for_the_round() {
    let store = scripted(&["slow"; 50]);
    let (builder, reports) = watched(store.clone());
    let begun = Instant::now();
    let sweeper = builder.every(Duration::from_secs(1)).batch(10).pause(Duration::from_secs(60)).spawn();
    while store.calls.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    sweeper.stop().await;
    assert_eq!(*reports.lock().unwrap(), ["10 in 1"], "what it had removed is reported");
    assert_eq!(store.calls.load(Ordering::SeqCst), 1);
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_pause_between_two_batches_is_at_once() {
    let store = scripted(&["full"; 50]);
    let (builder, reports) = watched(store.clone());
    let sweeper = builder.every(Duration::from_secs(1)).batch(10).pause(Duration::from_secs(60)).spawn();
    while store.calls.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let begun = Instant::now();
    sweeper.stop().await;
    assert_eq!(*reports.lock().unwrap(), ["10 in 1"]);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_round_ends_after_its_batches_even_if_the_store_always_has_more() {
    let (builder, reports) = watched(scripted(&["full"; 50]));
    let sweeper = builder.batch(10).most_batches(5).spawn();
    sweeper.sweep_now().await;
    assert_eq!(*reports.lock().unwrap(), ["50 in 5"]);
    sweeper.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_sweeper_stops() {
    let store = scripted(&[]);
    let (builder, _) = watched(store.clone());
    drop(builder.every(Duration::from_secs(1)).spawn());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(store.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_does_not_end_the_sweeper() {
    let store = scripted(&[]);
    let sweeper = Sweeper::of(store.clone()).unwrap().report(|_| panic!("no ears")).spawn();
    sweeper.sweep_now().await;
    sweeper.sweep_now().await;
    assert_eq!(store.calls.load(Ordering::SeqCst), 2);
    sweeper.stop().await;
}

#[tokio::test]
async fn a_store_with_native_expiry_has_no_sweeper() {
    assert!(Sweeper::of(scripted(&["native"])).is_none());
}
