//! Concurrent rotations of one session, and the answer to each.

use std::sync::Arc;

use session_core::{
    Timestamp,
    store::{Etag, Loaded, StoreKey, Written},
};

use super::{Ground, LATER, NOW, Store, created, key, record, unique};

pub(crate) async fn rotate_answers_what_was_in_the_way<G: Ground>() {
    let ground = G::new().await;
    let store = ground.store();
    let (first, next) = (record("{}"), record("{}"));
    let (old, other) = (created(&store, &first).await, created(&store, &record("{}")).await);
    let wrong = Etag::new(unique());
    let rotate = async |old: StoreKey, etag: Etag, new: StoreKey, now: Timestamp| {
        store.rotate(&old, etag, &new, &next, now, LATER).await.unwrap()
    };
    assert_eq!(rotate(old, wrong, key(), NOW).await, Written::Conflict(first.clone()));
    assert_eq!(rotate(old, first.etag, other, NOW).await, Written::Taken);
    assert_eq!(rotate(old, first.etag, old, NOW).await, Written::Taken);
    assert_eq!(rotate(key(), first.etag, key(), NOW).await, Written::Gone);
    assert_eq!(rotate(old, first.etag, key(), LATER).await, Written::Gone);
    assert_eq!(store.load(&old).await.unwrap(), Loaded::Found(first.clone()));
    let new = key();
    assert_eq!(rotate(old, first.etag, new, NOW).await, Written::Applied);
    assert_eq!(rotate(old, first.etag, new, NOW).await, Written::Applied);
    assert_eq!(store.load(&old).await.unwrap(), Loaded::Ended { until: LATER });
    assert_eq!(store.load(&new).await.unwrap(), Loaded::Found(next.clone()));
    let moved = Written::Moved { key: new, record: next.clone() };
    assert_eq!(rotate(old, first.etag, key(), NOW).await, moved);
    assert_eq!(rotate(old, first.etag, key(), LATER).await, Written::Gone);
}

/// Of rotates to different keys one is applied; the old key is dead, and one new key is there.
pub(crate) async fn of_parallel_rotates_one_wins<G: Ground>() {
    let ground = G::new().await;
    rotates_race_on(ground.store(), 50).await;
}

pub(crate) async fn rotates_race_on(store: Store, rounds: usize) {
    for _ in 0..rounds {
        let first = record("{}");
        let old = created(&store, &first).await;
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let (store, etag) = (Arc::clone(&store), first.etag);
            set.spawn(async move {
                let new = key();
                let answer = store.rotate(&old, etag, &new, &record("{}"), NOW, LATER).await.unwrap();
                (new, answer)
            });
        }
        let mut applied = 0;
        for (new, answer) in set.join_all().await {
            let there = store.load(&new).await.unwrap();
            match answer {
                Written::Applied => {
                    applied += 1;
                    assert!(matches!(there, Loaded::Found(_)));
                }
                Written::Moved { .. } => assert_eq!(there, Loaded::Missing),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(applied, 1);
        assert!(matches!(store.load(&old).await.unwrap(), Loaded::Ended { .. }));
    }
}

/// The same rotate sent several times at once, as by a client whose first answer was lost, is applied for all of them.
pub(crate) async fn a_rotate_that_is_repeated_while_it_runs_is_applied<G: Ground>() {
    let ground = G::new().await;
    let store = ground.store();
    for _ in 0..50 {
        let first = record("{}");
        let (old, new, next) = (created(&store, &first).await, key(), record("{}"));
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (store, etag, next) = (Arc::clone(&store), first.etag, next.clone());
            set.spawn(async move { store.rotate(&old, etag, &new, &next, NOW, LATER).await.unwrap() });
        }
        assert!(set.join_all().await.into_iter().all(|answer| answer == Written::Applied));
    }
}
