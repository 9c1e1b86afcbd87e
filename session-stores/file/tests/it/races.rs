//! Many concurrent readers and writers, in one process and in four: no record is torn, and no write is lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::{at, child, child_dir, key, name_of, open, owned, record, store};
use session_core::store::{Etag, Loaded, OwnerIndex, SessionStore, StoreErrorKind, Sweep, Written};
use session_store_file::FileStore;
use tokio::task::JoinHandle;

/// Adds one to the number in a session, however often somebody else is first; the etag is drawn from `etags`.
async fn increment(store: &FileStore, etags: &AtomicU64) {
    loop {
        let Loaded::Found(there) = store.load(&key(1)).await.unwrap() else { panic!("it is there") };
        let count: u64 = std::str::from_utf8(&there.payload).unwrap().parse().unwrap();
        let next = record(etags.fetch_add(1, Ordering::Relaxed), &(count + 1).to_string());
        match store.replace(&key(1), there.etag, &next, at(1)).await.unwrap() {
            Written::Applied => return,
            Written::Conflict(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn count(store: &FileStore) -> u64 {
    let Loaded::Found(there) = store.load(&key(1)).await.unwrap() else { panic!("it is there") };
    std::str::from_utf8(&there.payload).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_tasks_lose_no_increment() {
    let (store, _dir) = store();
    store.create(&key(1), &record(0, "0"), at(0)).await.unwrap();
    let etags = std::sync::Arc::new(AtomicU64::new(1));
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (store, etags) = (store.clone(), etags.clone());
            tokio::spawn(async move {
                for _ in 0..4 {
                    increment(&store, &etags).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(count(&store).await, 128);
}

#[test]
fn four_processes_lose_no_increment() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("sessions");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = open(&root);
    runtime.block_on(store.create(&key(1), &record(0, "0"), at(0))).unwrap();
    let children: Vec<_> = (1..=PROCESSES)
        .map(|number| {
            child(name_of(in_a_child_numbers_are_added), &root)
                .env("NUMBER", number.to_string())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(runtime.block_on(count(&store)), PROCESSES * TASKS * EACH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_child_numbers_are_added() {
    let Some(root) = child_dir() else { return };
    let store = open(&root);
    let number: u64 = std::env::var("NUMBER").unwrap().parse().unwrap();
    let etags = std::sync::Arc::new(AtomicU64::new(number << 32));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (store, etags) = (store.clone(), etags.clone());
            tokio::spawn(async move {
                for _ in 0..EACH {
                    increment(&store, &etags).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn st_7_readers_never_see_a_part_of_a_record() {
    let (store, _dir) = store();
    store.create(&key(1), &record(0, ""), at(0)).await.unwrap();
    let done = std::sync::Arc::new(AtomicBool::new(false));
    let reads = std::sync::Arc::new(AtomicU64::new(0));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (store, done, reads) = (store.clone(), done.clone(), reads.clone());
            tokio::spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let loaded = store.load(&key(1)).await.expect("whole");
                    let Loaded::Found(record) = loaded else { panic!("it is there: {loaded:?}") };
                    let text = std::str::from_utf8(&record.payload).unwrap();
                    let same = format!("{:03}", record.etag.get() % 1_000).repeat(text.len() / 3);
                    assert_eq!(text, same);
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    // However long it takes, there is much of both. A reader that found a part has ended, and is asked why below.
    let mut etag = 0;
    while (etag < 300 || reads.load(Ordering::Relaxed) < 1_000)
        && !readers.iter().any(JoinHandle::is_finished)
    {
        let text = format!("{:03}", (etag + 1) % 1_000).repeat((etag * 37 % 4_000) as usize);
        let written = store.replace(&key(1), Etag::new(etag), &record(etag + 1, &text), at(1)).await.unwrap();
        assert_eq!(written, Written::Applied);
        store.touch(&key(1), at(200 + etag as i64), at(1)).await.unwrap();
        etag += 1;
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotating_session_is_never_missing_under_both_keys() {
    let (store, _dir) = store();
    store.create(&key(0), &record(0, "{}"), at(0)).await.unwrap();
    let rotating = {
        let store = store.clone();
        tokio::spawn(async move {
            for step in 0..300 {
                let (next, etag) = (record(step + 1, "{}"), Etag::new(step));
                let done =
                    store.rotate(&key(step), etag, &key(step + 1), &next, at(1), at(60)).await.unwrap();
                assert_eq!(done, Written::Applied);
            }
        })
    };
    let mut step = 0;
    while step < 300 {
        // The old key is asked first: once it is dead the new one is there, or has been rotated on.
        match store.load(&key(step)).await.unwrap() {
            Loaded::Found(_) => {}
            Loaded::Ended { .. } => {
                assert_ne!(store.load(&key(step + 1)).await.unwrap(), Loaded::Missing, "step {step}");
                step += 1;
            }
            Loaded::Missing => panic!("neither key holds the session at step {step}"),
        }
    }
    rotating.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_session_is_there_while_its_tombstone_is_swept() {
    let (store, _dir) = store();
    for round in 0..30 {
        let (old, new) = (key(2 * round), key(2 * round + 1));
        store.create(&old, &record(1, "{}"), at(0)).await.unwrap();
        store.rotate(&old, Etag::new(1), &new, &record(2, "{}"), at(1), at(2)).await.unwrap();
        let sweeping = {
            let store = store.clone();
            tokio::spawn(async move { store.sweep(at(3), 100).await.unwrap().removed })
        };
        while !sweeping.is_finished() {
            assert_eq!(store.load(&new).await.unwrap(), Loaded::Found(record(2, "{}")), "round {round}");
        }
        assert_eq!(sweeping.await.unwrap(), 1);
        assert_eq!(store.load(&new).await.unwrap(), Loaded::Found(record(2, "{}")), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_created_while_all_are_destroyed_is_ended_or_listed() {
    let (store, _dir) = store();
    for round in 0..30_u64 {
        let owner = format!("owner {round}");
        let creating: Vec<_> = (0..8)
            .map(|number| {
                let (store, record) = (store.clone(), owned(number, &owner));
                tokio::spawn(async move {
                    let made = store.create(&key(round * 100 + number), &record, at(0)).await;
                    assert_eq!(made.unwrap(), Written::Applied);
                })
            })
            .collect();
        let ended = store.destroy_all(&owner, None, at(1), at(60)).await.unwrap();
        for task in creating {
            task.await.unwrap();
        }
        assert_eq!(ended + store.count(&owner, at(1)).await.unwrap(), 8, "round {round}");
    }
}

#[tokio::test]
async fn a_write_that_has_begun_ends_though_nobody_waits() {
    let (store, dir) = store();
    store.create(&key(1), &record(1, "{}"), at(0)).await.unwrap();
    let name = format!("sessions/locks/{:02x}", key(1).as_bytes()[0]);
    let held = std::fs::File::open(dir.path().join(name)).unwrap();
    held.lock().unwrap();
    // The caller gives up while the write waits for another process.
    let given_up = tokio::time::timeout(Duration::from_millis(50), store.destroy(&key(1), at(60))).await;
    assert!(given_up.is_err());
    held.unlock().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while store.load(&key(1)).await.unwrap() != (Loaded::Ended { until: at(60) }) {
        assert!(Instant::now() < end, "the destroy was forgotten");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn ou_3_a_queue_for_the_disk_does_not_outlast_the_deadline() {
    let (patient, dir) = store();
    let deadline = Duration::from_millis(100);
    let store =
        FileStore::builder(dir.path().join("sessions")).timeout(deadline).concurrency(1).open().unwrap();
    patient.create(&key(1), &record(1, "{}"), at(0)).await.unwrap();
    let held = hold(dir.path(), 1);
    let begun = Instant::now();
    let (one, two) = (key(1), key(2));
    let (first, second) = tokio::join!(store.destroy(&one, at(60)), store.destroy(&two, at(60)));
    assert_eq!(first.unwrap_err().kind(), StoreErrorKind::Timeout);
    // The first gives its place back at its deadline, which is a moment before the second's.
    if let Err(error) = second {
        assert_eq!(error.kind(), StoreErrorKind::Timeout);
    }
    // Far beyond what a busy machine takes, and far below a wait for the lock, which would not end.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    held.unlock().unwrap();
}

fn hold(dir: &Path, number: u64) -> std::fs::File {
    let name = format!("sessions/locks/{:02x}", key(number).as_bytes()[0]);
    let file = std::fs::File::open(dir.join(name)).unwrap();
    file.lock().unwrap();
    file
}

const PROCESSES: u64 = 4;
const TASKS: u64 = 4;
const EACH: u64 = 25;
