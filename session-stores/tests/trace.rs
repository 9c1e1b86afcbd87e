//! No store's client writes a record, or the name of its owner, to the log: every store, every verb, at TRACE.
#![cfg(all(
    feature = "dynamodb",
    feature = "file",
    feature = "memcached",
    feature = "etcd",
    feature = "mysql",
    feature = "postgres",
    feature = "redb",
    feature = "redis",
    feature = "redis-cluster",
    feature = "sqlite"
))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::any::Any;

use session_conformance::overheard::Overheard;
use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, SessionStore, StoreKey, Written},
};
use session_stores::{StoreConfig, open};
use session_test_servers::{Kind, start};

const PAYLOAD: &str = r#"{"v":"payload-canary"}"#;
const OWNER: &str = "owner-canary";

/// A store of each kind, its table or prefix new, and what lives as long.
fn places() -> Vec<(StoreConfig, Box<dyn Any>)> {
    let mut places: Vec<(StoreConfig, Box<dyn Any>)> = vec![(StoreConfig::new("memory"), Box::new(()))];
    for driver in ["file", "redb"] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = StoreConfig::new(driver);
        config.location = Some(folder.path().join("sessions"));
        places.push((config, Box::new(folder)));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut config = StoreConfig::new("sqlite");
    config.url = Some(format!("sqlite:{}", folder.path().join("sessions.db").display()).into());
    places.push((config, Box::new(folder)));
    for kind in Kind::ALL {
        let server = start(kind).unwrap();
        places.push((StoreConfig::from_url(&server.url()).unwrap(), Box::new(server)));
    }
    places
}

fn record(etag: u64) -> Record {
    let (now, later) = (Timestamp::from_millis(START), Timestamp::from_millis(START + 3_600_000));
    Record::new(Etag::new(etag), now, later, PAYLOAD.as_bytes().into()).with_owner(Some(OWNER.into()))
}

/// Every verb, and every answer that carries a record.
async fn use_it(store: &dyn SessionStore) {
    let (now, until) = (Timestamp::from_millis(START), Timestamp::from_millis(START + 60_000));
    let [one, two, three] = [1, 2, 3].map(|number| StoreKey::from_bytes([number; 32]));
    assert_eq!(store.create(&one, &record(1), now).await.unwrap(), Written::Applied);
    assert_eq!(store.create(&one, &record(2), now).await.unwrap(), Written::Taken);
    assert_eq!(store.load(&one).await.unwrap(), Loaded::Found(record(1)));
    let conflict = store.replace(&one, Etag::new(9), &record(3), now).await.unwrap();
    assert_eq!(conflict, Written::Conflict(record(1)));
    assert_eq!(store.replace(&one, Etag::new(1), &record(3), now).await.unwrap(), Written::Applied);
    let later = Timestamp::from_millis(START + 7_200_000);
    assert_eq!(store.touch(&one, later, now).await.unwrap(), Written::Applied);
    assert!(matches!(
        store.rotate(&one, Etag::new(9), &two, &record(4), now, until).await.unwrap(),
        Written::Conflict(_)
    ));
    assert_eq!(
        store.rotate(&one, Etag::new(3), &two, &record(4), now, until).await.unwrap(),
        Written::Applied
    );
    if let Some(index) = store.owners() {
        assert_eq!(store.create(&three, &record(5), now).await.unwrap(), Written::Applied);
        assert_eq!(index.count(OWNER, now).await.unwrap(), 2);
        assert_eq!(index.list(OWNER, now).await.unwrap().len(), 2);
        assert_eq!(index.destroy_all(OWNER, Some(&two), now, until).await.unwrap(), 1);
    }
    store.destroy(&two, until).await.unwrap();
    if let Some(sweeper) = store.sweeper() {
        sweeper.sweep(Timestamp::from_millis(START + 90_000_000), 10).await.unwrap();
    }
}

/// The ways in which a log may hold these words: as text, as numbers, in hexadecimal digits, in base64.
fn forms(words: &str) -> Vec<String> {
    let bytes = words.as_bytes();
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = (0..3).map(|skip| {
        let bits: String = bytes[skip..].iter().map(|byte| format!("{byte:08b}")).collect();
        let whole = bits.len() / 24 * 24;
        let digits = bits.as_bytes()[..whole].chunks(6).map(|six| {
            let value = usize::from_str_radix(std::str::from_utf8(six).unwrap(), 2).unwrap();
            char::from(BASE64[value])
        });
        digits.collect::<String>()
    });
    [words.to_owned(), numbers.join(", "), hex.to_uppercase(), hex].into_iter().chain(base64).collect()
}

#[test]
fn at_8_no_store_logs_a_record_at_trace() {
    let heard = Overheard::everything();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let places = places();
    let mut stores = Vec::new();
    for (config, _) in &places {
        let driver = config.driver.clone();
        let before = heard.lines().len();
        let store = runtime.block_on(async {
            let store = open(config).await.unwrap_or_else(|error| panic!("{driver}: {error}"));
            use_it(&*store).await;
            store
        });
        for canary in ["payload-canary", OWNER].into_iter().flat_map(forms) {
            for line in &heard.lines()[before..] {
                assert!(
                    !line.text.contains(&canary),
                    "{driver} logs {canary}: {}: {}",
                    line.target,
                    line.text
                );
            }
        }
        stores.push(store);
    }
    assert_eq!(stores.len(), 4 + Kind::ALL.len());
    let lines = heard.lines();
    assert!(lines.iter().any(|line| line.target.starts_with("sqlx")), "the clients are listened to");
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const START: i64 = 1_893_484_800_000;
