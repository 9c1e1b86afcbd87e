//! The contract of tower-sessions' store trait, and what the bridge adds to it.

use std::time::Duration;

use session_core::Timestamp;
use session_core::store::SessionStore as _;
use session_store_memory::MemoryStore;
use session_testkit::ManualClock;
use session_tower_bridge::TowerSessionsBridge;
use time::OffsetDateTime;

use super::theirs::session::{Id, Record};
use super::theirs::session_store::{Error, ExpiredDeletion as _};
use super::theirs::{Session, SessionStore};

fn record() -> Record {
    let data = [("user".to_owned(), "ada".into()), ("hits".to_owned(), 3.into())].into();
    Record { id: Id::default(), data, expiry_date: OffsetDateTime::now_utc() + Duration::from_secs(3_600) }
}

fn bridge() -> TowerSessionsBridge {
    TowerSessionsBridge::new(MemoryStore::new())
}

#[tokio::test]
async fn what_was_created_is_loaded_exactly() {
    let store = bridge();
    let mut record = record();
    let values = [1.0e-7, 0.1 + 0.2, f64::MAX, -0.0];
    record.data.extend(values.iter().map(|value| (value.to_string(), (*value).into())));
    record.data.extend([("null".to_owned(), serde_json::Value::Null), (String::new(), u64::MAX.into())]);
    store.create(&mut record).await.unwrap();
    assert_eq!(store.load(&record.id).await.unwrap().as_ref(), Some(&record));
    record.data.insert("more".to_owned(), true.into());
    record.expiry_date += Duration::from_nanos(1_234_567);
    store.save(&record).await.unwrap();
    assert_eq!(store.load(&record.id).await.unwrap(), Some(record));
}

#[tokio::test]
async fn an_id_that_is_taken_is_drawn_again() {
    let store = bridge();
    let (mut first, mut second) = (record(), record());
    second.id = first.id;
    second.data.clear();
    store.create(&mut first).await.unwrap();
    store.create(&mut second).await.unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(store.load(&first.id).await.unwrap(), Some(first));
    assert_eq!(store.load(&second.id).await.unwrap(), Some(second));
}

#[tokio::test]
async fn a_deleted_session_is_not_saved_and_its_id_is_not_used_again() {
    let store = bridge();
    let mut record = record();
    store.create(&mut record).await.unwrap();
    let loaded = store.load(&record.id).await.unwrap().unwrap();
    store.delete(&record.id).await.unwrap();
    store.delete(&record.id).await.unwrap();
    assert!(matches!(store.save(&loaded).await, Err(Error::Backend(_))));
    assert!(matches!(store.save(&record).await, Err(Error::Backend(_))));
    assert_eq!(store.load(&record.id).await.unwrap(), None);
    let ended = record.id;
    store.create(&mut record).await.unwrap();
    assert_ne!(record.id, ended);
}

#[tokio::test]
async fn an_id_that_was_not_issued_is_not_adopted() {
    let store = bridge();
    let planted = record();
    let error = store.save(&planted).await.unwrap_err();
    assert_eq!(error.to_string(), "the session was ended while the request ran");
    let session = Session::new(Some(planted.id), std::sync::Arc::new(store.clone()), None);
    session.clear().await;
    assert!(session.save().await.is_err());
    assert_eq!(store.load(&planted.id).await.unwrap(), None);
}

#[tokio::test]
async fn an_expired_session_is_neither_loaded_nor_saved() {
    let clock = ManualClock::at(OffsetDateTime::now_utc().into());
    let store = bridge().with_clock(clock.clone());
    let mut record = record();
    store.create(&mut record).await.unwrap();
    clock.advance(Duration::from_secs(3_599));
    let loaded = store.load(&record.id).await.unwrap().unwrap();
    clock.advance(Duration::from_secs(2));
    assert_eq!(store.load(&record.id).await.unwrap(), None);
    assert!(store.save(&loaded).await.is_err());
}

#[tokio::test]
async fn a_save_moves_the_expiry_both_ways() {
    let store = bridge();
    let mut record = record();
    store.create(&mut record).await.unwrap();
    for seconds in [60, 86_400, 600] {
        record.expiry_date = OffsetDateTime::now_utc() + Duration::from_secs(seconds);
        store.save(&record).await.unwrap();
        assert_eq!(store.load(&record.id).await.unwrap().unwrap().expiry_date, record.expiry_date);
    }
    for end in [time::PrimitiveDateTime::MAX, time::PrimitiveDateTime::MIN] {
        record.expiry_date = end.assume_utc();
        store.save(&record).await.unwrap();
    }
    assert_eq!(store.load(&record.id).await.unwrap(), None);
}

#[tokio::test]
async fn expired_sessions_are_deleted_as_in_their_stores() {
    let clock = ManualClock::at(Timestamp::now());
    let (inner, store) = (MemoryStore::new(), bridge());
    drop(store);
    let store = TowerSessionsBridge::new(inner.clone()).with_clock(clock.clone());
    for _ in 0..10 {
        store.create(&mut record()).await.unwrap();
    }
    clock.advance(Duration::from_secs(7_200));
    store.delete_expired().await.unwrap();
    assert_eq!(
        inner.sweeper().unwrap().sweep(Timestamp::from_millis(i64::MAX), 100).await.unwrap().removed,
        0
    );
}

#[tokio::test]
async fn the_store_sees_a_hash_of_the_id_and_an_error_no_value() {
    let inner = MemoryStore::new();
    let store = TowerSessionsBridge::new(inner.clone());
    let mut record = record();
    store.create(&mut record).await.unwrap();
    let key = TowerSessionsBridge::store_key(record.id.0);
    assert!(matches!(inner.load(&key).await.unwrap(), session_core::store::Loaded::Found(_)));
    assert!(!format!("{store:?}").contains("ada"));
    let mut deep = serde_json::Value::from("ada");
    (0..70).for_each(|_| deep = vec![deep.clone()].into());
    record.data.insert("deep".to_owned(), deep);
    let error = store.save(&record).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Encoding failed with: the session's values are nested more than 64 levels deep"
    );
    record.data.insert("deep".to_owned(), "x".repeat(100_000).into());
    let error = store.save(&record).await.unwrap_err();
    assert!(matches!(&error, Error::Backend(text) if text.contains("keeps at most 65536")), "{error}");
}

#[tokio::test]
async fn a_users_sessions_are_listed_and_ended() {
    let inner = MemoryStore::new();
    let store = TowerSessionsBridge::new(inner.clone())
        .with_owner(|data| data.get("user").and_then(|user| user.as_str()).map(str::to_owned));
    let (mut first, mut second) = (record(), record());
    second.data.insert("user".to_owned(), "bob".into());
    store.create(&mut first).await.unwrap();
    store.create(&mut second).await.unwrap();
    let owners = inner.owners().unwrap();
    assert_eq!(owners.count("ada", Timestamp::now()).await.unwrap(), 1);
    second.data.insert("user".to_owned(), "ada".into());
    store.save(&second).await.unwrap();
    let until = Timestamp::now().plus(Duration::from_secs(60));
    assert_eq!(owners.destroy_all("ada", None, Timestamp::now(), until).await.unwrap(), 2);
    assert_eq!(store.load(&first.id).await.unwrap(), None);
    assert!(store.save(&second).await.is_err());
}
