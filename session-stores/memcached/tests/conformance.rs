//! The store suite on a real server, races and faults included.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::LazyLock;
use std::time::Duration;

use session_conformance::crowd::Place;
use session_conformance::{Damage, DamageKind, Fixture};
use session_core::store::{StoreKey, async_trait};
use session_store_memcached::MemcachedStore;
use session_test_servers::{Kind, Shared, shared};

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
    let place = format!("{} {prefix}", SERVER.url());
    Fixture::new(open(place.clone()).await)
        .shared(place, open)
        .stalled(BRIEF, || async {
            let silent = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("memcached://{}", silent.local_addr().unwrap());
            let store = MemcachedStore::builder(url).prefix("p:").timeout(BRIEF).open().unwrap();
            Fixture::new(store).with_guard(silent)
        })
        .with_damage(Scribble { prefix })
        .without_owners()
        .without_sweep()
}

async fn place() -> Place {
    Place::at(format!("{} suite-{:016x}:", SERVER.url(), RandomState::new().hash_one(0)))
}

async fn open(place: String) -> MemcachedStore {
    let (url, prefix) = place.split_once(' ').unwrap();
    MemcachedStore::builder(url).prefix(prefix).timeout(PATIENT).open().unwrap()
}

session_conformance::store_suite!(fixture);
session_conformance::crowd_suite!(place, open);

/// For what must succeed however busy the machine is.
const PATIENT: Duration = Duration::from_secs(60);
const BRIEF: Duration = Duration::from_millis(200);
