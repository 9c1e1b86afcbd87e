//! Members that are down, a silent connection, expired tokens, revoked leases.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};
use session_conformance::proxy::{Proxy, Weather};
use session_core::Timestamp;
use session_core::store::{Etag, Loaded, Record, SessionStore, StoreErrorKind, StoreKey, Written};
use session_store_etcd::{BuildError, EtcdStore};
use session_test_servers::{Kind, start};

use crate::support::{PATIENT, ask, encode};

const KEY: StoreKey = StoreKey::from_bytes([7; 32]);
const NOW: Timestamp = Timestamp::from_millis(0);

fn record() -> Record {
    Record::new(Etag::new(1), NOW, Timestamp::from_millis(3_600_000), b"{}".to_vec().into())
}

fn open(url: &str, timeout: Duration) -> EtcdStore {
    EtcdStore::builder(url).prefix("shop/").timeout(timeout).open().unwrap()
}

#[tokio::test]
async fn a_server_that_is_down_is_unavailable_and_keeps_what_it_acknowledged() {
    let server = start(Kind::Etcd).unwrap();
    let store = open(&server.url(), PATIENT);
    assert_eq!(store.create(&KEY, &record(), NOW).await.unwrap(), Written::Applied);
    server.kill9();
    assert_eq!(store.load(&KEY).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    server.restart().unwrap();
    assert_eq!(store.load(&KEY).await.unwrap(), Loaded::Found(record()));
}

#[tokio::test]
async fn a_line_that_swallows_everything_is_a_timeout_and_recovers() {
    let server = start(Kind::Etcd).unwrap();
    let proxy = Proxy::start(([127, 0, 0, 1], server.port()).into()).await.unwrap();
    let store = open(&format!("etcd://{}", proxy.address()), Duration::from_secs(1));
    until(async || store.create(&KEY, &record(), NOW).await.is_ok()).await;
    proxy.set(Weather::BlackHole);
    assert_eq!(store.load(&KEY).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    proxy.set(Weather::Fine);
    until(async || matches!(store.load(&KEY).await, Ok(Loaded::Found(_)))).await;
}

#[tokio::test]
async fn members_that_are_down_or_silent_are_passed_over() {
    let server = start(Kind::Etcd).unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let down = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let members =
        [silent.local_addr().unwrap().to_string(), down.to_string(), server.url().replace("etcd://", "")];
    let store = open(&format!("etcd://{}", members.join(",")), Duration::from_secs(6));
    until(async || store.create(&KEY, &record(), NOW).await.is_ok()).await;
    assert_eq!(store.load(&KEY).await.unwrap(), Loaded::Found(record()));
}

#[tokio::test]
async fn a_user_logs_in_and_logs_in_again_when_the_server_has_forgotten_the_token() {
    let server = start(Kind::Etcd).unwrap();
    let url = server.url();
    for (method, body) in [
        ("auth/user/add", json!({"name": "root", "password": "p@ss"})),
        ("auth/role/add", json!({"name": "root"})),
        ("auth/user/grant", json!({"user": "root", "role": "root"})),
        ("auth/enable", json!({})),
    ] {
        ask(&url, method, &body);
    }
    let stranger = open(&url, PATIENT);
    assert_eq!(stranger.load(&KEY).await.unwrap_err().kind(), StoreErrorKind::Refused);
    let store = open(&url.replace("etcd://", "etcd://root:p%40ss@"), PATIENT);
    assert_eq!(store.create(&KEY, &record(), NOW).await.unwrap(), Written::Applied);
    server.restart().unwrap();
    assert_eq!(store.load(&KEY).await.unwrap(), Loaded::Found(record()));
    let wrong = open(&url.replace("etcd://", "etcd://root:wrong@"), PATIENT);
    let error = wrong.load(&KEY).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert!(!format!("{error:?} {wrong:?}").contains("wrong"));
}

#[tokio::test]
async fn every_key_has_a_lease_and_a_revoked_one_is_replaced() {
    let server = start(Kind::Etcd).unwrap();
    let (url, store) = (server.url(), open(&server.url(), PATIENT));
    store.create(&KEY, &record(), NOW).await.unwrap();
    let lease = |key: StoreKey| {
        let found = ask(&url, "kv/range", &json!({"key": encode(format!("shop/{key}"))}));
        found["kvs"][0]["lease"].clone()
    };
    let first = lease(KEY);
    assert!(first.is_string(), "{first}");
    ask(&url, "kv/lease/revoke", &json!({"ID": first}));
    assert_eq!(store.load(&KEY).await.unwrap(), Loaded::Missing, "the lease took the session with it");
    let other = StoreKey::from_bytes([8; 32]);
    assert_eq!(store.create(&other, &record(), NOW).await.unwrap(), Written::Applied);
    assert_ne!(lease(other), first);
    let remaining: Value = ask(&url, "kv/lease/timetolive", &json!({"ID": lease(other)}));
    assert!(remaining["TTL"].as_str().unwrap().parse::<u64>().unwrap() > 30, "{remaining}");
}

#[test]
fn a_half_configured_store_is_not_built() {
    let builder = |url: &str| EtcdStore::builder(url).prefix("shop/");
    for url in
        ["redis://h:1", "etcd://", "etcd://h", "etcd://h:1,", "etcd://:1", "etcd://user@h:1", "etcd://h:1/x"]
    {
        assert_eq!(builder(url).open().unwrap_err(), BuildError::Url, "{url}");
    }
    assert_eq!(EtcdStore::builder("etcd://h:1").open().unwrap_err(), BuildError::Prefix);
    assert_eq!(builder("etcd://h:1").timeout(Duration::ZERO).open().unwrap_err(), BuildError::Timeout);
    assert!(builder("etcd://u:p@h:1,[::1]:2/").open().is_ok());
}

/// Asks again on a machine that is only busy.
async fn until(done: impl AsyncFn() -> bool) {
    let asking = async { while !done().await {} };
    tokio::time::timeout(PATIENT, asking).await.unwrap();
}
