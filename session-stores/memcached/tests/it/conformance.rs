//! The store suite and the crowd suite on a real server.

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read, Write};
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
