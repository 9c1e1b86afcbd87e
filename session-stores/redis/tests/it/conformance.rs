//! The store suite on real servers, each case under a prefix of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use session_conformance::crowd::Place;
use session_conformance::{Damage, DamageKind, Fixture};
use session_core::store::{StoreKey, async_trait};
use session_store_redis::{RedisStore, redis};
use session_test_servers::{Kind, Shared, shared};
use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::sync::LazyLock;
use std::time::Duration;

/// The server that the environment names, else one for all cases of this process; and a new prefix.
fn server(kind: Kind) -> (String, String) {
    static ONE: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Redis));
    static CLUSTER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::RedisCluster));
    let server = if kind == Kind::RedisCluster { &CLUSTER } else { &ONE };
    (server.url().to_owned(), format!("suite-{:016x}:", RandomState::new().hash_one(0)))
}

async fn connect(url: &str) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(url).unwrap();
    let patient = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(A_MINUTE))
        .set_response_timeout(Some(A_MINUTE));
    client.get_multiplexed_async_connection_with_config(&patient).await.unwrap()
}

/// The size of an owner's index.
async fn entries(url: String, name: String) -> usize {
    redis::cmd("ZCARD").arg(name).query_async(&mut connect(&url).await).await.unwrap()
}

struct Scribble {
    url: String,
    prefix: String,
}

#[async_trait]
impl Damage for Scribble {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        let mut plain = connect(&self.url).await;
        let name = format!("{}session:{key}", self.prefix);
        let mut bytes: Vec<u8> = redis::cmd("GET").arg(&name).query_async(&mut plain).await.unwrap();
        // In the payload, which is the larger half.
        let middle = bytes.len() * 3 / 4;
        match kind {
            DamageKind::Truncate => bytes.truncate(middle),
            DamageKind::FlipBit => bytes[middle] ^= 1,
            DamageKind::Garbage => bytes = b"never a record".to_vec(),
            DamageKind::NewerFormat => bytes = b"S2r0 whatever comes after this version".to_vec(),
            other => panic!("a new way to spoil a record: {other:?}"),
        }
        let mut set = redis::cmd("SET");
        let () = set.arg(name).arg(bytes).arg("KEEPTTL").query_async(&mut plain).await.unwrap();
    }
}

mod one_server {
    use super::*;

    async fn fixture() -> Fixture {
        let (url, prefix) = server(Kind::Redis);
        let place = format!("{url} {prefix}");
        let (index, of) = (url.clone(), prefix.clone());
        Fixture::new(open(place.clone()).await)
            .shared(place, open)
            .owner_entries(move |owner| entries(index.clone(), format!("{of}owner:{owner}")))
            .stalled(BRIEF, || async {
                let silent = TcpListener::bind("127.0.0.1:0").unwrap();
                let url = format!("redis://{}", silent.local_addr().unwrap());
                let store = RedisStore::builder(url).prefix("p:").timeout(BRIEF).open().unwrap();
                Fixture::new(store).with_guard(silent)
            })
            .with_damage(Scribble { url, prefix })
            .without_sweep()
    }

    async fn place() -> Place {
        let (url, prefix) = server(Kind::Redis);
        Place::at(format!("{url} {prefix}"))
    }

    async fn open(place: String) -> RedisStore {
        let (url, prefix) = place.split_once(' ').unwrap();
        RedisStore::builder(url).prefix(prefix).timeout(A_MINUTE).connect().await.unwrap()
    }

    session_conformance::store_suite!(fixture);
    session_conformance::crowd_suite!(place, open);
}

#[cfg(feature = "client-cache")]
mod cached {
    //! What the cache may change. A second handle sees a write once the server's invalidation has arrived, a moment
    //! after the write was answered.

    use super::*;

    async fn fixture() -> Fixture {
        let (url, prefix) = server(Kind::Redis);
        let open = move || {
            let builder = RedisStore::builder(&url).prefix(&prefix).timeout(A_MINUTE);
            std::future::ready(builder.client_cache(1000).open().unwrap())
        };
        Fixture::new(open().await)
            .reopen(open)
            .seen_within(A_MINUTE)
            .in_one_process()
            .without_damage()
            .without_owner_entries()
            .without_stall()
            .without_sweep()
    }

    session_conformance::store_suite!(fixture);
}

#[cfg(feature = "cluster")]
mod cluster {
    use session_store_redis::RedisClusterStore;

    use super::*;

    async fn fixture() -> Fixture {
        let (url, prefix) = server(Kind::RedisCluster);
        let place = format!("{url} {prefix}");
        Fixture::new(open(place.clone()).await)
            .shared(place, open)
            .stalled(BRIEF, || async {
                let silent = TcpListener::bind("127.0.0.1:0").unwrap();
                let url = format!("redis-cluster://{}", silent.local_addr().unwrap());
                let store = RedisClusterStore::builder(url).prefix("p:").timeout(BRIEF).open().unwrap();
                Fixture::new(store).with_guard(silent)
            })
            // The same codec and scripts as on one server, where the suite damages records.
            .without_damage()
            // The index is in another slot than the sessions; stale entries are removed later.
            .without_owner_entries()
            .without_sweep()
    }

    async fn place() -> Place {
        let (url, prefix) = server(Kind::RedisCluster);
        Place::at(format!("{url} {prefix}"))
    }

    async fn open(place: String) -> RedisClusterStore {
        let (url, prefix) = place.split_once(' ').unwrap();
        RedisClusterStore::builder(url).prefix(prefix).timeout(A_MINUTE).connect().await.unwrap()
    }

    session_conformance::store_suite!(fixture);
    session_conformance::crowd_suite!(place, open);
}

/// For what must succeed however busy the machine is.
const A_MINUTE: Duration = Duration::from_secs(60);
const BRIEF: Duration = Duration::from_millis(200);
