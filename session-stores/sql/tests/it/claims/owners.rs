//! The index of owners, and the sweep.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use session_core::store::{Loaded, Record, Written};

use super::{Ground, LATER, NOW, Store, created, key, owned, record, unique};

pub(crate) async fn owners_list_the_living_and_spare_the_excepted<G: Ground>() {
    let ground = G::new().await;
    let store = ground.store();
    let owners = store.owners().unwrap();
    let owner = format!("user-{}", unique());
    let kept = created(&store, &owned(&owner)).await;
    let other = created(&store, &owned(&owner)).await;
    let lapsed = created(&store, &owned(&owner).with_idle_deadline(NOW)).await;
    let ended = created(&store, &owned(&owner)).await;
    store.destroy(&ended, LATER).await.unwrap();
    let first = owned(&owner);
    let old = created(&store, &first).await;
    let new = key();
    let next = owned(&owner);
    assert_eq!(store.rotate(&old, first.etag, &new, &next, NOW, LATER).await.unwrap(), Written::Applied);
    let mut listed: Vec<_> =
        owners.list(&owner, NOW).await.unwrap().into_iter().map(|(key, _)| key).collect();
    listed.sort_unstable();
    let mut expected = vec![kept, other, new];
    expected.sort_unstable();
    assert_eq!(listed, expected);
    assert_eq!(owners.destroy_all(&owner, Some(&kept), NOW, LATER).await.unwrap(), 2);
    assert_eq!(owners.count(&owner, NOW).await.unwrap(), 1);
    assert!(matches!(store.load(&kept).await.unwrap(), Loaded::Found(_)));
    for key in [other, new, lapsed, ended, old] {
        assert_eq!(store.load(&key).await.unwrap(), Loaded::Ended { until: LATER });
    }
}

/// Sessions signed in while all of the owner's are ended: each is ended by it, or listed afterwards.
pub(crate) async fn a_session_created_during_destroy_all_is_ended_or_listed<G: Ground>() {
    let ground = G::new().await;
    let store = ground.store();
    for round in 0..50 {
        let owner = format!("user-{}", unique());
        let before = [created(&store, &owned(&owner)).await, created(&store, &owned(&owner)).await];
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (store, owner) = (Arc::clone(&store), owner.clone());
            set.spawn(async move { created(&store, &owned(&owner)).await });
        }
        for _ in 0..round % 5 {
            tokio::task::yield_now().await;
        }
        let owners = store.owners().unwrap();
        let ended = owners.destroy_all(&owner, None, NOW, LATER).await.unwrap();
        let during = set.join_all().await;
        let listed: HashSet<_> =
            owners.list(&owner, NOW).await.unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(ended + listed.len(), before.len() + during.len());
        for key in before.iter().chain(&during) {
            let live = matches!(store.load(key).await.unwrap(), Loaded::Found(_));
            assert_eq!(live, listed.contains(key));
        }
        assert!(before.iter().all(|key| !listed.contains(key)));
    }
}

/// A session that is regenerated while all of the owner's are ended does not slip through to its new key.
pub(crate) async fn a_regenerate_during_destroy_all_does_not_save_a_session<G: Ground>() {
    let ground = G::new().await;
    regenerates_during_destroy_all_on(ground.store(), 50).await;
}

pub(crate) async fn regenerates_during_destroy_all_on(store: Store, rounds: usize) {
    for round in 0..rounds {
        let owner = format!("user-{}", unique());
        let first = owned(&owner);
        let old = created(&store, &first).await;
        let rotating = tokio::spawn({
            let (store, owner) = (Arc::clone(&store), owner.clone());
            async move { store.rotate(&old, first.etag, &key(), &owned(&owner), NOW, LATER).await.unwrap() }
        });
        for _ in 0..round % 5 {
            tokio::task::yield_now().await;
        }
        let owners = store.owners().unwrap();
        assert_eq!(owners.destroy_all(&owner, None, NOW, LATER).await.unwrap(), 1);
        rotating.await.unwrap();
        assert_eq!(owners.count(&owner, NOW).await.unwrap(), 0, "round {round}");
    }
}

/// Sweeps in batches; nothing that lives goes, nothing that is dead stays.
pub(crate) async fn a_sweep_removes_the_dead_and_nothing_else<G: Ground>() {
    let ground = G::new().await;
    a_sweep_on(ground.store()).await;
}

pub(crate) async fn a_sweep_on(store: Store) {
    let sweeper = store.sweeper().unwrap();
    let hours = |n: u64| Duration::from_secs(3_600 * n);
    let mut dead = Vec::new();
    let mut alive = Vec::new();
    for n in 0..12 {
        let live = record("{}").with_idle_deadline(NOW.plus(hours(n) + Duration::from_millis(1)));
        alive.push(created(&store, &live).await);
        dead.push(created(&store, &record("{}").with_idle_deadline(NOW.minus(hours(n)))).await);
        let absolute = Some(NOW.minus(hours(n)));
        dead.push(created(&store, &record("{}").with_absolute_deadline(absolute)).await);
        let ended = created(&store, &record("{}")).await;
        store.destroy(&ended, NOW.minus(hours(n))).await.unwrap();
        dead.push(ended);
        let remembered = created(&store, &record("{}")).await;
        store.destroy(&remembered, NOW.plus(Duration::from_millis(1))).await.unwrap();
        alive.push(remembered);
    }
    // Touched while it was alive: the hour moves with it.
    let touched = created(&store, &record("{}").with_idle_deadline(NOW)).await;
    assert_eq!(store.touch(&touched, LATER, NOW.minus(hours(1))).await.unwrap(), Written::Applied);
    alive.push(touched);

    let mut removed = 0;
    loop {
        let swept = sweeper.sweep(NOW, 10).await.unwrap();
        assert!(swept.removed <= 10);
        removed += swept.removed;
        if !swept.more {
            break;
        }
    }
    assert_eq!(removed, dead.len());
    for key in dead {
        assert_eq!(store.load(&key).await.unwrap(), Loaded::Missing);
    }
    for key in alive {
        assert_ne!(store.load(&key).await.unwrap(), Loaded::Missing);
    }
    assert_eq!(sweeper.sweep(NOW, 0).await.unwrap().removed, 0);
}
