//! A number that many writers increment: at the end it equals the number of acknowledged increments.

use std::sync::Arc;
use std::time::Duration;

use session_core::{
    Timestamp,
    adapter::{Clock as _, SystemClock},
    store::{Loaded, Record, SessionStore, StoreKey, Written},
};
use tokio::task::JoinSet;

use crate::suite::trial::{fine, fresh_etag, fresh_key, record_at};

/// Creates a counter, increments it from `writers` tasks `each` times, and compares the result.
///
/// # Panics
/// If an increment is lost or counted twice, or the store fails.
///
/// ```
/// use session_conformance::crowd::no_increment_is_lost;
///
/// # #[tokio::main] async fn main() {
/// no_increment_is_lost(std::sync::Arc::new(session_store_memory::MemoryStore::new()), 64, 50).await;
/// # }
/// ```
pub async fn no_increment_is_lost(store: Arc<dyn SessionStore>, writers: usize, each: usize) {
    let key = counter(&store).await;
    increments(&store, &key, writers, each).await;
    assert_eq!(count(&store, &key).await, writers * each, "every acknowledged increment, once");
}

/// Increments the number in a session from `writers` tasks, `each` times, and retries until each write is acknowledged.
/// After a conflict a task waits with exponential backoff and jitter, as the library does.
///
/// ```
/// use session_core::{adapter::{Clock, SystemClock}, machine::SessionId, store::{Etag, Record, SessionStore}};
/// use session_conformance::crowd::increments;
///
/// # #[tokio::main] async fn main() {
/// let store: std::sync::Arc<dyn SessionStore> = std::sync::Arc::new(session_store_memory::MemoryStore::new());
/// let (key, now) = (SessionId::from_bytes([7; 32]).store_key(), SystemClock.now());
/// let counter = Record::new(Etag::new(1), now, now.plus(std::time::Duration::from_secs(60)), "0".as_bytes().into());
/// store.create(&key, &counter, now).await.unwrap();
/// increments(&store, &key, 8, 5).await;
/// # }
/// ```
pub async fn increments(store: &Arc<dyn SessionStore>, key: &StoreKey, writers: usize, each: usize) {
    let now = SystemClock.now();
    let mut crowd = JoinSet::new();
    for _ in 0..writers {
        let (store, key) = (Arc::clone(store), *key);
        crowd.spawn(async move {
            let mut current = found(&store, &key).await;
            let mut pause = SHORTEST;
            for _ in 0..each {
                current = increment(&store, &key, current, now, &mut pause).await;
            }
        });
    }
    while let Some(writer) = crowd.join_next().await {
        writer.expect("a writer comes to its end");
    }
}

/// Increments the number, retries on conflicts, and returns the record that is stored.
async fn increment(
    store: &Arc<dyn SessionStore>,
    key: &StoreKey,
    mut current: Record,
    now: Timestamp,
    pause: &mut Duration,
) -> Record {
    loop {
        let payload = (number(&current) + 1).to_string().into_bytes().into();
        let next = current.clone().with_etag(fresh_etag()).with_payload(payload);
        match fine("replace", store.replace(key, current.etag, &next, now).await) {
            Written::Applied => {
                *pause = (*pause / 2).max(SHORTEST);
                return next;
            }
            Written::Conflict(newer) => current = newer,
            other => panic!("the session lives and its key is its own; got {other:?}"),
        }
        let share = f64::from(u16::try_from(fresh_etag().get() >> 48).expect("16 bits")) / 65_536.0;
        tokio::time::sleep(pause.mul_f64(share)).await;
        *pause = (*pause * 2).min(LONGEST);
    }
}

/// Creates a session with the number zero.
pub(crate) async fn counter(store: &Arc<dyn SessionStore>) -> StoreKey {
    let (key, now) = (fresh_key(), SystemClock.now());
    let created = fine("create", store.create(&key, &record_at(now, "0"), now).await);
    assert_eq!(created, Written::Applied, "a new session");
    key
}

pub(crate) async fn count(store: &Arc<dyn SessionStore>, key: &StoreKey) -> usize {
    number(&found(store, key).await)
}

async fn found(store: &Arc<dyn SessionStore>, key: &StoreKey) -> Record {
    match fine("load", store.load(key).await) {
        Loaded::Found(record) => record,
        other => panic!("the session lives; found {other:?}"),
    }
}

fn number(record: &Record) -> usize {
    let text = std::str::from_utf8(&record.payload).expect("the writers wrote text");
    text.parse().expect("the writers wrote a number")
}

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(512);
