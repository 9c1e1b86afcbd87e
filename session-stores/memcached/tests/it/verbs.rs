//! Claims particular to memcached: interrupted calls, restarts, expiry, bounded connections.

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, SessionStore, StoreErrorKind, StoreKey, Written},
};
use session_store_kv::codec::{Entry, Successor};
use session_store_memcached::MemcachedStore;
use session_test_servers::{Kind, Server, start};

const HOUR: Duration = Duration::from_secs(3600);

fn random() -> u64 {
    RandomState::new().hash_one(0)
}

fn key() -> StoreKey {
    let mut bytes = [0; 32];
    bytes.chunks_exact_mut(8).for_each(|part| part.copy_from_slice(&random().to_be_bytes()));
    StoreKey::from_bytes(bytes)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

fn record(payload: &str) -> Record {
    Record::new(Etag::new(random()), now(), now().plus(HOUR), payload.as_bytes().to_vec().into())
}

/// A store with a deadline that a busy machine keeps.
fn store(server: &Server) -> MemcachedStore {
    store_within(server, Duration::from_secs(60))
}

fn store_within(server: &Server, deadline: Duration) -> MemcachedStore {
    MemcachedStore::builder(server.url()).prefix("t:").timeout(deadline).open().unwrap()
}

/// Writes an item behind the store's back.
fn set(server: &Server, key: &StoreKey, item: &[u8]) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    write!(stream, "set t:{key} 0 0 {}\r\n", item.len()).unwrap();
    stream.write_all(&[item, b"\r\n"].concat()).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    assert_eq!(answer, "STORED\r\n");
}

/// The tombstone that commits a rotation to this record, with no end in sight.
fn pointer(old: &StoreKey, new: &StoreKey, record: &Record) -> Vec<u8> {
    let successor = Some(Successor { key: *new, etag: record.etag });
    Entry::Tombstone { until: Timestamp::from_millis(i64::MAX), successor }.encode(old)
}

fn item(server: &Server, key: &StoreKey) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    write!(stream, "get t:{key}\r\nquit\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_rotation_killed_before_its_commit_never_happened() {
    let server = start(Kind::Memcached).unwrap();
    let (store, old, new, first, next) = (store(&server), key(), key(), record("{}"), record("{}"));
    store.create(&old, &first, now()).await.unwrap();
    set(&server, &new, &Entry::Pending { old, record: next.clone() }.encode(&new));
    assert_eq!(store.load(&new).await.unwrap(), Loaded::Missing);
    assert_eq!(store.replace(&new, next.etag, &record("{}"), now()).await.unwrap(), Written::Gone);
    assert_eq!(store.load(&old).await.unwrap(), Loaded::Found(first));
}

#[tokio::test]
async fn a_rotation_killed_after_its_commit_is_finished_by_whoever_reads_next() {
    let server = start(Kind::Memcached).unwrap();
    let (store, old, new, next) = (store(&server), key(), key(), record("{}"));
    set(&server, &new, &Entry::Pending { old, record: next.clone() }.encode(&new));
    set(&server, &old, &pointer(&old, &new, &next));
    assert!(matches!(store.load(&new).await.unwrap(), Loaded::Found(found) if found.etag == next.etag));
    assert!(item(&server, &new).contains("\r\nS1r"), "it is promoted");
    // From now on it does not depend on the tombstone any more.
    let ended = Entry::Tombstone { until: Timestamp::from_millis(0), successor: None };
    set(&server, &old, &ended.encode(&old));
    assert!(matches!(store.load(&new).await.unwrap(), Loaded::Found(_)));
}

#[tokio::test]
async fn a_refused_rotation_leaves_nothing_under_the_new_key() {
    let server = start(Kind::Memcached).unwrap();
    let (store, old, new, first) = (store(&server), key(), key(), record("{}"));
    store.create(&old, &first, now()).await.unwrap();
    let until = now().plus(Duration::from_secs(60));
    let wrong = Etag::new(first.etag.get().wrapping_add(1));
    let refused = store.rotate(&old, wrong, &new, &record("{}"), now(), until).await.unwrap();
    assert_eq!(refused, Written::Conflict(first));
    assert_eq!(item(&server, &new), "END\r\n");
}

#[tokio::test]
async fn a_server_that_stands_still_is_a_timeout_and_one_that_is_gone_unavailable() {
    let server = start(Kind::Memcached).unwrap();
    let (patient, hasty, key) = (store(&server), store_within(&server, Duration::from_millis(700)), key());
    patient.create(&key, &record("{}"), now()).await.unwrap();
    server.pause();
    let begun = Instant::now();
    assert_eq!(hasty.load(&key).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    server.resume();
    assert!(matches!(patient.load(&key).await.unwrap(), Loaded::Found(_)));
    let begun = Instant::now();
    while hasty.load(&key).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not come back");
    }
    server.kill9();
    for store in [&patient, &hasty] {
        assert_eq!(store.load(&key).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    }
    server.restart().unwrap();
    let store = patient;
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Missing);
    assert_eq!(store.replace(&key, Etag::new(1), &record("{}"), now()).await.unwrap(), Written::Gone);
}

#[tokio::test]
async fn every_item_expires_by_itself() {
    let server = start(Kind::Memcached).unwrap();
    let (store, key) = (store(&server), key());
    let short = record("{}").with_idle_deadline(now().plus(Duration::from_millis(1)));
    store.create(&key, &short, now()).await.unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    write!(stream, "mg t:{key} t\r\nquit\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let left: i64 = answer.trim().strip_prefix("HD t").unwrap().parse().unwrap();
    assert!((1..=62).contains(&left), "a minute after its deadline: {left}");
}

/// A server that answers one `gets` with an item of another key, as one does whose client has lost count of its answers.
fn answers_another_question(item: Vec<u8>) -> (u16, std::thread::JoinHandle<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let mut question = String::new();
        stream.read_line(&mut question).unwrap();
        let head = format!("VALUE t:{} 0 {} 7\r\n", "ab".repeat(32), item.len());
        let answer = [head.as_bytes(), &item, b"\r\nEND\r\n"].concat();
        stream.get_mut().write_all(&answer).unwrap();
        question
    });
    (port, serving)
}

#[tokio::test]
async fn at_18_an_answer_about_another_key_is_an_error_and_never_a_session() {
    let (asked, other, record) = (key(), StoreKey::from_bytes([0xab; 32]), record("{}"));
    let (port, serving) = answers_another_question(Entry::Record(record).encode(&other));
    let store = MemcachedStore::builder(format!("memcached://127.0.0.1:{port}")).prefix("t:").open().unwrap();
    assert_eq!(store.load(&asked).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert_eq!(serving.join().unwrap(), format!("gets t:{asked}\r\n"));
}

#[tokio::test]
async fn at_18_an_item_under_another_key_is_corrupt() {
    let server = start(Kind::Memcached).unwrap();
    let (store, asked, other) = (store(&server), key(), key());
    set(&server, &asked, &Entry::Record(record("{}")).encode(&other));
    assert_eq!(store.load(&asked).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
}
