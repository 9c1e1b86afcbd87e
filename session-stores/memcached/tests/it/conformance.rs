//! The store suite and the crowd suite on a real server.

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read, Write};
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
        let address = SERVER.url().trim_start_matches("memcached://").to_owned();
        let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
        write!(stream.get_mut(), "get {}{key}\r\n", self.prefix).unwrap();
        let mut head = String::new();
        stream.read_line(&mut head).unwrap();
        let length: usize = head.trim().rsplit(' ').next().unwrap().parse().unwrap();
        let mut bytes = vec![0; length + "\r\nEND\r\n".len()];
        stream.read_exact(&mut bytes).unwrap();
        bytes.truncate(length);
        match kind {
            DamageKind::Truncate => bytes.truncate(length / 2),
            DamageKind::FlipBit => bytes[length / 2] ^= 1,
            DamageKind::Garbage => bytes = b"never a record".to_vec(),
            DamageKind::NewerFormat => bytes[1] = b'2',
            other => panic!("a new way to spoil a record: {other:?}"),
        }
        let order = format!("set {}{key} 0 0 {}\r\n", self.prefix, bytes.len());
        stream.get_mut().write_all(&[order.as_bytes(), &bytes, b"\r\n"].concat()).unwrap();
        let mut answer = String::new();
        stream.read_line(&mut answer).unwrap();
        assert_eq!(answer, "STORED\r\n");
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
