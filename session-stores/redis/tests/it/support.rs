//! Shared by the tests: a prefix on a shared server, fresh etags and keys, and a plain connection to the server.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use session_core::{
    Timestamp,
    store::{Etag, Record, StoreKey},
};
use session_store_redis::{RedisStore, redis};
use session_test_servers::{Kind, Shared, shared};

/// What is meant by "in time" where other tests may be keeping the machine busy. How long it takes on a machine that is
/// idle is written in the README.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A deadline that a busy machine keeps: what the deadline does is told by the tests about faults.
pub(crate) const PATIENT: Duration = Duration::from_secs(60);

pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0)
}

pub(crate) fn fresh_prefix() -> String {
    format!("test-{:016x}:", random())
}

pub(crate) fn fresh_key() -> StoreKey {
    let mut bytes = [0; 32];
    bytes.chunks_exact_mut(8).for_each(|part| part.copy_from_slice(&random().to_be_bytes()));
    StoreKey::from_bytes(bytes)
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) fn record(payload: &str) -> Record {
    Record::new(Etag::new(random()), now(), now().plus(seconds(600)), payload.as_bytes().to_vec().into())
        .with_absolute_deadline(Some(now().plus(seconds(3600))))
}

pub(crate) fn owned(owner: &str) -> Record {
    record("{}").with_owner(Some(owner.into()))
}

pub(crate) fn until() -> Timestamp {
    now().plus(seconds(60))
}

pub(crate) async fn store_at(url: &str) -> Arc<RedisStore> {
    Arc::new(RedisStore::builder(url).prefix(fresh_prefix()).timeout(PATIENT).connect().await.unwrap())
}

/// A store with a prefix of its own on the server that tests share.
pub(crate) async fn store() -> Arc<RedisStore> {
    store_at(&shared_url()).await
}

pub(crate) fn shared_url() -> String {
    static SERVER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Redis));
    SERVER.url().to_owned()
}

/// A connection that speaks for the test, not for the store.
pub(crate) async fn plain(url: &str) -> redis::aio::MultiplexedConnection {
    // By itself it waits half a second.
    let patient = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENT))
        .set_response_timeout(Some(PATIENT));
    let client = redis::Client::open(url).unwrap();
    client.get_multiplexed_async_connection_with_config(&patient).await.unwrap()
}

/// Every key under the prefix, with what `PTTL` says of it.
pub(crate) async fn keys(url: &str, prefix: &str) -> Vec<(String, i64)> {
    let mut plain = plain(url).await;
    let names: Vec<String> =
        redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut plain).await.unwrap();
    let mut keys = Vec::new();
    for name in names {
        let left: i64 = redis::cmd("PTTL").arg(&name).query_async(&mut plain).await.unwrap();
        keys.push((name, left));
    }
    keys
}
