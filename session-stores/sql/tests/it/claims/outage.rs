//! A server that refuses connections, is not running, stalls or dies.

use std::time::{Duration, Instant};

use session_core::store::{Loaded, StoreErrorKind, StoreKey};
use session_store_sql::SqlConfig;
use session_test_servers::start;

use super::rows::every_call_is;
use super::{PATIENT, Served, Store, created, key, record, unique};

pub(crate) async fn a_user_without_permission_is_refused<S: Served>() {
    let ground = S::new().await;
    let user = format!("u{}", unique());
    ground.run(&S::NEW_USER.replace("{user}", &user)).await;
    let store = S::open_at(&as_user::<S>(&user), ground.config().deadline(PATIENT)).unwrap();
    every_call_is(&store, StoreErrorKind::Refused).await;
}

/// The test server's URL with another user in it.
fn as_user<S: Served>(user: &str) -> String {
    S::url().replace(&format!("{}@", S::USER), &format!("{user}@"))
}

pub(crate) async fn neither_errors_nor_debug_show_a_password<S: Served>() {
    let url = as_user::<S>("nobody:hunter2");
    let store = S::open_at(&url, SqlConfig::new().table("nowhere").unwrap().deadline(PATIENT)).unwrap();
    let error = store.load(&key()).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    let texts = [format!("{store:?}"), error.to_string(), format!("{error:?}"), source.to_string()];
    let (scheme, _) = url.split_once(':').unwrap();
    let bad = format!("{scheme}://nobody:hunter2@127.0.0.1:hunter2/test");
    let refused = S::open_at(&bad, SqlConfig::new()).unwrap_err();
    for text in texts.into_iter().chain([refused.to_string(), format!("{refused:?}")]) {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

pub(crate) async fn a_server_without_a_free_connection_times_out<S: Served>() {
    let ground = S::new().await;
    let user = format!("u{}", unique());
    let _exhausted = ground.exhausted(&user).await;
    let store = S::open_at(&as_user::<S>(&user), ground.config().deadline(DEADLINE)).unwrap();
    assert_eq!(fails(&store, &key()).await, StoreErrorKind::Timeout);
}

pub(crate) async fn a_server_that_nobody_runs_is_unavailable_and_the_cause_says_refused<S: Served>() {
    let (scheme, _) =
        S::url().split_once("://").map(|(scheme, rest)| (scheme.to_owned(), rest.len())).unwrap();
    let config = SqlConfig::new().deadline(Duration::from_secs(8));
    let store = S::open_at(&format!("{scheme}://nobody@127.0.0.1:1/none"), config).unwrap();
    assert!(format!("{store:?}").contains("sessions"), "a server that is down does not stop a start");
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = store.clone();
        callers.spawn(async move { store.load(&key()).await.unwrap_err() });
    }
    for error in callers.join_all().await {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("refused"), "{cause}");
    }
}

/// Paused and resumed, killed and started again: a server of its own for these.
pub(crate) async fn a_server_that_stalls_or_dies_is_lived_with<S: Served>() {
    let server = start(S::KIND).unwrap();
    S::migrate_at(&server.url()).await;
    let store = S::open_at(&server.url(), SqlConfig::new().deadline(DEADLINE)).unwrap();
    let patient = S::open_at(&server.url(), SqlConfig::new().deadline(PATIENT)).unwrap();
    let key = created(&patient, &record("{}")).await;
    works(&store, &key).await;

    server.pause();
    let paused = fails(&store, &key).await;
    server.resume();
    assert_eq!(paused, StoreErrorKind::Timeout);
    works(&store, &key).await;

    server.kill9();
    let killed = fails(&store, &key).await;
    server.restart().unwrap();
    assert_eq!(killed, StoreErrorKind::Unavailable);
    // Every connection is dead, and the very first visit succeeds.
    assert!(matches!(patient.load(&key).await.unwrap(), Loaded::Found(_)));
    works(&store, &key).await;
}

/// How a load fails now, and that it ends. A signal takes a moment to reach all threads of a server: some answers may
/// still come.
async fn fails(store: &Store, key: &StoreKey) -> StoreErrorKind {
    for _ in 0..50 {
        let begun = Instant::now();
        let answer = store.load(key).await;
        assert!(begun.elapsed() < DEADLINE + LEEWAY, "{:?}", begun.elapsed());
        if let Err(error) = answer {
            return error.kind();
        }
    }
    panic!("it does not fail");
}

/// It works again, and soon.
pub(super) async fn works(store: &Store, key: &StoreKey) {
    let begun = Instant::now();
    while store.load(key).await.is_err() {
        assert!(begun.elapsed() < LEEWAY, "it does not come back");
    }
}

const DEADLINE: Duration = Duration::from_secs(4);

/// What a busy machine may add to anything.
pub(super) const LEEWAY: Duration = Duration::from_secs(20);
