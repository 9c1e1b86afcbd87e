//! The law of all stores, proved for this one on a real server: every case of the suite, races and faults included.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::Duration;

use session_core::store::{StoreKey, async_trait};
use session_store_memcached::MemcachedStore;
use session_test_servers::{Kind, Shared, shared};
use session_testkit::crowd::Place;
use session_testkit::{Damage, DamageKind, Fixture};

static SERVER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Memcached));

struct Scribble {
    prefix: String,
}

#[async_trait]
impl Damage for Scribble {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        let bytes = match kind {
            DamageKind::NewerFormat => "S2 whatever comes after this version",
            _ => "never a record",
        };
        let mut stream = TcpStream::connect(SERVER.url().trim_start_matches("memcached://")).unwrap();
        write!(stream, "set {}{key} 0 0 {}\r\n{bytes}\r\n", self.prefix, bytes.len()).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        assert_eq!(answer, "STORED\r\n");
    }

    /// Memcached keeps items whole or not at all; this store adds no checksum.
    fn kinds(&self) -> &[DamageKind] {
        &[DamageKind::Garbage, DamageKind::NewerFormat]
    }
}

async fn fixture() -> Fixture {
    let prefix = format!("suite-{:016x}:", RandomState::new().hash_one(0));
    let open = {
        let prefix = prefix.clone();
        move || MemcachedStore::builder(SERVER.url()).prefix(&prefix).timeout(PATIENT).open().unwrap()
    };
    let store = open();
    Fixture::new(store)
        .reopen(move || {
            let again = open();
            async move { again }
        })
        .with_damage(Scribble { prefix })
}

async fn place() -> Place {
    Place::at(format!("{} suite-{:016x}:", SERVER.url(), RandomState::new().hash_one(0)))
}

async fn open(place: String) -> MemcachedStore {
    let (url, prefix) = place.split_once(' ').unwrap();
    MemcachedStore::builder(url).prefix(prefix).timeout(PATIENT).open().unwrap()
}

session_testkit::store_suite!(fixture);
session_testkit::crowd_suite!(place, open);

/// A crowd waits in line, and other tests keep the machine busy; what is proved here is not the deadline.
const PATIENT: Duration = Duration::from_secs(60);
