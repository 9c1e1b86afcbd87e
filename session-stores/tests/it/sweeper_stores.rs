//! The sweeper on real stores: it removes and counts; several sweepers count nothing twice; it continues after failures of a store.
#![cfg(any(feature = "file", feature = "sqlite", feature = "postgres", feature = "mysql"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::any::Any;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_core::{
    Timestamp,
    adapter::Clock,
    store::{Etag, Loaded, Record, SessionStore, StoreKey, Written},
};
use session_stores::{Round, StoreConfig, Sweeper, SweeperBuilder, open};

/// Two minutes after 1970: what died in the first one is swept.
#[derive(Debug)]
struct TwoMinutes;

impl Clock for TwoMinutes {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(120_000)
    }
}

/// Where the sessions of one test are, and what must live as long.
struct Place {
    config: StoreConfig,
    guard: Box<dyn Any>,
}

impl Place {
    /// The store there, as another process would open it.
    async fn open(&self) -> Arc<dyn SessionStore> {
        open(&self.config).await.unwrap()
    }
}

fn record(deadline: i64) -> Record {
    Record::new(
        Etag::new(1),
        Timestamp::from_millis(0),
        Timestamp::from_millis(deadline),
        b"{}".to_vec().into(),
    )
}

/// Sessions in all the directories of a file store.
fn key(number: u8) -> StoreKey {
    let mut bytes = [number; 32];
    bytes[0] = number.wrapping_mul(37);
    StoreKey::from_bytes(bytes)
}

async fn fill(store: &Arc<dyn SessionStore>, numbers: std::ops::Range<u8>, deadline: i64) {
    for number in numbers {
        let made = store.create(&key(number), &record(deadline), Timestamp::from_millis(0)).await.unwrap();
        assert_eq!(made, Written::Applied);
    }
}

/// A sweeper, and what it reported: how many it removed, or `None` where the store failed.
fn watched(store: Arc<dyn SessionStore>) -> (SweeperBuilder, Arc<Mutex<Vec<Option<usize>>>>) {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&reports);
    let builder = Sweeper::of(store).unwrap().clock(TwoMinutes).pause(Duration::from_millis(1));
    let builder = builder.report(move |round| {
        heard.lock().unwrap().push(match round {
            Round::Done { removed, .. } => Some(removed),
            Round::Failed { .. } => None,
            other => panic!("{other:?}"),
        });
    });
    (builder, reports)
}

async fn what_is_dead_is_removed_and_counted(place: Place) {
    let store = place.open().await;
    fill(&store, 0..7, 60_000).await;
    fill(&store, 7..9, 60_001).await;
    let (builder, reports) = watched(Arc::clone(&store));
    let sweeper = builder.batch(2).spawn();
    sweeper.sweep_now().await;
    sweeper.sweep_now().await;
    sweeper.stop().await;
    assert_eq!(*reports.lock().unwrap(), [Some(7), Some(0)]);
    for number in 0..9 {
        let found = matches!(store.load(&key(number)).await.unwrap(), Loaded::Found(_));
        assert_eq!(found, number >= 7, "session {number}");
    }
}

/// Four stores opened one by one, as four processes do.
async fn of_four_sweepers_none_counts_what_another_removed(place: Place) {
    fill(&place.open().await, 0..200, 60_000).await;
    let mut rounds = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (builder, reports) = watched(place.open().await);
        let sweeper = builder.batch(10).spawn();
        rounds.spawn(async move {
            sweeper.sweep_now().await;
            sweeper.stop().await;
            let reports = reports.lock().unwrap();
            assert_eq!(reports.len(), 1);
            reports[0].expect("who may not sweep is no error")
        });
    }
    let mut removed = 0;
    while let Some(round) = rounds.join_next().await {
        removed += round.unwrap();
    }
    // A sweeper that finds another at work leaves the rest to it; a last sweep removes what both left.
    let (builder, reports) = watched(place.open().await);
    let sweeper = builder.spawn();
    sweeper.sweep_now().await;
    sweeper.stop().await;
    removed += reports.lock().unwrap()[0].unwrap();
    assert_eq!(removed, 200);
}

/// A sweeper of a store that cannot be swept, and then can.
async fn goes_on_after_an_error(store: Arc<dyn SessionStore>, removed: usize, repair: impl AsyncFnOnce()) {
    let (builder, reports) = watched(store);
    let sweeper = builder.spawn();
    sweeper.sweep_now().await;
    sweeper.sweep_now().await;
    assert_eq!(*reports.lock().unwrap(), [None, None], "the store fails, and is asked again");
    repair().await;
    // A busy machine may take longer than a deadline to come back.
    for _ in 0..20 {
        sweeper.sweep_now().await;
        if reports.lock().unwrap().last() != Some(&None) {
            break;
        }
    }
    sweeper.stop().await;
    let rounds = reports.lock().unwrap()[2..].to_vec();
    assert!(rounds == [Some(removed)] || rounds.len() > 1 && rounds.last() != Some(&None), "{rounds:?}");
}

/// The cases that every store has, each a test in the module of its name.
macro_rules! sweeps {
    ($place:path) => {
        #[tokio::test]
        async fn what_is_dead_is_removed_and_counted() {
            super::what_is_dead_is_removed_and_counted($place()).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn of_four_sweepers_none_counts_what_another_removed() {
            super::of_four_sweepers_none_counts_what_another_removed($place()).await;
        }
    };
}

#[cfg(feature = "file")]
mod file {
    use super::*;

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let mut config = StoreConfig::new("file");
        config.location = Some(folder.path().join("sessions"));
        // The counts are the claim, and they are the same when nothing is flushed.
        config.durability = session_stores::Durability::ProcessCrash;
        config.timeout = PATIENT;
        Place { config, guard: Box::new(folder) }
    }

    sweeps!(place);

    #[tokio::test]
    async fn peers_17_a_sweeper_goes_on_after_the_store_failed() {
        let place = place();
        let store = place.open().await;
        fill(&store, 0..3, 60_000).await;
        // Something that is no directory stands where the locks were.
        let root = place.config.location.clone().unwrap();
        let (locks, away) = (root.join("locks"), root.join("locks-away"));
        std::fs::rename(&locks, &away).unwrap();
        std::fs::write(&locks, "").unwrap();
        goes_on_after_an_error(store, 3, async || {
            std::fs::remove_file(&locks).unwrap();
            std::fs::rename(&away, &locks).unwrap();
        })
        .await;
        drop(place.guard);
    }
}

/// A table that is not there yet, in any database.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
async fn goes_on_when_the_table_is_made(place: Place) {
    let mut early = place.config.clone();
    early.prepare = false;
    let store = open(&early).await.unwrap();
    goes_on_after_an_error(store, 3, async || fill(&place.open().await, 0..3, 60_000).await).await;
    drop(place.guard);
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions.db");
        let mut config = StoreConfig::from_url(&format!("sqlite:{}", path.display())).unwrap();
        config.timeout = PATIENT;
        Place { config, guard: Box::new(folder) }
    }

    sweeps!(place);

    #[tokio::test]
    async fn peers_17_a_sweeper_goes_on_after_the_store_failed() {
        goes_on_when_the_table_is_made(place()).await;
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
mod servers {
    use std::hash::{BuildHasher, RandomState};

    use session_test_servers::{Kind, shared, start};

    use super::*;

    /// A table of one's own on the server that the environment names, or a new one.
    pub(super) fn place(kind: Kind) -> Place {
        let server = shared(kind);
        let mut config = StoreConfig::from_url(server.url()).unwrap();
        config.table = format!("sweep_{:016x}", RandomState::new().hash_one(0));
        config.timeout = PATIENT;
        Place { config, guard: Box::new(server) }
    }

    /// The server is killed and started again under a sweeper at work.
    pub(super) async fn goes_on_when_the_server_is_back(kind: Kind) {
        let server = start(kind).unwrap();
        let mut config = StoreConfig::from_url(&server.url()).unwrap();
        config.timeout = Duration::from_secs(5);
        let store = open(&config).await.unwrap();
        fill(&store, 0..3, 60_000).await;
        server.kill9();
        goes_on_after_an_error(store, 3, async || server.restart().unwrap()).await;
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use session_test_servers::Kind;

    use super::*;

    fn place() -> Place {
        servers::place(Kind::Postgres)
    }

    sweeps!(place);

    #[tokio::test]
    async fn peers_17_a_sweeper_goes_on_after_the_store_failed() {
        goes_on_when_the_table_is_made(place()).await;
    }

    #[tokio::test]
    async fn peers_17_a_sweeper_outlives_its_server() {
        servers::goes_on_when_the_server_is_back(Kind::Postgres).await;
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use session_test_servers::Kind;

    use super::*;

    fn place() -> Place {
        servers::place(Kind::MariaDb)
    }

    sweeps!(place);

    #[tokio::test]
    async fn peers_17_a_sweeper_goes_on_after_the_store_failed() {
        goes_on_when_the_table_is_made(place()).await;
    }

    #[tokio::test]
    async fn peers_17_a_sweeper_outlives_its_server() {
        servers::goes_on_when_the_server_is_back(Kind::MariaDb).await;
    }
}

/// A deadline that a busy machine keeps: what it does is told elsewhere.
const PATIENT: Duration = Duration::from_secs(60);
