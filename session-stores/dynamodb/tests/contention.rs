//! Many at once on one session: nothing acknowledged is lost, nothing destroyed comes back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::*;
use session_core::{Etag, Loaded, Record, SessionStore, StoreKey, Written};
use session_store_dynamodb::DynamoDbStore;
use session_test_servers::{Kind, shared};

/// Adds one to the session's number so many times, each until it is acknowledged.
async fn increment(store: &DynamoDbStore, key: &StoreKey, times: usize) {
    let mut current = found(store.load(key).await);
    for _ in 0..times {
        loop {
            let number: u64 = std::str::from_utf8(&current.payload).unwrap().parse().unwrap();
            let payload = (number + 1).to_string().into_bytes().into();
            let next = Record { etag: Etag::new(unique()), payload, ..current.clone() };
            match store.replace(key, current.etag, &next, NOW).await.unwrap() {
                Written::Applied => {
                    current = next;
                    break;
                }
                Written::Conflict(newer) => current = newer,
                other => panic!("{other:?}"),
            }
            back_off().await;
        }
    }
}

/// As the library does after a conflict, a while that is different for everyone: here long enough for 64 writers and
/// an emulator that takes milliseconds, so that most of the requests are writes and not conflicts.
async fn back_off() {
    tokio::time::sleep(Duration::from_millis(unique() % 1_000)).await;
}

async fn counter(store: &DynamoDbStore) -> StoreKey {
    let key = key();
    applied(store.create(&key, &Record { payload: b"0"[..].into(), ..record(HOUR) }, NOW).await);
    key
}

/// So many writers in this process, fifty increments each.
async fn writers(store: &DynamoDbStore, key: StoreKey, count: usize) {
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..count {
        let store = store.clone();
        running.spawn(async move { increment(&store, &key, 50).await });
    }
    while let Some(writer) = running.join_next().await {
        writer.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_1_fifty_increments_by_each_of_64_writers_end_at_3200() {
    let bench = Bench::new().await;
    let store = bench.again().deadline(HOUR).build().unwrap();
    let key = counter(&store).await;
    writers(&store, key, 64).await;
    assert_eq!(&found(store.load(&key).await).payload[..], b"3200");
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_1_fifty_increments_by_64_writers_of_four_processes_end_at_3200() {
    let server = shared(Kind::DynamoDb);
    let bench = Bench::at(server.url(), Wire::default()).await;
    let key = counter(&bench.store).await;
    let this = std::env::current_exe().unwrap();
    let processes: Vec<_> = (0..4)
        .map(|_| {
            let mut process = Command::new(&this);
            process.args(["--exact", "one_of_four_processes"]).stdout(Stdio::null());
            process.env("CONTENDED", format!("{} {} {key}", server.url(), bench.prefix)).spawn().unwrap()
        })
        .collect();
    for mut process in processes {
        assert!(tokio::task::spawn_blocking(move || process.wait()).await.unwrap().unwrap().success());
    }
    assert_eq!(&found(bench.store.load(&key).await).payload[..], b"3200");
}

#[tokio::test(flavor = "multi_thread")]
/// What the test above starts four times; without a parent there is nothing to do.
async fn one_of_four_processes() {
    let Ok(told) = std::env::var("CONTENDED") else { return };
    let [url, prefix, key] = told.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let builder = DynamoDbStore::from_url(url).unwrap().prefix(prefix).deadline(HOUR);
    writers(&builder.build().unwrap(), key.parse().unwrap(), 16).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_2_160_slow_writers_do_not_revive_a_destroyed_session() {
    let bench = Bench::new().await;
    let store = bench.again().deadline(MINUTE).build().unwrap();
    for round in 0..5 {
        let (key, first) = (key(), record(HOUR));
        applied(store.create(&key, &first, NOW).await);
        let mut running = tokio::task::JoinSet::new();
        for number in 0..160 {
            let (store, mut current) = (store.clone(), first.clone());
            running.spawn(async move {
                if number == 80 {
                    return store.destroy(&key, NOW.plus(MINUTE)).await.unwrap();
                }
                loop {
                    back_off().await;
                    let next = record(HOUR);
                    match store.replace(&key, current.etag, &next, NOW).await.unwrap() {
                        Written::Applied if number % 2 == 0 => current = next,
                        Written::Conflict(newer) => current = newer,
                        Written::Applied | Written::Gone => return,
                        Written::Taken => panic!("a replace is never taken"),
                    }
                }
            });
        }
        while let Some(writer) = running.join_next().await {
            writer.unwrap();
        }
        let left = store.load(&key).await.unwrap();
        assert_eq!(left, Loaded::Retired { until: NOW.plus(MINUTE) }, "round {round}");
    }
}
