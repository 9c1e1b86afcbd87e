//! Known defects of other session libraries, tested on every store on its real server, through `Sessions` as an
//! application uses it. The numbers are those of the list of reproduced defects.
#![cfg(any(
    feature = "dynamodb",
    feature = "file",
    feature = "memcached",
    feature = "etcd",
    feature = "mysql",
    feature = "postgres",
    feature = "redb",
    feature = "redis",
    feature = "sqlite"
))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::any::Any;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use session_core::{
    CommitError, SecretKey, Session, Sessions, Timestamp,
    adapter::{BoxFuture, Closing, Spawn, VisitGuard, VisitReport},
    store::{Etag, Loaded, Record, SessionStore, StoreKey, Written},
};
use session_stores::{StoreConfig, open};
use session_testkit::{OpLog, Verb};

/// Where one test keeps its sessions, where another application on the same server keeps its own, and what lives as long.
struct Place {
    config: StoreConfig,
    neighbour: StoreConfig,
    guard: Box<dyn Any>,
}

struct App {
    sessions: Sessions,
    store: OpLog<dyn SessionStore>,
    neighbour: StoreConfig,
    _guard: Box<dyn Any>,
}

async fn app(place: Place) -> App {
    let store = OpLog::over(open(&place.config).await.unwrap());
    let sessions = Sessions::builder().store(store.clone()).key(SecretKey::generate().unwrap()).build();
    App { sessions: sessions.unwrap(), store, neighbour: place.neighbour, _guard: place.guard }
}

#[derive(Debug)]
struct OnTokio;

impl Spawn for OnTokio {
    fn spawn(&self, future: BoxFuture<()>) {
        tokio::spawn(future);
    }
}

/// It keeps one cookie.
#[derive(Clone, Default)]
struct Browser {
    cookie: Option<String>,
}

impl App {
    fn arrive(&self, browser: &Browser) -> VisitGuard {
        self.sessions.visit(browser.cookie.iter().map(String::as_str).collect(), &OnTokio)
    }

    /// A whole request of this browser, which must succeed.
    async fn visit<T>(&self, browser: &mut Browser, handler: impl FnOnce(Session) -> T) -> T {
        let guard = self.arrive(browser);
        let value = handler(guard.visit().session().await.unwrap());
        let report = finish(guard).await;
        assert!(report.error.is_none(), "{:?}", report.error);
        if let Some(header) = &report.set_cookie {
            let pair = header.split(';').next().unwrap();
            browser.cookie = (!header.contains("Max-Age=0")).then(|| pair.to_owned());
        }
        value
    }

    /// A browser that has signed in.
    async fn ada(&self) -> Browser {
        let mut browser = Browser::default();
        self.visit(&mut browser, |session| {
            session.put("n", 1).unwrap();
            session.put("user", "ada").unwrap();
        })
        .await;
        self.store.take();
        browser
    }

    async fn read(&self, browser: &Browser, key: &str) -> Option<u32> {
        self.visit(&mut browser.clone(), |session| session.get::<u32>(key).unwrap()).await
    }
}

async fn finish(guard: VisitGuard) -> VisitReport {
    match guard.close(200) {
        Closing::Ready(report) => report,
        Closing::Pending(finish) => finish.await,
    }
}

/// One acknowledged write of two is lost.
async fn peers_1(app: App) {
    let browser = app.ada().await;
    let guards: Vec<_> = (0..10).map(|_| app.arrive(&browser)).collect();
    for (number, guard) in guards.iter().enumerate() {
        guard.visit().session().await.unwrap().put(format!("key{number}"), number).unwrap();
    }
    for guard in guards {
        assert!(finish(guard).await.error.is_none());
    }
    for number in 0..10 {
        assert_eq!(app.read(&browser, &format!("key{number}")).await, Some(number));
    }
}

/// A request in flight writes its snapshot back after the sign-out.
async fn peers_2(app: App) {
    let mut browser = app.ada().await;
    let old = browser.clone();
    let slow = app.arrive(&old);
    slow.visit().session().await.unwrap().put("n", 5).unwrap();
    app.visit(&mut browser, |session| session.destroy().unwrap()).await;
    let report = finish(slow).await;
    assert!(matches!(report.error, Some(CommitError::Gone)) && report.set_cookie.is_none());
    assert_eq!(app.read(&old, "n").await, None);
}

/// The old id is usable again after a regenerate.
async fn peers_3(app: App) {
    let mut browser = app.ada().await;
    let old = browser.clone();
    let slow = app.arrive(&old);
    slow.visit().session().await.unwrap().put("n", 5).unwrap();
    app.visit(&mut browser, |session| session.regenerate().unwrap()).await;
    let report = finish(slow).await;
    assert!(matches!(report.error, Some(CommitError::Gone)) && report.set_cookie.is_none());
    assert_eq!(app.read(&old, "n").await, None);
    assert_eq!(app.read(&browser, "n").await, Some(1));
}

/// After a cancelled request a sign-out deletes nothing.
async fn peers_9(app: App) {
    let mut browser = app.ada().await;
    let old = browser.clone();
    for write in [false, true] {
        let cancelled = app.arrive(&browser);
        let session = cancelled.visit().session().await.unwrap();
        if write {
            session.put("n", 9).unwrap();
        }
        drop(cancelled);
    }
    app.visit(&mut browser, |session| session.destroy().unwrap()).await;
    assert_eq!(app.read(&old, "n").await, None);
}

/// A bogus id creates a row.
async fn peers_11(app: App) {
    let mut ended = app.ada().await;
    let authentic = ended.clone();
    app.visit(&mut ended, |session| session.destroy().unwrap()).await;
    app.store.take();
    let forged = Browser { cookie: Some(format!("{}=AQAAAAAAAAAA", app.sessions.cookie_name())) };
    for (browser, calls) in [(&forged, &[][..]), (&authentic, &[Verb::Load][..])] {
        assert_eq!(app.read(browser, "n").await, None);
        assert_eq!(app.store.verbs(), calls, "it looks, and makes nothing");
        app.store.take();
    }
    // No verb but a create and a rotation brings a key into being.
    let (key, now) = (StoreKey::from_bytes([7; 32]), Timestamp::from_millis(0));
    let later = now.plus(Duration::from_secs(60));
    assert_eq!(app.store.replace(&key, Etag::new(1), &record(2), now).await.unwrap(), Written::Gone);
    assert_eq!(app.store.touch(&key, later, now).await.unwrap(), Written::Gone);
    app.store.destroy(&key, later).await.unwrap();
    assert_eq!(app.store.load(&key).await.unwrap(), Loaded::Missing);
}

/// A tag is lost on regenerate.
async fn peers_24(app: App) {
    let mut browser = app.ada().await;
    app.visit(&mut browser, |session| session.tag("user 1").unwrap()).await;
    app.visit(&mut browser, |session| session.regenerate().unwrap()).await;
    let owner = app.visit(&mut browser, |session| session.user().name().as_deref().map(str::to_owned)).await;
    assert_eq!(owner.as_deref(), Some("user 1"));
    if app.store.owners().is_some() {
        assert_eq!(app.sessions.of("user 1").count().await.unwrap(), 1, "the index followed");
        assert_eq!(app.sessions.of("user 1").destroy_all().await.unwrap(), 1);
        assert_eq!(app.read(&browser, "n").await, None);
    }
}

/// A touch revives what has expired.
async fn peers_26(app: App) {
    let (key, start) = (StoreKey::from_bytes([8; 32]), Timestamp::from_millis(NOW));
    let first = record(1);
    assert_eq!(app.store.create(&key, &first, start).await.unwrap(), Written::Applied);
    let expired = first.idle_deadline;
    let later = expired.plus(Duration::from_secs(3_600));
    assert_eq!(app.store.touch(&key, later, expired).await.unwrap(), Written::Gone);
    match app.store.load(&key).await.unwrap() {
        Loaded::Found(record) => assert!(!record.is_live(expired), "{record:?}"),
        Loaded::Missing | Loaded::Ended { .. } => {}
    }
}

/// Keys without a prefix: two applications on one server meet.
async fn peers_27(app: App) {
    let other = open(&app.neighbour).await.unwrap();
    let (key, now) = (StoreKey::from_bytes([9; 32]), Timestamp::from_millis(NOW));
    assert_eq!(app.store.create(&key, &record(1), now).await.unwrap(), Written::Applied);
    assert_eq!(other.load(&key).await.unwrap(), Loaded::Missing);
    assert_eq!(other.create(&key, &record(2), now).await.unwrap(), Written::Applied);
    other.destroy(&key, now.plus(Duration::from_secs(60))).await.unwrap();
    assert_eq!(app.store.load(&key).await.unwrap(), Loaded::Found(record(1)));
}

fn record(etag: u64) -> Record {
    Record::new(
        Etag::new(etag),
        Timestamp::from_millis(NOW),
        Timestamp::from_millis(NOW + 60_000),
        b"{}".to_vec().into(),
    )
}

/// In the year 2100, before which no server forgets by a clock of its own.
const NOW: i64 = 4_102_444_800_000;

/// A place for each kind of store; what it takes of the server is named by the caller.
fn two_of(config: StoreConfig, guard: impl Any, name: impl Fn(&mut StoreConfig, String)) -> Place {
    let number = RandomState::new().hash_one(0);
    let [mut config, mut neighbour] = [config.clone(), config];
    for (config, which) in [(&mut config, "one"), (&mut neighbour, "two")] {
        config.timeout = PATIENT;
        name(config, format!("peers_{number:016x}_{which}"));
    }
    Place { config, neighbour, guard: Box::new(guard) }
}

/// A deadline that a busy machine keeps: what it does is told elsewhere.
const PATIENT: Duration = Duration::from_secs(60);

macro_rules! peers {
    ($($feature:literal $module:ident $place:expr;)*) => {$(
        #[cfg(feature = $feature)]
        mod $module {
            use super::*;

            async fn app() -> App {
                super::app($place).await
            }

            #[tokio::test]
            async fn peers_1_parallel_writes_to_different_keys_both_stay() {
                peers_1(app().await).await;
            }

            #[tokio::test]
            async fn lc_2_peers_2_a_slow_writer_does_not_revive_a_destroyed_session() {
                peers_2(app().await).await;
            }

            #[tokio::test]
            async fn peers_3_an_old_id_stays_dead_when_a_slow_writer_comes_after_a_regenerate() {
                peers_3(app().await).await;
            }

            #[tokio::test]
            async fn peers_9_a_cancelled_request_does_not_keep_a_later_logout_from_working() {
                peers_9(app().await).await;
            }

            #[tokio::test]
            async fn peers_11_an_id_that_stands_for_nothing_creates_nothing() {
                peers_11(app().await).await;
            }

            #[tokio::test]
            async fn peers_24_a_regenerate_keeps_the_tag() {
                peers_24(app().await).await;
            }

            #[tokio::test]
            async fn peers_26_a_touch_does_not_revive_an_expired_session() {
                peers_26(app().await).await;
            }

            #[tokio::test]
            async fn peers_27_two_applications_on_one_server_never_meet() {
                peers_27(app().await).await;
            }
        }
    )*};
}

peers! {
    "file" file in_a_directory("file");
    "redb" redb in_a_directory("redb");
    "sqlite" sqlite in_a_directory("sqlite");
    "redis" redis by_prefix(Kind::Redis);
    "redis-cluster" redis_cluster by_prefix(Kind::RedisCluster);
    "memcached" memcached by_prefix(Kind::Memcached);
    "etcd" etcd by_prefix(Kind::Etcd);
    "dynamodb" dynamodb by_prefix(Kind::DynamoDb);
    "postgres" postgres by_table(Kind::Postgres);
    "mysql" mysql by_table(Kind::MariaDb);
}

#[cfg(any(feature = "file", feature = "redb", feature = "sqlite"))]
fn in_a_directory(driver: &str) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    two_of(StoreConfig::new(driver), folder, move |config, name| {
        let path = path.join(name);
        match config.driver.as_str() {
            "file" | "redb" => config.location = Some(path),
            _ => config.url = Some(format!("sqlite:{}", path.display()).into()),
        }
    })
}

#[cfg(any(feature = "redis", feature = "memcached", feature = "etcd", feature = "dynamodb"))]
fn by_prefix(kind: Kind) -> Place {
    let server = shared(kind);
    two_of(StoreConfig::from_url(server.url()).unwrap(), server, |config, name| config.prefix = name)
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn by_table(kind: Kind) -> Place {
    let server = shared(kind);
    two_of(StoreConfig::from_url(server.url()).unwrap(), server, |config, name| config.table = name)
}

#[cfg(any(
    feature = "redis",
    feature = "memcached",
    feature = "etcd",
    feature = "dynamodb",
    feature = "postgres",
    feature = "mysql"
))]
use session_test_servers::{Kind, shared};
