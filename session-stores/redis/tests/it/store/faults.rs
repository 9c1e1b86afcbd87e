//! A server that is down, slow, full, read-only or empty: typed errors in time, and a fast recovery.

use std::time::{Duration, Instant};

use session_core::store::{Loaded, OwnerIndex, SessionStore, StoreErrorKind, Written};
use session_store_redis::{BuildError, RedisStore, redis};
use session_test_servers::{Kind, start};

use crate::support::{PATIENT, SOON, fresh_key, fresh_prefix, now, owned, plain, record, store_at, until};

async fn run(url: &str, words: &[&str]) {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    let _: redis::Value = command.query_async(&mut plain(url).await).await.unwrap();
}

#[tokio::test]
async fn scripts_that_the_server_has_lost_are_sent_again() {
    let server = start(Kind::Redis).unwrap();
    let store = store_at(&server.url()).await;
    for _ in 0..5 {
        let key = fresh_key();
        let (first, second) = (record("1"), record("2"));
        run(&server.url(), &["SCRIPT", "FLUSH"]).await;
        assert_eq!(store.create(&key, &first, now()).await.unwrap(), Written::Applied);
        run(&server.url(), &["SCRIPT", "FLUSH"]).await;
        assert_eq!(store.replace(&key, first.etag, &second, now()).await.unwrap(), Written::Applied);
        run(&server.url(), &["SCRIPT", "FLUSH"]).await;
        store.destroy(&key, until()).await.unwrap();
    }
}

#[tokio::test]
async fn a_paused_server_is_a_timeout_within_the_deadline() {
    let server = start(Kind::Redis).unwrap();
    let deadline = Duration::from_secs(2);
    let store = RedisStore::builder(server.url()).prefix("p:").timeout(deadline).connect().await.unwrap();
    let (key, stored) = (fresh_key(), record("1"));
    let next = record("2");
    assert_eq!(store.create(&key, &stored, now()).await.unwrap(), Written::Applied);
    // Scripts may write, so a pause of writes is a pause of scripts; whoever only reads does not notice.
    run(&server.url(), &["CLIENT", "PAUSE", "600000", "WRITE"]).await;
    let began = Instant::now();
    let answers = tokio::join!(store.replace(&key, stored.etag, &next, now()), store.destroy(&key, until()));
    assert_eq!(answers.0.unwrap_err().kind(), StoreErrorKind::Timeout);
    assert_eq!(answers.1.unwrap_err().kind(), StoreErrorKind::Timeout);
    assert!(began.elapsed() < deadline + SOON, "{:?}", began.elapsed());
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(stored));
    run(&server.url(), &["CLIENT", "UNPAUSE"]).await;
    let back = Instant::now();
    while store.create(&fresh_key(), &record("1"), now()).await.is_err() {
        assert!(back.elapsed() < SOON, "{:?}", back.elapsed());
    }
    run(&server.url(), &["CLIENT", "PAUSE", "600000", "ALL"]).await;
    let began = Instant::now();
    assert_eq!(store.load(&key).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    assert!(began.elapsed() < deadline + SOON, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_killed_server_is_unavailable_and_back_soon_after_its_return() {
    let server = start(Kind::Redis).unwrap();
    let store = store_at(&server.url()).await;
    store.load(&fresh_key()).await.unwrap();
    server.kill9();
    for _ in 0..20 {
        let began = Instant::now();
        let error = store.load(&fresh_key()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }
    server.restart().unwrap();
    let back = Instant::now();
    let key = fresh_key();
    while store.create(&key, &record("1"), now()).await.is_err() {
        assert!(back.elapsed() < SOON, "{:?}", back.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("back after {:?}", back.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_while_nobody_asked_costs_no_error() {
    let server = start(Kind::Redis).unwrap();
    let store = store_at(&server.url()).await;
    store.load(&fresh_key()).await.unwrap();
    server.kill9();
    server.restart().unwrap();
    assert_eq!(store.create(&fresh_key(), &record("1"), now()).await.unwrap(), Written::Applied);
}

#[tokio::test]
async fn a_frozen_server_is_a_timeout_and_goes_on_when_thawed() {
    let server = start(Kind::Redis).unwrap();
    let deadline = Duration::from_secs(2);
    let store = RedisStore::builder(server.url()).prefix("p:").timeout(deadline).connect().await.unwrap();
    server.pause();
    for _ in 0..3 {
        let began = Instant::now();
        assert_eq!(store.load(&fresh_key()).await.unwrap_err().kind(), StoreErrorKind::Timeout);
        assert!(began.elapsed() < deadline + SOON);
    }
    server.resume();
    let back = Instant::now();
    while store.load(&fresh_key()).await.is_err() {
        assert!(back.elapsed() < SOON, "{:?}", back.elapsed());
    }
}

#[tokio::test]
async fn a_store_opens_while_the_server_is_down_and_works_once_it_is_up() {
    let server = start(Kind::Redis).unwrap();
    server.kill9();
    let store = RedisStore::builder(server.url()).prefix("down:").open().unwrap();
    assert_eq!(store.load(&fresh_key()).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    let connected = RedisStore::builder(server.url()).prefix("down:").connect().await;
    assert!(matches!(connected, Err(BuildError::Connect(_))));
    server.restart().unwrap();
    assert_eq!(store.load(&fresh_key()).await.unwrap(), Loaded::Missing);
}

#[tokio::test]
async fn a_read_only_replica_refuses_writes() {
    let server = start(Kind::Redis).unwrap();
    let store = store_at(&server.url()).await;
    let key = fresh_key();
    let stored = record("1");
    store.create(&key, &stored, now()).await.unwrap();
    // A replica of nobody: it keeps its data and takes no writes.
    run(&server.url(), &["REPLICAOF", "127.0.0.1", "1"]).await;
    let error = store.replace(&key, stored.etag, &record("2"), now()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(store.destroy(&key, until()).await.unwrap_err().kind(), StoreErrorKind::Refused);
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(stored.clone()));
    run(&server.url(), &["REPLICAOF", "NO", "ONE"]).await;
    assert_eq!(store.replace(&key, stored.etag, &record("2"), now()).await.unwrap(), Written::Applied);
}

#[tokio::test]
async fn a_full_server_refuses_and_loses_nothing() {
    let server = start(Kind::Redis).unwrap();
    let store = store_at(&server.url()).await;
    let key = fresh_key();
    let stored = record("1");
    store.create(&key, &stored, now()).await.unwrap();
    run(&server.url(), &["CONFIG", "SET", "maxmemory", "1"]).await;
    for _ in 0..3 {
        let new = fresh_key();
        assert_eq!(store.create(&new, &stored, now()).await.unwrap_err().kind(), StoreErrorKind::Refused);
        let rotated = store.rotate(&key, stored.etag, &new, &record("2"), now(), until()).await;
        assert_eq!(rotated.unwrap_err().kind(), StoreErrorKind::Refused);
        assert_eq!(store.load(&new).await.unwrap(), Loaded::Missing);
        assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(stored.clone()));
    }
    run(&server.url(), &["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_eq!(store.replace(&key, stored.etag, &record("2"), now()).await.unwrap(), Written::Applied);
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_permission_are_refused() {
    let server = start(Kind::Redis).unwrap();
    run(&server.url(), &["ACL", "SETUSER", "app", "on", ">secret", "~acl:*", "+@all", "-set"]).await;
    let at = |user: &str| format!("redis://{user}@127.0.0.1:{}/0", server.port());
    let wrong = RedisStore::builder(at("app:hunter2")).prefix("acl:").open().unwrap();
    assert_eq!(wrong.load(&fresh_key()).await.unwrap_err().kind(), StoreErrorKind::Refused);
    let right =
        RedisStore::builder(at("app:secret")).prefix("acl:").timeout(PATIENT).connect().await.unwrap();
    assert_eq!(right.load(&fresh_key()).await.unwrap(), Loaded::Missing);
    let error = right.create(&fresh_key(), &record("1"), now()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    let elsewhere = RedisStore::builder(at("app:secret"))
        .prefix(fresh_prefix())
        .timeout(PATIENT)
        .connect()
        .await
        .unwrap();
    assert_eq!(elsewhere.load(&fresh_key()).await.unwrap_err().kind(), StoreErrorKind::Refused);
}

#[tokio::test]
async fn a_key_of_another_type_is_refused() {
    let server = start(Kind::Redis).unwrap();
    let store = RedisStore::builder(server.url()).prefix("t:").timeout(PATIENT).connect().await.unwrap();
    let key = fresh_key();
    run(&server.url(), &["RPUSH", &format!("t:session:{key}"), "x"]).await;
    assert_eq!(store.load(&key).await.unwrap_err().kind(), StoreErrorKind::Refused);
    let replaced = store.replace(&key, record("1").etag, &record("2"), now()).await;
    assert_eq!(replaced.unwrap_err().kind(), StoreErrorKind::Refused);
}

#[tokio::test]
async fn the_permissions_that_the_readme_names_are_enough() {
    let server = start(Kind::Redis).unwrap();
    let readme = include_str!("../../../README.md");
    let named = readme.split_once("commands on `~shop:*`: `").unwrap().1.split_once('`').unwrap().0;
    let mut words = vec!["ACL", "SETUSER", "app", "on", ">secret", "~shop:*", "-@all", "+client"];
    let named: Vec<_> = named.split_whitespace().map(|name| format!("+{}", name.to_lowercase())).collect();
    words.extend(named.iter().map(String::as_str));
    run(&server.url(), &words).await;
    for protocol in ["", "?protocol=resp2"] {
        let url = format!("redis://app:secret@127.0.0.1:{}/0{protocol}", server.port());
        let store = RedisStore::builder(url).prefix("shop:").timeout(PATIENT).connect().await.unwrap();
        let (old, new) = (fresh_key(), fresh_key());
        let (first, second, third) = (owned("ada"), owned("ada"), owned("eve"));
        store.create(&old, &first, now()).await.unwrap();
        store.replace(&old, first.etag, &second, now()).await.unwrap();
        store.touch(&old, until(), now()).await.unwrap();
        store.touch(&old, now().plus(Duration::from_secs(1000)), now()).await.unwrap();
        store.rotate(&old, second.etag, &new, &third, now(), until()).await.unwrap();
        assert_eq!(store.list("eve", now()).await.unwrap().len(), 1);
        assert_eq!(store.load(&new).await.unwrap(), Loaded::Found(third));
        assert_eq!(store.destroy_all("eve", None, now(), until()).await.unwrap(), 1);
        store.destroy(&new, until()).await.unwrap();
    }
}
