//! The store suite, including races, crowds and damage.

use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;
use session_conformance::crowd::{Crowd, Place, run_counting, run_four_processes, run_logout};
use session_conformance::{Damage, DamageKind, Fixture};
use session_core::store::{StoreKey, async_trait};
use session_store_etcd::EtcdStore;
use sha2::{Digest, Sha256};

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
    let place = format!("{} {prefix}", SERVER.url());
    let index = prefix.clone();
    Fixture::new(open(place.clone()).await)
        .shared(place, open)
        .owner_entries(move |owner| std::future::ready(members(&index, &owner)))
        .stalled(BRIEF, || async {
            let silent = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("etcd://{}", silent.local_addr().unwrap());
            let store = EtcdStore::builder(url).prefix("p/").timeout(BRIEF).open().unwrap();
            Fixture::new(store).with_guard(silent)
        })
        .with_damage(Scribble { prefix })
        .without_sweep()
}

/// How many keys the owner's index has, under a hash of the owner's name.
fn members(prefix: &str, owner: &str) -> usize {
    let hash = Sha256::new().chain_update(OWNER).chain_update(owner).finalize();
    let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let (key, end) = (encode(format!("{prefix}o-{name}/")), encode(format!("{prefix}o-{name}0")));
    let found = ask(SERVER.url(), "kv/range", &json!({"key": key, "range_end": end}));
    found["kvs"].as_array().map_or(0, Vec::len)
}

async fn place() -> Place {
    Place::at(format!("{} {}", SERVER.url(), new_prefix()))
}

async fn open(place: String) -> EtcdStore {
    let (url, prefix) = place.split_once(' ').unwrap();
    EtcdStore::builder(url).prefix(prefix).timeout(PATIENT).open().unwrap()
}

session_conformance::store_suite!(fixture);
// Not `crowd_suite!`: every write is a consensus round here, and the thousand sessions of its first claim take an hour
// on a busy machine.
#[test]
fn crowd_of_160_slow_writers_does_not_revive_a_destroyed_session() {
    run_logout(fixture, Crowd { rounds: 1_000, within: Some(Duration::from_secs(20)), ..Crowd::default() });
}

#[test]
fn crowd_of_64_writers_of_10_increments_ends_at_640() {
    run_counting(fixture, 64, 10);
}

#[test]
fn crowd_of_16_writers_in_four_processes_ends_at_320() {
    const NAME: &str = concat!(module_path!(), "::crowd_of_16_writers_in_four_processes_ends_at_320");
    run_four_processes(place, open, NAME, 16, 20);
}

const BRIEF: Duration = Duration::from_millis(200);
/// As `session-store-kv` hashes the names of owners.
const OWNER: &str = "session-store-kv/owner/v1\0";
