//! What must hold on every SQL database beside the store suite: races at length, odd values, owners, sweeps.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each database's tests use most of these, none all; and they are tests"
)]

pub(crate) mod network;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use session_core::{Etag, Loaded, Record, SessionStore, StoreErrorKind, StoreKey, Timestamp, Written};

pub(crate) type Store = Arc<dyn SessionStore>;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
pub(crate) const LATER: Timestamp = Timestamp::from_millis(1_795_007_200_000);

/// A number that no other call in any process of this test run gives.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    (u64::from(std::process::id()) << 40) | NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A table that neither another test nor an earlier run on the same server has.
pub(crate) fn table_name() -> String {
    let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap().as_micros();
    format!("t{since_1970}_{}", unique() % (1 << 40))
}

pub(crate) fn key() -> StoreKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&unique().wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes[24..].copy_from_slice(&unique().to_be_bytes());
    StoreKey::from_bytes(bytes)
}

pub(crate) fn record(payload: &str) -> Record {
    Record {
        etag: Etag::new(unique()),
        created: NOW,
        idle_deadline: LATER,
        absolute_deadline: None,
        owner: None,
        payload: payload.as_bytes().into(),
    }
}

pub(crate) fn owned(owner: &str) -> Record {
    Record { owner: Some(owner.into()), ..record("{}") }
}

pub(crate) async fn created(store: &Store, record: &Record) -> StoreKey {
    let key = key();
    assert_eq!(store.create(&key, record, NOW).await.unwrap(), Written::Applied);
    key
}

pub(crate) async fn every_field_comes_back_unchanged(store: Store) {
    let plain = record("{}");
    let long = "o".repeat(5_000);
    let odd_owners = ["", "ada", "Ada", "ada ", "a\0b", "\u{1f600}", "' OR 1=1 --", &long];
    let mut odd = vec![
        Record { payload: vec![].into(), ..plain.clone() },
        Record { payload: vec![0, 0xff, 0xfe, 0x80].into(), ..plain.clone() },
        Record { payload: vec![b'x'; 60_000].into(), ..plain.clone() },
        Record { absolute_deadline: Some(Timestamp::from_millis(i64::MAX)), ..plain.clone() },
        Record {
            idle_deadline: Timestamp::from_millis(i64::MAX),
            etag: Etag::new(u64::MAX),
            ..plain.clone()
        },
        Record { created: Timestamp::from_millis(-1), etag: Etag::new(1 << 63), ..plain.clone() },
    ];
    odd.extend(odd_owners.iter().map(|owner| owned(owner)));
    for record in odd {
        let first = created(&store, &plain).await;
        assert_eq!(store.replace(&first, plain.etag, &record, NOW).await.unwrap(), Written::Applied);
        assert_eq!(store.load(&first).await.unwrap(), Loaded::Found(record.clone()));
        let second = created(&store, &record).await;
        assert_eq!(store.load(&second).await.unwrap(), Loaded::Found(record.clone()));
    }
    for owner in odd_owners {
        let listed = store.owners().unwrap().list(owner, NOW).await.unwrap();
        assert_eq!(listed.len(), 2, "{owner:?} is found by that name and no other");
        assert!(listed.iter().all(|(_, record)| record.owner.as_deref() == Some(owner)));
    }
}

/// 64 tasks, 50 increments each, or a share of them.
pub(crate) async fn increments(store: &Store, key: StoreKey, tasks: usize, each: usize) {
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let store = Arc::clone(store);
        set.spawn(async move {
            let Loaded::Found(mut there) = store.load(&key).await.unwrap() else { panic!("it is gone") };
            for _ in 0..each {
                let mut pause = 1;
                loop {
                    let count: u64 = std::str::from_utf8(&there.payload).unwrap().parse().unwrap();
                    let next = record(&(count + 1).to_string());
                    match store.replace(&key, there.etag, &next, NOW).await.unwrap() {
                        Written::Applied => break there = next,
                        Written::Conflict(newer) => there = newer,
                        other => panic!("{other:?}"),
                    }
                    // Somebody else was faster: step back for a while of a random length.
                    let spread = unique().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
                    tokio::time::sleep(Duration::from_micros(spread % (pause * 1_000))).await;
                    pause = (pause * 2).min(64);
                }
            }
        });
    }
    set.join_all().await;
}

pub(crate) async fn no_increment_of_64_tasks_is_lost(store: Store) {
    let key = created(&store, &record("0")).await;
    increments(&store, key, 64, 50).await;
    assert_eq!(count_at(&store, &key).await, 3_200);
}

pub(crate) async fn count_at(store: &Store, key: &StoreKey) -> u64 {
    let Loaded::Found(record) = store.load(key).await.unwrap() else { panic!("it is gone") };
    std::str::from_utf8(&record.payload).unwrap().parse().unwrap()
}

/// The same from four processes: the parent's part. `child` is the name of the ignored test that calls
/// [`count_as_a_child`].
pub(crate) async fn no_increment_of_four_processes_is_lost(store: Store, child: &str, place: &str) {
    let key = created(&store, &record("0")).await;
    let children: Vec<_> = (0..4)
        .map(|_| self::child(child, place, &key).stdout(std::process::Stdio::null()).spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().await.unwrap().success());
    }
    assert_eq!(count_at(&store, &key).await, 3_200);
}

/// An ignored test of the calling test program, as a process of its own.
pub(crate) fn child(test: &str, place: &str, key: &StoreKey) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--nocapture", test])
        .env(CHILD_KEY, key.to_string())
        .env(CHILD_PLACE, place)
        .kill_on_drop(true);
    command
}

/// The place (URL or path) and the key that the parent gave, in a child.
pub(crate) fn given_by_a_parent() -> Option<(String, StoreKey)> {
    Some((std::env::var(CHILD_PLACE).ok()?, std::env::var(CHILD_KEY).ok()?.parse().unwrap()))
}

const CHILD_KEY: &str = "SESSION_TEST_CHILD_KEY";
const CHILD_PLACE: &str = "SESSION_TEST_CHILD_PLACE";

/// Each round: writers that have loaded the session write while it is destroyed, and once more afterwards.
pub(crate) async fn slow_writers_do_not_revive_a_destroyed_session(
    store: Store,
    rounds: usize,
    writers: usize,
) {
    let mut set = tokio::task::JoinSet::new();
    for round in 0..rounds {
        let store = Arc::clone(&store);
        if set.len() >= 8 {
            set.join_next().await.unwrap().unwrap();
        }
        set.spawn(async move {
            let first = record("{}");
            let key = created(&store, &first).await;
            let mut slow = tokio::task::JoinSet::new();
            for writer in 0..writers {
                let (store, first) = (Arc::clone(&store), first.clone());
                slow.spawn(async move {
                    match writer % 4 {
                        0 => drop(store.touch(&key, LATER, NOW).await.unwrap()),
                        1 => {
                            let until = NOW.plus(Duration::from_secs(60));
                            let mine = record("{}");
                            let to = self::key();
                            let rotated =
                                store.rotate(&key, first.etag, &to, &mine, NOW, until).await.unwrap();
                            if rotated == Written::Applied {
                                store.destroy(&to, until).await.unwrap();
                            }
                        }
                        _ => {
                            let mut there = first;
                            while let Written::Conflict(newer) =
                                store.replace(&key, there.etag, &record("{}"), NOW).await.unwrap()
                            {
                                there = newer;
                            }
                        }
                    }
                });
            }
            for _ in 0..round % 4 {
                tokio::task::yield_now().await;
            }
            store.destroy(&key, NOW.plus(Duration::from_secs(60))).await.unwrap();
            assert!(matches!(store.load(&key).await.unwrap(), Loaded::Retired { .. }), "round {round}");
            slow.join_all().await;
            assert!(matches!(store.load(&key).await.unwrap(), Loaded::Retired { .. }), "round {round}");
            assert_eq!(store.replace(&key, first.etag, &record("{}"), NOW).await.unwrap(), Written::Gone);
        });
    }
    set.join_all().await;
}

/// Of rotates to different keys one is applied; the old key is dead, and one new key is there.
pub(crate) async fn of_parallel_rotates_one_wins(store: Store, rounds: usize) {
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
                Written::Gone => assert_eq!(there, Loaded::Missing),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(applied, 1);
        assert!(matches!(store.load(&old).await.unwrap(), Loaded::Retired { .. }));
    }
}

/// The same rotate sent several times at once, as by a client whose first answer was lost, is applied for all of them.
pub(crate) async fn a_rotate_that_is_repeated_while_it_runs_is_applied(store: Store, rounds: usize) {
    for _ in 0..rounds {
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

pub(crate) async fn rotate_answers_what_was_in_the_way(store: Store) {
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
    assert_eq!(store.load(&old).await.unwrap(), Loaded::Retired { until: LATER });
    assert_eq!(store.load(&new).await.unwrap(), Loaded::Found(next.clone()));
    assert_eq!(rotate(old, first.etag, key(), NOW).await, Written::Gone);
}

/// Sessions signed in while all of the owner's are ended: each is ended by it, or listed afterwards.
pub(crate) async fn a_session_created_during_destroy_all_is_ended_or_listed(store: Store, rounds: usize) {
    for round in 0..rounds {
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
pub(crate) async fn a_regenerate_during_destroy_all_does_not_save_a_session(store: Store, rounds: usize) {
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

pub(crate) async fn owners_list_the_living_and_spare_the_excepted(store: Store) {
    let owners = store.owners().unwrap();
    let owner = format!("user-{}", unique());
    let kept = created(&store, &owned(&owner)).await;
    let other = created(&store, &owned(&owner)).await;
    let lapsed = created(&store, &Record { idle_deadline: NOW, ..owned(&owner) }).await;
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
        assert_eq!(store.load(&key).await.unwrap(), Loaded::Retired { until: LATER });
    }
}

/// Sweeps in batches; nothing that lives goes, nothing that is dead stays.
pub(crate) async fn a_sweep_removes_the_dead_and_nothing_else(store: Store) {
    let sweeper = store.sweeper().unwrap();
    let hours = |n: u64| Duration::from_secs(3_600 * n);
    let mut dead = Vec::new();
    let mut alive = Vec::new();
    for n in 0..12 {
        let live = Record { idle_deadline: NOW.plus(hours(n) + Duration::from_millis(1)), ..record("{}") };
        alive.push(created(&store, &live).await);
        dead.push(created(&store, &Record { idle_deadline: NOW.minus(hours(n)), ..record("{}") }).await);
        let absolute = Some(NOW.minus(hours(n)));
        dead.push(created(&store, &Record { absolute_deadline: absolute, ..record("{}") }).await);
        let ended = created(&store, &record("{}")).await;
        store.destroy(&ended, NOW.minus(hours(n))).await.unwrap();
        dead.push(ended);
        let remembered = created(&store, &record("{}")).await;
        store.destroy(&remembered, NOW.plus(Duration::from_millis(1))).await.unwrap();
        alive.push(remembered);
    }
    // Touched while it was alive: the hour moves with it.
    let touched = created(&store, &Record { idle_deadline: NOW, ..record("{}") }).await;
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

/// The store is one that nothing can be asked of: the answer must come before.
pub(crate) async fn too_large_is_said_before_any_call(unreachable: Store) {
    let large = record(&"x".repeat(64 * 1024 + 1));
    let answers = [
        unreachable.create(&key(), &large, NOW).await,
        unreachable.replace(&key(), large.etag, &large, NOW).await,
        unreachable.rotate(&key(), large.etag, &key(), &large, NOW, LATER).await,
    ];
    for answer in answers {
        let expected = StoreErrorKind::TooLarge { size: 64 * 1024 + 1, limit: 64 * 1024 };
        assert_eq!(answer.unwrap_err().kind(), expected);
    }
}

/// The row has been given a format of the future.
pub(crate) async fn a_newer_record_is_left_alone(store: Store, key: StoreKey, etag: Etag) {
    let newer = |kind| assert_eq!(kind, StoreErrorKind::Newer);
    newer(store.load(&key).await.unwrap_err().kind());
    newer(store.replace(&key, etag, &record("{}"), NOW).await.unwrap_err().kind());
    newer(store.touch(&key, LATER, NOW).await.unwrap_err().kind());
    let to = self::key();
    newer(store.rotate(&key, etag, &to, &record("{}"), NOW, LATER).await.unwrap_err().kind());
    assert_eq!(store.load(&to).await.unwrap(), Loaded::Missing);
    assert_eq!(
        store.sweeper().unwrap().sweep(LATER.plus(Duration::from_secs(9)), 10).await.unwrap().removed,
        0
    );
}

/// Every kind of call fails in this way.
pub(crate) async fn every_call_is(store: &Store, kind: StoreErrorKind) {
    let etag = Etag::new(1);
    let errors = [
        store.load(&key()).await.unwrap_err(),
        store.create(&key(), &record("{}"), NOW).await.unwrap_err(),
        store.replace(&key(), etag, &record("{}"), NOW).await.unwrap_err(),
        store.touch(&key(), LATER, NOW).await.unwrap_err(),
        store.destroy(&key(), LATER).await.unwrap_err(),
        store.rotate(&key(), etag, &key(), &record("{}"), NOW, LATER).await.unwrap_err(),
        store.owners().unwrap().list("ada", NOW).await.unwrap_err(),
        store.owners().unwrap().destroy_all("ada", None, NOW, LATER).await.unwrap_err(),
        store.sweeper().unwrap().sweep(NOW, 10).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), kind, "{error}: {:?}", std::error::Error::source(&error));
    }
}

/// The statement that the README gives for reading a session with this tool.
pub(crate) fn readme_statement(tool: &str, table: &str) -> String {
    let (_, statement) = include_str!("../../README.md").split_once(&format!("-- {tool}\n")).unwrap();
    let (statement, _) = statement.split_once(';').unwrap();
    statement.replace("FROM sessions", &format!("FROM {table}"))
}
