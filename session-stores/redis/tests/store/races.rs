//! Many writers on one session: nothing acknowledged is lost, and nothing dead comes back.

use std::sync::Arc;
use std::time::Instant;

use session_core::{Etag, Loaded, Record, SessionStore, StoreKey, Written};
use session_store_redis::RedisStore;

use crate::support::{fresh_key, fresh_prefix, now, random, record, seconds, shared_url, store, until};

/// Adds one to the session's number, however often others write in between.
async fn increment(store: &dyn SessionStore, key: &StoreKey) {
    let Loaded::Found(mut current) = store.load(key).await.unwrap() else { panic!("it is gone") };
    loop {
        let number: u64 = std::str::from_utf8(&current.payload).unwrap().parse().unwrap();
        let next = Record {
            etag: Etag::new(random()),
            payload: (number + 1).to_string().into_bytes().into(),
            ..current.clone()
        };
        match store.replace(key, current.etag, &next, now()).await.unwrap() {
            Written::Applied => return,
            Written::Conflict(newer) => current = newer,
            other => panic!("{other:?}"),
        }
    }
}

async fn increments(store: &Arc<RedisStore>, key: StoreKey, tasks: usize, each: usize) {
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for _ in 0..each {
                    increment(&*store, &key).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn number(store: &RedisStore, key: &StoreKey) -> String {
    let Loaded::Found(record) = store.load(key).await.unwrap() else { panic!("it is gone") };
    String::from_utf8(record.payload.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_of_fifty_increments_end_at_3200() {
    let (store, key) = (store().await, fresh_key());
    store.create(&key, &record("0"), now()).await.unwrap();
    increments(&store, key, 64, 50).await;
    assert_eq!(number(&store, &key).await, "3200");
}

const CHILD: &str = "SESSION_REDIS_TEST_CHILD";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_end_at_3200_too() {
    let (url, prefix, key) = (shared_url(), fresh_prefix(), fresh_key());
    let store = RedisStore::builder(&url).prefix(&prefix).connect().await.unwrap();
    store.create(&key, &record("0"), now()).await.unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| {
            std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "races::a_child_process_adds_its_share", "--nocapture"])
                .env(CHILD, format!("{url} {prefix} {key}"))
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        let status = tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap();
        assert!(status.success());
    }
    assert_eq!(number(&store, &key).await, "3200");
}

/// Not a claim of its own: what the test above runs in each of its four processes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_process_adds_its_share() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let [url, prefix, key] = task.split(' ').collect::<Vec<_>>()[..] else { panic!("{CHILD} is malformed") };
    let store = Arc::new(RedisStore::builder(url).prefix(prefix).connect().await.unwrap());
    increments(&store, key.parse().unwrap(), 16, 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lc_2_a_destroyed_session_stays_dead_against_160_slow_writers_1000_times_of_1000() {
    let store = store().await;
    let began = Instant::now();
    for round in 0..1000 {
        let key = fresh_key();
        let stored = record("0");
        store.create(&key, &stored, now()).await.unwrap();
        // All of them loaded the session before the logout, and write after or while it happens.
        let writers: Vec<_> = (0..160)
            .map(|writer| {
                let (store, etag) = (Arc::clone(&store), stored.etag);
                tokio::spawn(async move {
                    let mine = record("1");
                    match writer % 3 {
                        0 => store.replace(&key, etag, &mine, now()).await,
                        1 => store.touch(&key, now().plus(seconds(900)), now()).await,
                        _ => store.rotate(&key, etag, &key, &mine, now(), until()).await,
                    }
                })
            })
            .collect();
        store.destroy(&key, until()).await.unwrap();
        for writer in writers {
            writer.await.unwrap().unwrap();
        }
        assert!(
            matches!(store.load(&key).await.unwrap(), Loaded::Retired { .. }),
            "revived in round {round}"
        );
    }
    assert!(began.elapsed() < seconds(40), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i4_of_many_rotations_at_once_exactly_one_id_lives() {
    let store = store().await;
    for _ in 0..50 {
        let old = fresh_key();
        let stored = record("0");
        store.create(&old, &stored, now()).await.unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (store, etag, new) = (Arc::clone(&store), stored.etag, fresh_key());
                tokio::spawn(async move {
                    (new, store.rotate(&old, etag, &new, &record("1"), now(), until()).await.unwrap())
                })
            })
            .collect();
        let mut live = 0;
        for task in tasks {
            let (new, answer) = task.await.unwrap();
            match answer {
                Written::Applied => live += 1,
                other => {
                    assert_eq!(other, Written::Gone);
                    assert_eq!(store.load(&new).await.unwrap(), Loaded::Missing);
                }
            }
        }
        assert_eq!(live, 1);
    }
}
