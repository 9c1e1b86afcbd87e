//! Concurrent requests of one visitor, as the middleware of tower-sessions makes them.

use std::sync::Arc;
use std::time::Duration;

use session_core::store::SessionStore;
use session_tower_bridge::TowerSessionsBridge;
use time::OffsetDateTime;

use crate::stores::{files, memory, redis};

use super::theirs::session::{Id, Record};
use super::theirs::{Session, SessionStore as TheirStore};

/// A request that brings this session's cookie.
fn request(store: &TowerSessionsBridge, id: Id) -> Session {
    Session::new(Some(id), Arc::new(store.clone()), None)
}

/// A session with one value.
async fn session(store: &TowerSessionsBridge) -> Id {
    let session = Session::new(None, Arc::new(store.clone()), None);
    session.insert("user", "ada").await.unwrap();
    session.save().await.unwrap();
    session.id().unwrap()
}

async fn value(store: &TowerSessionsBridge, id: Id, name: &str) -> Option<u64> {
    request(store, id).get(name).await.unwrap()
}

async fn increments_of_different_keys_lose_nothing(store: Arc<dyn SessionStore>, writers: usize, times: u64) {
    // Two bridges, as in two processes.
    let bridges = [TowerSessionsBridge::shared(store.clone()), TowerSessionsBridge::shared(store)];
    let id = session(&bridges[0]).await;
    let tasks = (0..writers).map(|writer| {
        let store = bridges[writer % 2].clone();
        tokio::spawn(async move {
            let name = format!("count-{writer}");
            for _ in 0..times {
                let session = request(&store, id);
                let count: u64 = session.get(&name).await.unwrap().unwrap_or(0);
                session.insert(&name, count + 1).await.unwrap();
                session.save().await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    for writer in 0..writers {
        assert_eq!(value(&bridges[0], id, &format!("count-{writer}")).await, Some(times), "writer {writer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn increments_of_different_keys_lose_nothing_in_memory() {
    increments_of_different_keys_lose_nothing(memory(), 64, 50).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn increments_of_different_keys_lose_nothing_in_files() {
    let (_directory, store) = files();
    increments_of_different_keys_lose_nothing(store, 16, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn increments_of_different_keys_lose_nothing_in_redis() {
    increments_of_different_keys_lose_nothing(redis().await, 64, 50).await;
}

#[tokio::test]
async fn a_logout_with_a_request_in_flight_stays_a_logout() {
    let (_directory, file) = files();
    for store in [memory(), file, redis().await] {
        let store = TowerSessionsBridge::shared(store);
        let id = session(&store).await;
        let (slow, cleared) = (request(&store, id), request(&store, id));
        slow.insert("seen", 1).await.unwrap();
        cleared.clear().await;
        cleared.insert("seen", 2).await.unwrap();
        request(&store, id).flush().await.unwrap();
        assert!(slow.save().await.is_err());
        assert!(cleared.save().await.is_err());
        assert_eq!(store.load(&id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_request_in_flight_does_not_revive_an_id_that_was_cycled() {
    let store = TowerSessionsBridge::shared(memory());
    let id = session(&store).await;
    let slow = request(&store, id);
    slow.insert("seen", 1).await.unwrap();
    let sign_in = request(&store, id);
    sign_in.cycle_id().await.unwrap();
    sign_in.insert("signed-in", 1).await.unwrap();
    sign_in.save().await.unwrap();
    let new = sign_in.id().unwrap();
    assert!(slow.save().await.is_err());
    assert_ne!(new, id);
    assert_eq!(store.load(&id).await.unwrap(), None);
    assert_eq!(value(&store, new, "signed-in").await, Some(1));
    assert_eq!(request(&store, new).get::<String>("user").await.unwrap().as_deref(), Some("ada"));
}

#[tokio::test]
async fn two_requests_keep_what_each_of_them_changed_and_the_later_wins_where_both_did() {
    let store = TowerSessionsBridge::shared(memory());
    let id = session(&store).await;
    let before = request(&store, id);
    for name in ["kept", "changed", "removed", "both"] {
        before.insert(name, 0).await.unwrap();
    }
    before.save().await.unwrap();
    let (early, late) = (request(&store, id), request(&store, id));
    late.get_value("kept").await.unwrap();
    early.insert("early", 1).await.unwrap();
    early.insert("both", 1).await.unwrap();
    early.remove_value("removed").await.unwrap();
    late.insert("late", 2).await.unwrap();
    late.insert("changed", 2).await.unwrap();
    late.insert("both", 2).await.unwrap();
    early.save().await.unwrap();
    late.save().await.unwrap();
    let record = store.load(&id).await.unwrap().unwrap();
    let mut values: Vec<_> = record.data.iter().map(|(name, value)| format!("{name}={value}")).collect();
    values.sort_unstable();
    assert_eq!(values, ["both=2", "changed=2", "early=1", "kept=0", "late=2", "user=\"ada\""]);
}

#[tokio::test]
async fn a_request_may_save_several_times_and_change_its_mind() {
    let store = TowerSessionsBridge::shared(memory());
    let id = session(&store).await;
    let (long, other) = (request(&store, id), request(&store, id));
    other.insert("other", 0).await.unwrap();
    long.insert("step", 1).await.unwrap();
    long.save().await.unwrap();
    other.save().await.unwrap();
    long.remove_value("step").await.unwrap();
    long.insert("next", 2).await.unwrap();
    long.save().await.unwrap();
    other.insert("other", 3).await.unwrap();
    other.save().await.unwrap();
    long.insert("last", 4).await.unwrap();
    long.save().await.unwrap();
    assert_eq!(value(&store, id, "step").await, None);
    assert_eq!(value(&store, id, "next").await, Some(2));
    assert_eq!(value(&store, id, "other").await, Some(3));
    assert_eq!(value(&store, id, "last").await, Some(4));
}

#[tokio::test]
async fn clones_of_one_load_are_writers_of_their_own() {
    let store = TowerSessionsBridge::shared(memory());
    let id = session(&store).await;
    let loaded = store.load(&id).await.unwrap().unwrap();
    let mut copies: Vec<Record> = vec![loaded; 8];
    for (number, copy) in copies.iter_mut().enumerate() {
        copy.data.insert(format!("copy-{number}"), 1.into());
    }
    for copy in &copies {
        store.save(copy).await.unwrap();
    }
    let data = store.load(&id).await.unwrap().unwrap().data;
    assert_eq!(data.len(), 9, "{data:?}");
}

#[tokio::test]
async fn a_clear_removes_what_the_request_saw() {
    let store = TowerSessionsBridge::shared(memory());
    let id = session(&store).await;
    let (clears, other, blind) = (request(&store, id), request(&store, id), request(&store, id));
    clears.get_value("user").await.unwrap();
    other.insert("other", 1).await.unwrap();
    other.save().await.unwrap();
    clears.clear().await;
    clears.save().await.unwrap();
    let data = store.load(&id).await.unwrap().unwrap().data;
    assert_eq!(data.keys().collect::<Vec<_>>(), ["other"]);
    // A request that clears the session without having read it replaces all of it.
    blind.clear().await;
    blind.save().await.unwrap();
    assert!(store.load(&id).await.unwrap().unwrap().data.is_empty());
}

#[tokio::test]
async fn a_record_of_unknown_origin_replaces_the_session_whole() {
    let store = TowerSessionsBridge::shared(memory()).with_memory(0);
    let id = session(&store).await;
    let expiry_date = OffsetDateTime::now_utc() + Duration::from_secs(60);
    let made = Record { id, data: [("made".to_owned(), 1.into())].into(), expiry_date };
    store.save(&made).await.unwrap();
    assert_eq!(store.load(&id).await.unwrap(), Some(made));
}
