//! `rediss://`: it asks for TLS and nothing else.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![cfg(feature = "tls")]

use session_core::{SessionStore, StoreErrorKind, StoreKey};
use session_store_redis::RedisStore;
use session_test_servers::{Kind, start};

#[tokio::test]
async fn a_server_without_tls_is_unavailable_and_hears_no_password() {
    let server = start(Kind::Redis).unwrap();
    let url = format!("rediss://app:hunter2@127.0.0.1:{}", server.port());
    let store = RedisStore::builder(url).prefix("tls:").open().unwrap();
    let error = store.load(&StoreKey::from_bytes([1; 32])).await.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Timeout), "{error:?}");
}
