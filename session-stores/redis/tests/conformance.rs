//! The store suite of the testkit on real servers, each case under a prefix of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use session_core::store::{StoreKey, async_trait};
use session_store_redis::{RedisStore, redis};
use session_test_servers::{Kind, Shared, shared};
use session_testkit::crowd::Place;
use session_testkit::{Damage, DamageKind, Fixture};
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::time::Duration;

/// The server that the environment names, else one for all cases of this process; and a new prefix.
fn server(kind: Kind) -> (String, String) {
    static ONE: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Redis));
    static CLUSTER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::RedisCluster));
    let server = if kind == Kind::RedisCluster { &CLUSTER } else { &ONE };
    (server.url().to_owned(), format!("suite-{:016x}:", RandomState::new().hash_one(0)))
}

struct Scribble {
    url: String,
    prefix: String,
}

#[async_trait]
impl Damage for Scribble {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        let client = redis::Client::open(&*self.url).unwrap();
        let patient = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(A_MINUTE))
            .set_response_timeout(Some(A_MINUTE));
        let mut plain = client.get_multiplexed_async_connection_with_config(&patient).await.unwrap();
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
        let open = {
            let (url, prefix) = (url.clone(), prefix.clone());
            move || RedisStore::builder(&url).prefix(&prefix).timeout(A_MINUTE).open().unwrap()
        };
        let store = open();
        Fixture::new(store)
            .reopen(move || {
                let again = open();
                async move { again }
            })
            .with_damage(Scribble { url, prefix })
    }

    async fn place() -> Place {
        let (url, prefix) = server(Kind::Redis);
        Place::at(format!("{url} {prefix}"))
    }

    async fn open(place: String) -> RedisStore {
        let (url, prefix) = place.split_once(' ').unwrap();
        RedisStore::builder(url).prefix(prefix).timeout(A_MINUTE).connect().await.unwrap()
    }

    session_testkit::store_suite!(fixture);
    session_testkit::crowd_suite!(place, open);
}

#[cfg(feature = "client-cache")]
mod cached {
    use super::*;

    async fn fixture() -> Fixture {
        let (url, prefix) = server(Kind::Redis);
        let open = move || {
            RedisStore::builder(&url).prefix(&prefix).timeout(A_MINUTE).client_cache(1000).open().unwrap()
        };
        Fixture::new(open())
    }

    session_testkit::store_suite!(fixture);
}

#[cfg(feature = "cluster")]
mod cluster {
    use session_store_redis::RedisClusterStore;

    use super::*;

    async fn fixture() -> Fixture {
        let (url, prefix) = server(Kind::RedisCluster);
        let open = move || RedisClusterStore::builder(&url).prefix(&prefix).timeout(A_MINUTE).open().unwrap();
        let store = open();
        Fixture::new(store).reopen(move || {
            let again = open();
            async move { again }
        })
    }

    async fn place() -> Place {
        let (url, prefix) = server(Kind::RedisCluster);
        Place::at(format!("{url} {prefix}"))
    }

    async fn open(place: String) -> RedisClusterStore {
        let (url, prefix) = place.split_once(' ').unwrap();
        RedisClusterStore::builder(url).prefix(prefix).timeout(A_MINUTE).connect().await.unwrap()
    }

    session_testkit::store_suite!(fixture);
    session_testkit::crowd_suite!(place, open);
}

/// A crowd waits in line, and other tests keep the machine busy; what is proved here is not the deadline.
const A_MINUTE: Duration = Duration::from_secs(60);
