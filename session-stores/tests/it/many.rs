//! A user with very many sessions: lists come in pages, and counting, finding and ending read heads and not payloads.
#![cfg(all(
    feature = "dynamodb",
    feature = "mysql",
    feature = "postgres",
    feature = "redis",
    feature = "sqlite"
))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use session_conformance::proxy::{Proxy, Weather};
use session_core::{
    SecretKey, Sessions, Timestamp, UserSessions,
    adapter::{BoxFuture, Closing, CookieHeaders, Spawn},
    store::{Etag, Record, SessionHead, SessionStore, StoreKey, Written},
};
use session_stores::{StoreConfig, open};
use session_test_servers::{Kind, start};
use session_testkit::{OpLog, Verb};

const PAYLOAD: usize = 4 * 1024;

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

/// The session with this number; a higher one was created later.
fn session(number: usize) -> (StoreKey, Record) {
    let mut bytes = [0; 32];
    // Spread over the key space: the order of keys is not the order of creation.
    bytes[..8].copy_from_slice(&(number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    let begun = Timestamp::from_millis(1_700_000_000_000 + number as i64);
    let (later, etag) = (now().plus(Duration::from_secs(3_600)), Etag::new(number as u64));
    let record = Record::new(etag, begun, later, vec![b'x'; PAYLOAD].into()).with_owner(Some("ada".into()));
    (StoreKey::from_bytes(bytes), record)
}

async fn fill(store: &Arc<dyn SessionStore>, number: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..20 {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            for number in (lane..number).step_by(20) {
                let (key, record) = session(number);
                assert_eq!(store.create(&key, &record, now()).await.unwrap(), Written::Applied);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// What is counted of a store: what its server has sent.
type Sent<'a> = &'a dyn Fn() -> u64;

/// Another visitor, whose session is loaded over and over while the user's sessions are listed and ended.
struct Bystander {
    task: tokio::task::JoinHandle<()>,
    longest: Arc<AtomicU64>,
}

impl Bystander {
    /// It has a client of its own, so that it waits for the server and not for a connection.
    async fn start(config: &StoreConfig, shared: &Arc<dyn SessionStore>) -> Self {
        // A memory store is one process's, and a file of redb is opened once.
        let store = match &*config.driver {
            "memory" | "redb" => Arc::clone(shared),
            _ => open(config).await.unwrap(),
        };
        let longest = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&longest);
        let task = tokio::spawn(async move {
            loop {
                let begun = Instant::now();
                store.load(&StoreKey::from_bytes([7; 32])).await.unwrap();
                seen.fetch_max(begun.elapsed().as_micros() as u64, Relaxed);
                tokio::task::yield_now().await;
            }
        });
        Self { task, longest }
    }

    /// The longest wait since the last call.
    fn longest(&self) -> Duration {
        Duration::from_micros(self.longest.swap(0, Relaxed))
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn at_12(config: StoreConfig, number: usize) {
    at_12_counted(&config, &config, number, None).await;
}

/// `direct` is the same store without what counts.
async fn at_12_counted(config: &StoreConfig, direct: &StoreConfig, number: usize, sent: Option<Sent<'_>>) {
    let store = open(config).await.unwrap();
    fill(&store, number).await;
    let sent = |before: u64| sent.map_or(0, |sent| sent() - before);

    // Pages: all sessions, none of a page too large.
    let before = sent(0);
    let (heads, pages, longest_page) = all_heads(&*store).await;
    assert_eq!(heads.iter().map(|head| head.key).collect::<BTreeSet<_>>().len(), number);
    assert!(pages >= number / 500, "{pages} pages");
    let some = heads.iter().find(|head| head.key == session(7).0).unwrap();
    assert_eq!((some.etag, some.created), (Etag::new(7), session(7).1.created));
    assert!(sent(before) < number as u64 * 500, "{} bytes for the heads", sent(before));

    let log = OpLog::over(Arc::clone(&store));
    let sessions =
        Sessions::builder().store(log.clone()).key(SecretKey::generate().unwrap()).build().unwrap();
    let ada = sessions.of("ada");
    let before = sent(0);
    let begun = Instant::now();
    assert_eq!(ada.count().await.unwrap(), number);
    let counting = begun.elapsed();
    let oldest = session(0).0.handle();
    assert!(ada.destroy(oldest).await.unwrap());
    assert!(!ada.destroy(oldest).await.unwrap());
    assert_eq!(ada.count().await.unwrap(), number - 1);
    assert!(sent(before) < number as u64 * 4 * 500, "{} bytes to count and find", sent(before));
    assert_eq!((log.count_of(Verb::Page), log.count_of(Verb::Load)), (0, 0), "no data was read");
    assert_eq!(log.count_of(Verb::Destroy), 1);

    // The page of devices.
    log.take();
    let begun = Instant::now();
    let first = ada.list().await.unwrap();
    let listing = begun.elapsed();
    let second = ada.list_after(first.last().unwrap()).await.unwrap();
    let created: Vec<_> = first.iter().chain(&second).map(|device| device.created).collect();
    let expected: Vec<_> = (0..200).map(|back| session(number - 1 - back).1.created).collect();
    assert_eq!((first.len(), second.len()), (UserSessions::PAGE, UserSessions::PAGE));
    assert_eq!(created, expected, "the newest first, and on from there");
    assert_eq!((log.count_of(Verb::Page), log.count_of(Verb::Load)), (1, 200));
    assert!(
        log.count_of(Verb::Heads) <= 2 * (number.div_ceil(100) + 1),
        "{} pages of heads",
        log.count_of(Verb::Heads)
    );

    // The end of all of them, while another visitor's session is loaded over and over.
    let bystander = Bystander::start(direct, &store).await;
    assert_eq!(ada.count().await.unwrap(), number - 1);
    let while_counted = bystander.longest();
    let before = sent(0);
    let begun = Instant::now();
    assert_eq!(ada.destroy_all().await.unwrap(), number - 1);
    let ending = begun.elapsed();
    let while_ended = bystander.longest();
    drop(bystander);
    // Figures for the page on performance; they depend on the machine, so none is asserted.
    println!(
        "{number} sessions in {}: count {counting:.1?}, first page {listing:.1?}, end of all {ending:.1?}; \
         longest page of heads {longest_page:.1?}; \
         another visitor's longest wait {while_counted:.1?} while they are counted, {while_ended:.1?} while they end",
        store.name()
    );
    assert_eq!(ada.count().await.unwrap(), 0);
    // Heads, and an answer with its HTTP head for each session: less than half of a payload.
    assert!(sent(before) < number as u64 * (PAYLOAD as u64 / 2), "{} bytes to end them", sent(before));
    assert!(ada.list().await.unwrap().is_empty());
}

async fn all_heads(store: &dyn SessionStore) -> (Vec<SessionHead>, usize, Duration) {
    let (mut heads, mut pages, mut from, mut longest) = (Vec::new(), 0, None, Duration::ZERO);
    loop {
        let begun = Instant::now();
        let page = store.owners().unwrap().heads("ada", from.as_ref(), 250, now()).await.unwrap();
        longest = longest.max(begun.elapsed());
        assert!(page.entries.len() <= 1_000, "{} on one page", page.entries.len());
        heads.extend(page.entries);
        (pages, from) = (pages + 1, page.next);
        if from.is_none() {
            return (heads, pages, longest);
        }
    }
}

/// A server behind a proxy that counts.
async fn on_a_server(kind: Kind, number: usize) {
    let server = start(kind).unwrap();
    let address = format!("127.0.0.1:{}", server.port());
    let proxy = Proxy::start(address.parse().unwrap()).await.unwrap();
    proxy.set(Weather::Fine);
    let at = |url: &str| {
        let mut config = StoreConfig::from_url(url).unwrap();
        config.timeout = Duration::from_secs(60);
        config
    };
    let (direct, behind) = (server.url(), server.url().replace(&address, &proxy.address().to_string()));
    at_12_counted(&at(&behind), &at(&direct), number, Some(&|| proxy.passed().reply)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_12_ten_thousand_sessions_of_one_user_in_memory() {
    at_12(StoreConfig::new("memory"), 10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_12_ten_thousand_sessions_of_one_user_in_sqlite() {
    let folder = in_memory_folder();
    let mut config = StoreConfig::new("sqlite");
    config.url = Some(format!("sqlite:{}", folder.path().join("sessions.db").display()).into());
    config.timeout = Duration::from_secs(60);
    at_12(config, 10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_12_ten_thousand_sessions_of_one_user_in_redis() {
    on_a_server(Kind::Redis, 10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_12_ten_thousand_sessions_of_one_user_in_postgres() {
    on_a_server(Kind::Postgres, 10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_12_many_sessions_of_one_user_in_mariadb() {
    on_a_server(Kind::MariaDb, 1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_12_many_sessions_of_one_user_in_dynamodb() {
    on_a_server(Kind::DynamoDb, 600).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_12_many_sessions_of_one_user_in_a_cluster() {
    let server = start(Kind::RedisCluster).unwrap();
    let mut config = StoreConfig::from_url(&server.url()).unwrap();
    config.timeout = Duration::from_secs(60);
    at_12(config, 600).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_12_many_sessions_of_one_user_in_redb_and_in_files() {
    for driver in ["redb", "file"] {
        let folder = in_memory_folder();
        let mut config = StoreConfig::new(driver);
        config.location = Some(folder.path().join("sessions"));
        config.timeout = Duration::from_secs(60);
        at_12(config, 600).await;
    }
}

/// A folder that no disk is asked for, where there is such a place.
fn in_memory_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

#[derive(Debug)]
struct OnTokio;

impl Spawn for OnTokio {
    fn spawn(&self, future: BoxFuture<()>) {
        tokio::spawn(future);
    }
}

/// Signs a new browser in.
async fn sign_in(sessions: &Sessions, user: &str) -> session_core::Handle {
    let guard = sessions.visit(CookieHeaders::default(), &OnTokio);
    let session = guard.visit().session().await.unwrap();
    session.tag(user).unwrap();
    session.commit().await.unwrap();
    let handle = session.id().unwrap();
    drop::<Box<dyn Any>>(Box::new(session));
    match guard.close(200) {
        Closing::Ready(_) => {}
        Closing::Pending(finish) => drop(finish.await),
    }
    handle
}

#[tokio::test]
async fn at_12_a_sign_in_beyond_the_limit_ends_the_oldest_session_of_this_user() {
    let store = open(&StoreConfig::new("memory")).await.unwrap();
    let key = SecretKey::generate().unwrap();
    let clock = session_testkit::ManualClock::at(now());
    let sessions = Sessions::builder().shared_store(store).key(key).clock(clock.clone()).most_sessions(3);
    let sessions = sessions.build().unwrap();
    let other = sign_in(&sessions, "bob").await;
    let mut ada = Vec::new();
    for _ in 0..5 {
        clock.advance(Duration::from_secs(1));
        ada.push(sign_in(&sessions, "ada").await);
    }
    let listed: Vec<_> =
        sessions.of("ada").list().await.unwrap().iter().map(|device| device.handle).collect();
    assert_eq!(listed, [ada[4], ada[3], ada[2]]);
    assert!(sessions.of("bob").get(other).await.unwrap().is_some());
}

#[test]
fn at_12_a_user_has_at_most_a_thousand_sessions_unless_it_is_said() {
    assert_eq!(session_core::Policy::default().most_sessions, 1_000);
}
