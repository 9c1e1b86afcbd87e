//! The cost of each verb: one request, counted as it is sent.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use crate::common;
use crate::common::*;
use session_core::store::{Etag, OwnerIndex, SessionStore, Written};

#[tokio::test]
async fn every_verb_on_a_session_of_nobody_is_one_request() {
    let bench = Bench::new().await;
    bench.learn().await;
    let (store, wire) = (&bench.store, &bench.wire);
    let (first, second, third) = (record(HOUR), record(HOUR), record(HOUR));
    let (old, new, until) = (key(), key(), NOW.plus(MINUTE));

    applied(store.create(&old, &first, NOW).await);
    assert_eq!(wire.taken(), ["PutItem"]);
    assert_eq!(found(store.load(&old).await), first);
    assert_eq!(wire.taken(), ["GetItem"]);
    applied(store.replace(&old, first.etag, &second, NOW).await);
    assert_eq!(wire.taken(), ["UpdateItem"]);
    applied(store.touch(&old, NOW.plus(HOUR * 2), NOW).await);
    assert_eq!(wire.taken(), ["UpdateItem"]);
    applied(store.rotate(&old, second.etag, &new, &third, NOW, until).await);
    assert_eq!(wire.taken(), ["TransactWriteItems"]);
    store.destroy(&new, until).await.unwrap();
    assert_eq!(wire.taken(), ["PutItem"]);
}

#[tokio::test]
async fn every_verb_on_an_owned_session_is_one_request_while_the_owner_stays() {
    let bench = Bench::new().await;
    bench.learn().await;
    let (store, wire) = (&bench.store, &bench.wire);
    let (first, second, third) = (owned("ada"), owned("ada"), owned("ada"));
    let (old, new, until) = (key(), key(), NOW.plus(MINUTE));

    applied(store.create(&old, &first, NOW).await);
    assert_eq!(wire.taken(), ["TransactWriteItems"]);
    applied(store.replace(&old, first.etag, &second, NOW).await);
    assert_eq!(wire.taken(), ["UpdateItem"]);
    applied(store.touch(&old, NOW.plus(HOUR * 2), NOW).await);
    assert_eq!(wire.taken(), ["UpdateItem"]);
    applied(store.rotate(&old, second.etag, &new, &third, NOW, until).await);
    assert_eq!(wire.taken(), ["TransactWriteItems"]);
    store.destroy(&new, until).await.unwrap();
    assert_eq!(wire.taken(), ["PutItem"]);
}

#[tokio::test]
async fn a_refusal_brings_the_item_and_costs_no_second_request() {
    let bench = Bench::new().await;
    bench.learn().await;
    let (store, wire) = (&bench.store, &bench.wire);
    let (key, first, until) = (key(), record(HOUR), NOW.plus(MINUTE));
    applied(store.create(&key, &first, NOW).await);
    wire.taken();

    let lost = store.replace(&key, Etag::new(1), &record(HOUR), NOW).await.unwrap();
    assert_eq!(lost, Written::Conflict(first.clone()));
    assert_eq!(store.create(&key, &record(HOUR), NOW).await.unwrap(), Written::Taken);
    applied(store.touch(&key, first.idle_deadline, NOW).await);
    let new = common::key();
    let lost = store.rotate(&key, Etag::new(1), &new, &record(HOUR), NOW, until).await.unwrap();
    assert_eq!(lost, Written::Conflict(first.clone()));
    let missing = common::key();
    assert_eq!(store.replace(&missing, first.etag, &record(HOUR), NOW).await.unwrap(), Written::Gone);
    assert_eq!(store.touch(&missing, NOW.plus(HOUR), NOW).await.unwrap(), Written::Gone);
    store.destroy(&missing, until).await.unwrap();
    assert_eq!(wire.taken().len(), 7);
}

#[tokio::test]
async fn only_a_change_of_owner_in_place_costs_a_transaction_more() {
    let bench = Bench::new().await;
    bench.learn().await;
    let (store, wire) = (&bench.store, &bench.wire);
    let (key, first, second, third) = (key(), record(HOUR), owned("ada"), record(HOUR));
    applied(store.create(&key, &first, NOW).await);
    wire.taken();
    applied(store.replace(&key, first.etag, &second, NOW).await);
    assert_eq!(wire.taken(), ["UpdateItem", "TransactWriteItems"]);
    applied(store.replace(&key, second.etag, &third, NOW).await);
    assert_eq!(wire.taken(), ["UpdateItem"]);
}

#[tokio::test]
async fn a_month_of_touches_moves_the_owner_entry_once() {
    let bench = Bench::new().await;
    bench.learn().await;
    let (store, wire, key) = (&bench.store, &bench.wire, key());
    let first = owned("ada").with_absolute_deadline(None);
    applied(store.create(&key, &first, NOW).await);
    wire.taken();
    for hour in 1..=24 * 31 {
        let now = NOW.plus(HOUR * hour).minus(MINUTE);
        applied(store.touch(&key, now.plus(HOUR * 2), now).await);
    }
    let calls = wire.taken();
    assert_eq!(calls.iter().filter(|call| *call == "TransactWriteItems").count(), 1);
    assert_eq!(calls.len(), 24 * 31 + 1);
    let late = NOW.plus(HOUR * 24 * 31);
    assert_eq!(store.list("ada", late).await.unwrap().len(), 1);
}

#[tokio::test]
async fn st_9_a_record_over_the_limit_is_refused_before_any_request() {
    let bench = Bench::new().await;
    let store = bench.again().max_record(100).build().unwrap();
    let large = record(HOUR).with_payload(vec![b' '; 101].into());
    let until = NOW.plus(MINUTE);
    for answer in [
        store.create(&key(), &large, NOW).await,
        store.replace(&key(), Etag::new(1), &large, NOW).await,
        store.rotate(&key(), Etag::new(1), &key(), &large, NOW, until).await,
    ] {
        let kind = answer.unwrap_err().kind();
        assert_eq!(kind, session_core::store::StoreErrorKind::TooLarge { size: 101, limit: 100 });
    }
    assert!(bench.wire.taken().is_empty());
}

#[tokio::test]
async fn the_largest_record_that_may_be_configured_fits() {
    let bench = Bench::new().await;
    let store = bench.again().max_record(390 * 1024).build().unwrap();
    for byte in [b' ', 0xff] {
        let payload = vec![byte; 390 * 1024 - 3].into();
        let (key, large) = (key(), owned("ada").with_payload(payload));
        applied(store.create(&key, &large, NOW).await);
        assert_eq!(found(store.load(&key).await), large);
    }
}
