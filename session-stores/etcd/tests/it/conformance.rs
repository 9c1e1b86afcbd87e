//! The law of all stores, races, crowds and damage included.

use std::hash::{BuildHasher, RandomState};

use serde_json::json;
use session_core::{StoreKey, async_trait};
use session_store_etcd::EtcdStore;
use session_testkit::crowd::Place;
use session_testkit::{Damage, DamageKind, Fixture};

use crate::support::{PATIENT, SERVER, ask, decode, encode};

/// Spoils the value under a key.
struct Scribble {
    prefix: String,
}

#[async_trait]
impl Damage for Scribble {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        let key = encode(format!("{}{key}", self.prefix));
        let found = ask(SERVER.url(), "kv/range", &json!({"key": key}));
        let mut bytes = decode(&found["kvs"][0]["value"]);
        let middle = bytes.len() / 2;
        match kind {
            DamageKind::Truncate => bytes.truncate(middle),
            DamageKind::FlipBit => bytes[middle] ^= 1,
            DamageKind::Garbage => bytes.fill(0xa5),
            _ => bytes[1] = b'2',
        }
        ask(SERVER.url(), "kv/put", &json!({"key": key, "value": encode(bytes)}));
    }
}

fn new_prefix() -> String {
    format!("suite-{:016x}/", RandomState::new().hash_one(0))
}

async fn fixture() -> Fixture {
    let prefix = new_prefix();
    let open = {
        let prefix = prefix.clone();
        move || EtcdStore::builder(SERVER.url()).prefix(&prefix).timeout(PATIENT).open().unwrap()
    };
    Fixture::new(open()).with_damage(Scribble { prefix }).reopen(move || std::future::ready(open()))
}

async fn place() -> Place {
    Place::at(format!("{} {}", SERVER.url(), new_prefix()))
}

async fn open(place: String) -> EtcdStore {
    let (url, prefix) = place.split_once(' ').unwrap();
    EtcdStore::builder(url).prefix(prefix).timeout(PATIENT).open().unwrap()
}

session_testkit::store_suite!(fixture);
session_testkit::crowd_suite!(place, open);
