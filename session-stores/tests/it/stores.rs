//! From a configuration to a store: each setting reaches it, and errors say what to do.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests")]

use std::sync::Arc;

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, SessionStore, StoreKey, Written},
};
use session_stores::{SessionConfig, SettingError, StoreConfig, open};

const KEY: &str = "9f1c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264";

/// The store of these settings, in the environment and as TOML alike; without asking any server.
async fn opened(
    driver: &str,
    settings: &[(&str, &str, &str)],
) -> Result<Arc<dyn SessionStore>, SettingError> {
    let driver_and_keys = [("SESSION_DRIVER", driver), ("SESSION_KEYS", KEY)];
    let vars = settings.iter().map(|(_, variable, value)| (*variable, *value)).chain(driver_and_keys);
    let environment = SessionConfig::from_vars(vars).unwrap();
    let lines: String =
        settings.iter().map(|(key, _, value)| format!("{key} = {}\n", as_toml(value))).collect();
    let file = format!("driver = '{driver}'\nkeys = ['{KEY}']\n[stores.{driver}]\n{lines}");
    let file: SessionConfig = toml::from_str(&file).unwrap_or_else(|error| panic!("{error}\n{file}"));
    assert_eq!(format!("{environment:?}"), format!("{file:?}"), "the environment and a file say the same");
    open(&environment.store().unwrap()).await
}

fn as_toml(value: &str) -> String {
    let plain = matches!(value, "true" | "false") || value.parse::<i64>().is_ok();
    if plain { value.to_owned() } else { format!("'{value}'") }
}

/// What the store says of itself when printed holds these words.
#[allow(dead_code, reason = "the stores of which something is expected are behind features")]
fn expect(store: &Arc<dyn SessionStore>, words: &[&str]) {
    let shown = format!("{store:?}");
    for words in words {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
}

#[tokio::test]
async fn every_setting_of_memory_reaches_the_store() {
    let one_part = ("shards", "SESSION_SHARDS", "1");
    for (most, settings) in [
        (5, [one_part, ("max_sessions", "SESSION_MAX_SESSIONS", "5")]),
        (1, [one_part, ("max_bytes", "SESSION_MAX_BYTES", "1")]),
        (9, [one_part, ("timeout", "SESSION_STORE_TIMEOUT", "1s")]),
    ] {
        let store = opened("memory", &settings).await.unwrap();
        let mut kept = 0;
        for number in 0..9 {
            let made = store.create(&key(number), &record(), Timestamp::from_millis(0)).await.unwrap();
            assert_eq!(made, Written::Applied);
        }
        for number in 0..9 {
            kept += usize::from(matches!(store.load(&key(number)).await.unwrap(), Loaded::Found(_)));
        }
        assert_eq!(kept, most, "{settings:?}");
    }
}

fn key(number: u8) -> StoreKey {
    StoreKey::from_bytes([number; 32])
}

fn record() -> Record {
    Record::new(
        Etag::new(1),
        Timestamp::from_millis(0),
        Timestamp::from_millis(60_000),
        b"{}".to_vec().into(),
    )
}

#[cfg(feature = "file")]
#[tokio::test]
async fn every_setting_of_files_reaches_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("here");
    let settings = [
        ("location", "SESSION_FILE_LOCATION", place.to_str().unwrap()),
        ("durability", "SESSION_DURABILITY", "process-crash"),
        ("concurrency", "SESSION_FILE_CONCURRENCY", "7"),
        ("timeout", "SESSION_STORE_TIMEOUT", "700ms"),
    ];
    let store = opened("file", &settings).await.unwrap();
    expect(&store, &["durability: Rename", "permits: 7", "timeout: 700ms"]);
    assert!(place.join("FORMAT").exists());
    let store = opened("file", &settings[..1]).await.unwrap();
    expect(&store, &["durability: Full", "permits: 64", "timeout: 2s"]);
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn every_setting_of_redis_reaches_the_store() {
    let settings = [
        ("url", "REDIS_URL", "redis://127.0.0.1:1"),
        ("prefix", "SESSION_PREFIX", "shop"),
        ("timeout", "SESSION_STORE_TIMEOUT", "700ms"),
        ("prepare", "SESSION_PREPARE", "false"),
    ];
    let store = opened("redis", &settings).await.unwrap();
    assert_eq!(store.name(), "redis");
    expect(&store, &["shop:session:", "700ms"]);
    let cached = [&settings[..], &[("client_cache", "SESSION_CLIENT_CACHE", "1000")]].concat();
    let cached = opened("redis", &cached).await;
    #[cfg(feature = "redis-client-cache")]
    assert!(cached.is_ok());
    #[cfg(not(feature = "redis-client-cache"))]
    assert!(matches!(cached, Err(SettingError::NotCompiled { feature: "redis-client-cache", .. })));
}

#[cfg(feature = "redis-sentinel")]
#[tokio::test]
async fn sentinels_are_asked_by_their_driver_and_by_their_url_alone() {
    let settings = [
        ("url", "REDIS_URL", "redis-sentinel://127.0.0.1:1,127.0.0.1:2/main"),
        ("prepare", "SESSION_PREPARE", "false"),
    ];
    for driver in ["redis-sentinel", "redis"] {
        // What reads one server's URL alone would refuse this one.
        assert_eq!(opened(driver, &settings).await.unwrap().name(), "redis");
    }
    let nameless = [("url", "REDIS_URL", "redis-sentinel://127.0.0.1:1"), settings[1]];
    assert_eq!(
        opened("redis-sentinel", &nameless).await.unwrap_err().to_string(),
        "the value of url (REDIS_URL) is not allowed (and not shown, because it may contain a secret); allowed: for the driver \
         redis-sentinel, redis-sentinel://[user:password@]host:port,host:port/service[/db]"
    );
}

#[cfg(feature = "memcached")]
#[tokio::test]
async fn every_setting_of_memcached_reaches_the_store() {
    let settings = [
        ("url", "MEMCACHED_URL", "memcached://127.0.0.1:1"),
        ("prefix", "SESSION_PREFIX", "shop"),
        ("max_connections", "SESSION_MAX_CONNECTIONS", "3"),
        ("timeout", "SESSION_STORE_TIMEOUT", "700ms"),
        ("prepare", "SESSION_PREPARE", "false"),
    ];
    let store = opened("memcached", &settings).await.unwrap();
    assert_eq!(store.name(), "memcached");
    expect(&store, &["shop:", "700ms"]);
    let error = opened("memcached", &settings[..4]).await.unwrap_err().to_string();
    assert_eq!(error, "the session store of the driver memcached could not be opened", "nobody is there");
    let elsewhere = [("url", "MEMCACHED_URL", "redis://hunter2"), settings[4]];
    let words = opened("memcached", &elsewhere).await.unwrap_err().to_string();
    assert!(words.contains("memcached://host:port") && !words.contains("hunter2"), "{words}");
}

#[cfg(feature = "etcd")]
#[tokio::test]
async fn every_setting_of_etcd_reaches_the_store() {
    let settings = [
        ("url", "ETCD_URL", "etcd://ada:hunter2@127.0.0.1:1,127.0.0.1:2"),
        ("prefix", "SESSION_PREFIX", "shop"),
        ("timeout", "SESSION_STORE_TIMEOUT", "700ms"),
        ("prepare", "SESSION_PREPARE", "false"),
    ];
    let store = opened("etcd", &settings).await.unwrap();
    assert_eq!(store.name(), "etcd");
    expect(&store, &["shop/", "700ms", "127.0.0.1:1", "127.0.0.1:2", "ada"]);
    assert!(!format!("{store:?}").contains("hunter2"));
    let error = opened("etcd", &settings[..3]).await.unwrap_err().to_string();
    assert_eq!(error, "the session store of the driver etcd could not be opened", "nobody is there");
    let elsewhere = [("url", "ETCD_URL", "redis://hunter2"), settings[3]];
    let words = opened("etcd", &elsewhere).await.unwrap_err().to_string();
    assert!(words.contains("etcd://[user:password@]host:port") && !words.contains("hunter2"), "{words}");
}

#[cfg(feature = "redb")]
#[tokio::test]
async fn every_setting_of_redb_reaches_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let settings = [
        ("location", "SESSION_REDB_PATH", path.to_str().unwrap()),
        ("timeout", "SESSION_STORE_TIMEOUT", "700ms"),
    ];
    let store = opened("redb", &settings).await.unwrap();
    assert_eq!(store.name(), "redb");
    expect(&store, &["s.redb", "700ms"]);
    assert!(path.exists());
    let error = opened("redb", &settings).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "another process has the session database open");
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_connections_of_a_database_are_counted_within_reason() {
    let settings = [
        ("url", "DATABASE_URL", "sqlite:/nowhere/s.db"),
        ("prepare", "SESSION_PREPARE", "false"),
        ("max_connections", "SESSION_MAX_CONNECTIONS", "3"),
        ("min_connections", "SESSION_MIN_CONNECTIONS", "2"),
        ("durability", "SESSION_DURABILITY", "process-crash"),
    ];
    assert!(opened("sqlite", &settings).await.is_ok());
    let many = [settings[0], settings[1], settings[2], ("min_connections", "SESSION_MIN_CONNECTIONS", "4")];
    assert_eq!(
        opened("sqlite", &many).await.unwrap_err().to_string(),
        "min_connections (SESSION_MIN_CONNECTIONS) = 4 is not allowed; allowed: at most max_connections \
         (SESSION_MAX_CONNECTIONS), which is 3"
    );
}

#[tokio::test]
async fn revocations_are_kept_where_the_variables_say() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ended");
    let list = if cfg!(feature = "file") { "file" } else { "memory" };
    let config = SessionConfig::from_vars([
        ("SESSION_DRIVER", "cookie"),
        ("SESSION_REVOCATIONS", list),
        ("SESSION_FILE_LOCATION", place.to_str().unwrap()),
        ("SESSION_KEYS", KEY),
    ]);
    let sessions = config.unwrap().into_sessions().await.unwrap();
    assert!(sessions.store().is_none());
    assert_eq!(sessions.revocations().unwrap().name(), list);
    assert_eq!(place.join("FORMAT").exists(), cfg!(feature = "file"));
}

#[tokio::test]
async fn revocations_of_a_file_are_a_table_of_their_own_and_never_a_cookie() {
    let text = format!(
        "driver = 'cookie'\nrevocations = 'ended'\nkeys = ['{KEY}']\n[stores.ended]\ndriver = 'memory'\nmax_record = 1024"
    );
    let config: SessionConfig = toml::from_str(&text).unwrap();
    let sessions = config.clone().into_sessions().await.unwrap();
    assert_eq!(sessions.revocations().unwrap().max_record(), 1_024);
    let cookies = config.with_vars([("SESSION_REVOCATIONS", "cookie")]).unwrap();
    let words = cookies.into_sessions().await.unwrap_err().to_string();
    assert!(
        words.starts_with("revocations (SESSION_REVOCATIONS) = \"cookie\" is not allowed; allowed: a driver"),
        "{words}"
    );
}

#[tokio::test]
async fn opening_a_store_that_is_not_there_says_what_to_do() {
    let words =
        |driver: &'static str| async move { open(&StoreConfig::new(driver)).await.unwrap_err().to_string() };
    assert_eq!(
        words("mongodb").await,
        "unknown session driver \"mongodb\" (SESSION_DRIVER); allowed: cookie, memory, file, redb, redis, redis-cluster, \
         redis-sentinel, memcached, etcd, dynamodb, postgres, mysql, sqlite; to use this name, add a table [stores.mongodb] with \
         one of them as `driver`"
    );
    assert_eq!(
        words("cookie").await,
        "the driver cookie stores sessions in cookies: there is no store to open"
    );
    #[cfg(not(feature = "redis"))]
    assert!(words("redis").await.starts_with("the session driver redis is not compiled into this program"));
    #[cfg(feature = "postgres")]
    assert_eq!(
        words("postgres").await,
        "url (DATABASE_URL) is not set; allowed: postgres://user:password@host:port/database"
    );
    let memory = open(&StoreConfig::from_url("memory").unwrap()).await.unwrap();
    assert_eq!((memory.name(), memory.max_record()), ("memory", 64 * 1024));
}

#[test]
fn a_missing_feature_is_named_also_where_only_an_adapter_is_a_dependency() {
    let error = SettingError::NotCompiled { driver: "redis".to_owned(), feature: "redis" };
    assert_eq!(
        error.to_string(),
        "the session driver redis is not compiled into this program: enable the feature \"redis\" of the crate your \
         sessions come from, as in `cargo add session-axum --features redis` (the same for session-actix, session-hyper \
         and session-stores)"
    );
}

/// The adapters are what applications depend on: each hands every feature on.
#[test]
fn every_feature_of_a_store_is_a_feature_of_every_adapter() {
    let features = |manifest: &str| -> Vec<String> {
        let manifest: toml::Table = manifest.parse().unwrap();
        manifest["features"].as_table().unwrap().keys().cloned().collect()
    };
    let ours = features(include_str!("../../Cargo.toml"));
    for (adapter, manifest) in [
        ("session-axum", include_str!("../../../session-axum/Cargo.toml")),
        ("session-actix", include_str!("../../../session-actix/Cargo.toml")),
        ("session-hyper", include_str!("../../../session-hyper/Cargo.toml")),
    ] {
        let theirs = features(manifest);
        for feature in &ours {
            assert!(theirs.contains(feature), "{adapter} has no feature {feature}");
        }
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_sqlite_store_is_ready_for_use_when_opened() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig::from_url(&format!("sqlite:{}/s.db", folder.path().display())).unwrap();
    let store = open(&config).await.unwrap();
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Missing);
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn a_url_of_another_database_is_refused_without_being_shown() {
    let mut config = StoreConfig::new("mysql");
    config.url = Some("postgres://u:hunter2@h/d".into());
    assert_eq!(
        open(&config).await.unwrap_err().to_string(),
        "the value of url (DATABASE_URL) is not allowed (and not shown, because it may contain a secret); \
         allowed: for the driver mysql, mysql://user:password@host:port/database"
    );
}

/// A password that is written as it is ends the URL early. The refusal says what to do, and none of the words.
#[cfg(all(feature = "redis", feature = "postgres", feature = "mysql", feature = "etcd"))]
#[tokio::test]
async fn a_url_with_a_raw_password_is_refused_with_a_word_on_percent_encoding() {
    for (variable, url) in [
        ("REDIS_URL", "redis://:se#cret@host"),
        ("REDIS_URL", "redis://:12#cret@host:6379/0"),
        ("REDIS_URL", "redis://ada:se/cret@host"),
        ("REDIS_URL", "redis://ada:12?cret@host"),
        ("DATABASE_URL", "postgres://ada:se#cret@host/shop"),
        ("DATABASE_URL", "postgres://ada:12#cret@host/shop"),
        ("DATABASE_URL", "postgres://ada:12/cret@host/shop"),
        ("DATABASE_URL", "postgres://ada:se?cret@host/shop"),
        ("DATABASE_URL", "mysql://ada:12#cret@host/shop"),
        ("DATABASE_URL", "mysql://ada:1/2?cret@host:3306/shop"),
        ("ETCD_URL", "etcd://ada:12#cret@host:2379"),
    ] {
        let driver = ("SESSION_DRIVER", url.split(':').next().unwrap());
        let config = SessionConfig::from_vars([driver, (variable, url), ("SESSION_KEYS", KEY)]);
        let opened = match config.map(|config| config.store()) {
            Ok(Ok(mut store)) => {
                store.prepare = false;
                open(&store).await.map(drop)
            }
            Ok(Err(error)) | Err(error) => Err(error),
        };
        let said = opened.expect_err(url).to_string();
        assert!(said.contains("percent-encoded") && said.contains(variable), "{url}: {said}");
        assert!(!said.contains("cret@") && !said.contains("ada"), "{url}: {said}");
    }
    for url in ["postgres://ada:se%23cret@host/shop", "postgres://host/shop?user=ada@host&password=a"] {
        let driver = ("SESSION_DRIVER", "postgres");
        let config =
            SessionConfig::from_vars([driver, ("DATABASE_URL", url), ("SESSION_KEYS", KEY)]).unwrap();
        let mut store = config.store().unwrap();
        store.prepare = false;
        assert!(open(&store).await.is_ok(), "{url}");
    }
}
