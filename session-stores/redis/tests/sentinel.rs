//! A master found through a sentinel, killed, and found again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![cfg(feature = "sentinel")]

#[path = "store/process.rs"]
mod process;
#[path = "store/support.rs"]
#[expect(dead_code, reason = "shared with the tests of one server")]
mod support;

use std::fs;
use std::time::{Duration, Instant};

use session_core::store::{Loaded, SessionStore, Written};
use session_store_redis::{BuildError, RedisStore, redis};
use session_test_servers::Port;

use process::{port, run, until_up};
use support::{PATIENT, fresh_key, now, record, seconds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_master_is_followed_by_its_replica() {
    let directory = tempfile::tempdir().unwrap();
    let claimed = [port(), port(), port()];
    let [first, second, watch] = claimed.each_ref().map(Port::number);
    let master = run(&directory, first, &[]);
    until_up(first).await;
    let _replica = run(&directory, second, &["--replicaof", "127.0.0.1", &first.to_string()]);
    until_up(second).await;
    let config = format!(
        "sentinel monitor main 127.0.0.1 {first} 1\nsentinel down-after-milliseconds main 2000\n\
         sentinel failover-timeout main 3000\n"
    );
    fs::write(directory.path().join("sentinel.conf"), config).unwrap();
    let _sentinel = run(&directory, watch, &["sentinel"]);
    until_up(watch).await;
    let url = format!("redis-sentinel://127.0.0.1:{watch}/main");
    let store = RedisStore::sentinel(&url).prefix("s:").timeout(PATIENT).connect().await.unwrap();
    let (key, before, after) = (fresh_key(), record("before"), record("after"));
    assert_eq!(store.create(&key, &before, now()).await.unwrap(), Written::Applied);
    // The sentinel learns of the replica, and the replica of the session.
    let began = Instant::now();
    let mut replica = support::plain(&format!("redis://127.0.0.1:{second}")).await;
    loop {
        let keys: Result<u64, _> = redis::cmd("DBSIZE").query_async(&mut replica).await;
        if keys.is_ok_and(|keys| keys == 1) {
            break;
        }
        assert!(began.elapsed() < seconds(60));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut sentinel = support::plain(&format!("redis://127.0.0.1:{watch}")).await;
    loop {
        let mut ask = redis::cmd("SENTINEL");
        let known: Vec<redis::Value> =
            ask.arg("REPLICAS").arg("main").query_async(&mut sentinel).await.unwrap();
        if !known.is_empty() {
            break;
        }
        assert!(began.elapsed() < seconds(60));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(master);
    let killed = Instant::now();
    loop {
        match store.replace(&key, before.etag, &after, now()).await {
            Ok(answer) => break assert_eq!(answer, Written::Applied),
            Err(error) => {
                assert!(killed.elapsed() < seconds(60), "{error:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(after));
}

#[tokio::test]
async fn a_wrong_sentinel_url_is_refused_without_showing_it() {
    for url in [
        "redis://127.0.0.1/main",
        "redis-sentinel://u:hunter2@127.0.0.1:26379",
        "redis-sentinel://u:hunter2@x/",
    ] {
        let error = RedisStore::sentinel(url).prefix("x:").open().unwrap_err();
        assert!(matches!(error, BuildError::SentinelUrl));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
