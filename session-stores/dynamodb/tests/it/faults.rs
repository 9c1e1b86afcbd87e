//! A server that dies, stalls and loses answers: typed errors within the deadline, and success after its return.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::common::*;
use session_core::store::{Loaded, OwnerIndex, Record, SessionStore, StoreErrorKind, StoreKey, Written};
use session_store_dynamodb::DynamoDbStore;
use session_test_servers::{Kind, start};

const DEADLINE: Duration = Duration::from_millis(500);
/// A busy machine wakes a timer late. A call without a deadline would wait until its server goes on.
const LEEWAY: Duration = Duration::from_secs(20);

/// A store with this deadline.
fn store_within(url: &str, deadline: Duration) -> DynamoDbStore {
    DynamoDbStore::from_url(url).unwrap().deadline(deadline).build().unwrap()
}

/// The session that is there once the store is back, which it soon is.
async fn found_soon(store: &DynamoDbStore, key: &StoreKey) -> Record {
    let begin = Instant::now();
    loop {
        match store.load(key).await {
            Ok(loaded) => return found(Ok(loaded)),
            Err(error) => assert!(begin.elapsed() < LEEWAY, "it does not come back: {error}"),
        }
    }
}

async fn lose(bench: &Bench) {
    bench.wire.lose.store(1, Ordering::SeqCst);
}

#[tokio::test]
async fn a_dead_server_is_unavailable_within_the_deadline_and_back_when_it_is_back() {
    let server = start(Kind::DynamoDb).unwrap();
    let (patient, store) = (store_within(&server.url(), MINUTE), store_within(&server.url(), DEADLINE));
    patient.create_table().await.unwrap();
    let (key, first) = (key(), record(HOUR));
    applied(patient.create(&key, &first, NOW).await);
    assert_eq!(found_soon(&store, &key).await, first);
    server.kill9();
    for _ in 0..3 {
        let begin = Instant::now();
        let kind = store.load(&key).await.unwrap_err().kind();
        assert!(matches!(kind, StoreErrorKind::Unavailable | StoreErrorKind::Timeout), "{kind:?}");
        assert!(begin.elapsed() < DEADLINE + LEEWAY, "{:?}", begin.elapsed());
    }
    server.restart().unwrap();
    assert_eq!(found_soon(&store, &key).await, first);
}

#[tokio::test]
async fn a_stalled_server_is_a_timeout_at_the_deadline() {
    let server = start(Kind::DynamoDb).unwrap();
    let (patient, store) = (store_within(&server.url(), MINUTE), store_within(&server.url(), DEADLINE));
    patient.create_table().await.unwrap();
    let (key, first) = (key(), owned("ada"));
    applied(patient.create(&key, &first, NOW).await);
    assert_eq!(found_soon(&store, &key).await, first);
    server.pause();
    let begin = Instant::now();
    assert_eq!(store.load(&key).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    let late = store.replace(&key, first.etag, &owned("ada"), NOW).await;
    assert_eq!(late.unwrap_err().kind(), StoreErrorKind::Timeout);
    assert_eq!(store.list("ada", NOW).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    assert!(begin.elapsed() < DEADLINE * 3 + LEEWAY, "{:?}", begin.elapsed());
    server.resume();
    found_soon(&store, &key).await;
}

#[tokio::test]
async fn a_missing_table_is_refused_and_says_so_without_any_value() {
    let bench = Bench::new().await;
    let store = DynamoDbStore::new(bench.client.clone(), "no-such-table").build().unwrap();
    let error = store.create(&key(), &record(HOUR), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(error.to_string(), "the dynamodb session store refused the operation");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("PutItem was answered with ResourceNotFoundException"), "{cause}");
    assert!(!cause.contains("cart"), "{cause}");
}

#[tokio::test]
async fn asked_again_after_a_lost_answer_every_write_says_applied() {
    for knows_less in [false, true] {
        let bench = Bench::with(Wire { knows_less, ..Wire::default() }).await;
        let (store, until) = (&bench.store, NOW.plus(MINUTE));
        let (old, new) = (key(), key());
        let (first, second, third) = (record(HOUR), owned("ada"), owned("ada"));

        lose(&bench).await;
        assert!(store.create(&old, &first, NOW).await.is_err());
        applied(store.create(&old, &first, NOW).await);

        lose(&bench).await;
        assert!(store.replace(&old, first.etag, &second, NOW).await.is_err());
        applied(store.replace(&old, first.etag, &second, NOW).await);

        lose(&bench).await;
        assert!(store.rotate(&old, second.etag, &new, &third, NOW, until).await.is_err());
        // Later, so not the same request: what stands in the table is what answers.
        let later = NOW.plus(Duration::from_secs(1));
        applied(store.rotate(&old, second.etag, &new, &third, later, until).await);
        assert_eq!(found(store.load(&new).await), third);
        assert_eq!(store.count("ada", NOW).await.unwrap(), 1);

        lose(&bench).await;
        assert!(store.destroy(&new, until).await.is_err());
        store.destroy(&new, until).await.unwrap();
        assert_eq!(store.load(&new).await.unwrap(), Loaded::Ended { until });
        // A yes that was true once is not remembered: the session has ended since.
        let ended = store.rotate(&old, second.etag, &new, &third, NOW, until).await.unwrap();
        assert_eq!(ended, Written::Gone);
    }
}

#[tokio::test]
async fn a_rotation_in_steps_that_breaks_anywhere_loses_nothing_and_revives_nothing() {
    let until = NOW.plus(MINUTE);
    for broken in 1..=7 {
        let bench = Bench::with(Wire { knows_less: true, ..Wire::default() }).await;
        let (old, new, first, moved) = (key(), key(), owned("ada"), owned("ada"));
        applied(bench.store.create(&old, &first, NOW).await);
        bench.wire.taken();
        bench.wire.lose_nth.store(broken, Ordering::SeqCst);
        let tried = bench.store.rotate(&old, first.etag, &new, &moved, NOW, until).await;
        bench.wire.lose_nth.store(0, Ordering::SeqCst);
        let old_lives = matches!(bench.store.load(&old).await.unwrap(), Loaded::Found(_));
        let new_lives = matches!(bench.store.load(&new).await.unwrap(), Loaded::Found(_));
        assert!(old_lives || new_lives, "after call {broken}: {tried:?}");
        applied(bench.store.rotate(&old, first.etag, &new, &moved, NOW, until).await);
        assert_eq!(bench.store.load(&old).await.unwrap(), Loaded::Ended { until });
        assert_eq!(found(bench.store.load(&new).await), moved);
        assert_eq!(bench.store.count("ada", NOW).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_rotation_in_steps_that_comes_too_late_leaves_no_new_key() {
    let bench = Bench::with(Wire { knows_less: true, ..Wire::default() }).await;
    for _ in 0..40 {
        let (old, new, first, moved) = (key(), key(), owned("ada"), owned("ada"));
        applied(bench.store.create(&old, &first, NOW).await);
        let until = NOW.plus(MINUTE);
        let (rotated, destroyed) = tokio::join!(
            bench.store.rotate(&old, first.etag, &new, &moved, NOW, until),
            bench.store.destroy(&old, until),
        );
        destroyed.unwrap();
        let new_lives = matches!(bench.store.load(&new).await.unwrap(), Loaded::Found(_));
        assert_eq!(new_lives, rotated.unwrap() == Written::Applied);
        assert_eq!(bench.store.load(&old).await.unwrap(), Loaded::Ended { until });
    }
}
