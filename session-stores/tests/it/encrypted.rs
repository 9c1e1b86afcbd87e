//! Encryption at rest over the stores that applications use: every case of the store suite, and
//! alterations by an attacker with access to the store.
#![cfg(all(
    feature = "file",
    feature = "mysql",
    feature = "postgres",
    feature = "redis",
    feature = "sqlite"
))]

use std::sync::Arc;
use std::time::Duration;

use session_conformance::{Fixture, cases};
use session_core::store::{Etag, Loaded, Record, SessionStore, StoreErrorKind, StoreKey};
use session_core::{SecretKey, Sessions, Timestamp, adapter::Clock, adapter::SystemClock};
use session_stores::{StoreConfig, open};
use session_test_servers::{Kind, shared};

/// The store that this configuration names, and the same with encryption.
async fn stores(config: &StoreConfig, key: &SecretKey) -> (Arc<dyn SessionStore>, Arc<dyn SessionStore>) {
    let inner = open(config).await.unwrap();
    let builder = Sessions::builder().shared_store(inner.clone()).key(key.clone()).encrypt_at_rest(true);
    let sealed = builder.build().unwrap().store().unwrap().clone();
    (inner, sealed)
}

async fn keeps_the_law(mut config: StoreConfig) {
    config.timeout = Duration::from_secs(60);
    let key = SecretKey::generate().unwrap();
    for case in cases() {
        let (_, sealed) = stores(&config, &key).await;
        let (again, other) = (config.clone(), key.clone());
        let reopen = move || {
            let (config, key) = (again.clone(), other.clone());
            async move { stores(&config, &key).await.1 }
        };
        let without_sweep = sealed.sweeper().is_none();
        let fixture = Fixture::new(sealed)
            .rounds(3)
            .reopen(reopen)
            .in_one_process()
            .without_damage()
            .without_owner_entries()
            .without_stall();
        println!("{}", case.name());
        case.run(if without_sweep { fixture.without_sweep() } else { fixture }).await;
    }
    a_moved_idle_deadline_is_corrupt(&config, &key).await;
}

/// AT-1: an attacker who can write to the store gives a record another idle deadline.
async fn a_moved_idle_deadline_is_corrupt(config: &StoreConfig, key: &SecretKey) {
    let ((inner, sealed), now) = (stores(config, key).await, SystemClock.now());
    let hours = |hours: u64| now.plus(Duration::from_secs(3_600 * hours));
    let record = Record::new(Etag::new(7), now, hours(2), b"{\"v\":1}".as_slice().into());
    let at = StoreKey::from_bytes(std::array::from_fn(|n| n as u8 ^ 0x5a));
    sealed.create(&at, &record, now).await.unwrap();
    sealed.touch(&at, hours(5), now).await.unwrap();
    assert_eq!(idle(&*sealed, &at).await, hours(5));
    inner.touch(&at, hours(6), now).await.unwrap();
    assert_eq!(sealed.load(&at).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
}

async fn idle(store: &dyn SessionStore, at: &StoreKey) -> Timestamp {
    match store.load(at).await.unwrap() {
        Loaded::Found(record) => record.idle_deadline,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_1_sealed_records_keep_the_law_in_redis() {
    let server = shared(Kind::Redis);
    keeps_the_law(StoreConfig::from_url(server.url()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_1_sealed_records_keep_the_law_in_postgres() {
    let server = shared(Kind::Postgres);
    keeps_the_law(StoreConfig::from_url(server.url()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_1_sealed_records_keep_the_law_in_mariadb() {
    let server = shared(Kind::MariaDb);
    keeps_the_law(StoreConfig::from_url(server.url()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_1_sealed_records_keep_the_law_in_sqlite() {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let mut config = StoreConfig::new("sqlite");
    config.url = Some(format!("sqlite:{}", folder.path().join("sessions.db").display()).into());
    keeps_the_law(config).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_1_sealed_records_keep_the_law_in_files() {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let mut config = StoreConfig::new("file");
    config.location = Some(folder.path().join("sessions"));
    keeps_the_law(config).await;
}
