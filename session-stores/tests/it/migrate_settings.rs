//! `SESSION_MIGRATE_FROM`: from variables and files to two stores, and the errors of migrations that are not possible.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests")]

use session_core::store::{Etag, Loaded, Record, SessionStore, StoreKey};
use session_core::{
    Timestamp,
    adapter::{Clock as _, SystemClock},
};
use session_stores::{Cause, Drivers, MemoryStore, SessionConfig, SettingError, StoreConfig};

const KEY: &str = "9f1c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264";

fn config(vars: &[(&str, &str)]) -> Result<SessionConfig, SettingError> {
    SessionConfig::from_vars([("SESSION_KEYS", KEY)].iter().chain(vars).copied())
}

fn old_store(vars: &[(&str, &str)]) -> Result<StoreConfig, SettingError> {
    config(vars)?.old_store().map(|old| old.expect("there is an old store"))
}

fn refusal(vars: &[(&str, &str)]) -> String {
    old_store(vars).unwrap_err().to_string()
}

#[test]
fn the_variables_of_both_drivers_reach_their_stores() {
    let config = config(&[
        ("SESSION_DRIVER", "redis"),
        ("REDIS_URL", "redis://new.internal"),
        ("SESSION_PREFIX", "shop"),
        ("SESSION_MIGRATE_FROM", "postgres"),
        ("DATABASE_URL", "postgres://ada:hunter2@old.internal/shop"),
        ("SESSION_TABLE", "carts"),
        ("SESSION_STORE_TIMEOUT", "700ms"),
    ]);
    let config = config.unwrap();
    let (new, old) = (config.store().unwrap(), config.old_store().unwrap().unwrap());
    assert_eq!((new.driver.as_str(), new.prefix.as_str(), new.timeout.as_millis()), ("redis", "shop", 700));
    assert_eq!(new.url.unwrap().expose(), "redis://new.internal");
    assert_eq!(
        (old.driver.as_str(), old.table.as_str(), old.timeout.as_millis()),
        ("postgres", "carts", 700)
    );
    assert_eq!(old.url.unwrap().expose(), "postgres://ada:hunter2@old.internal/shop");
}

#[test]
fn an_old_store_of_the_same_driver_is_named_by_its_url() {
    for (driver, variable, new, old) in [
        ("redis", "REDIS_URL", "redis://new.internal", "redis://:hunter2@old.internal"),
        ("postgres", "DATABASE_URL", "postgres://new.internal/shop", "postgres://old.internal/shop"),
        ("mysql", "DATABASE_URL", "mysql://new.internal/shop", "postgres://old.internal/shop"),
        ("file", "SESSION_FILE_LOCATION", "/var/lib/new", "file:/var/lib/old"),
        ("redis-cluster", "REDIS_URL", "redis-cluster://a:1,b:2", "redis://old.internal"),
    ] {
        let vars = [("SESSION_DRIVER", driver), (variable, new), ("SESSION_MIGRATE_FROM", old)];
        let config = config(&vars).unwrap();
        let [new_store, old_store] = [config.store().unwrap(), config.old_store().unwrap().unwrap()];
        let place = |store: &StoreConfig| {
            let url = store.url.as_ref().map(|url| url.expose().to_owned());
            url.or_else(|| Some(format!("{}", store.location.as_ref()?.display()))).unwrap()
        };
        assert_eq!((place(&new_store), place(&old_store)), (new.to_owned(), old.replace("file:", "")));
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}

#[test]
fn a_prefix_or_a_table_of_the_same_server_is_an_old_store() {
    let redis = [("SESSION_DRIVER", "redis"), ("REDIS_URL", "redis://h"), ("SESSION_PREFIX", "new")];
    let from = [("SESSION_MIGRATE_FROM", "redis://h"), ("SESSION_MIGRATE_PREFIX", "old:")];
    assert_eq!(
        old_store(&[redis, [from[0], from[1], ("SESSION_AGE", "1h")]].concat()).unwrap().prefix,
        "old"
    );
    let said = refusal(&[&redis[..], &from[..1]].concat());
    assert!(said.contains("SESSION_MIGRATE_FROM") && said.contains("another store than"), "{said}");
    let sql = [("SESSION_DRIVER", "postgres"), ("DATABASE_URL", "postgres://h/shop")];
    let from = [("SESSION_MIGRATE_FROM", "postgres://h/shop"), ("SESSION_MIGRATE_TABLE", "carts")];
    assert_eq!(old_store(&[sql, from].concat()).unwrap().table, "carts");
}

#[test]
fn a_file_describes_both() {
    let file = "driver = 'new'\n[migrate]\nfrom = 'old'\nstandby = true\n[stores.new]\ndriver = 'redis'\n\
                [stores.old]\ndriver = 'redis'\nprefix = 'old'\n";
    let config: SessionConfig = toml::from_str(file).unwrap();
    assert!(config.migrate.standby);
    assert_eq!(config.old_store().unwrap().unwrap().prefix, "old");
    // The environment says where the new one is; the file has said it of the old one.
    let config = config.with_vars([("SESSION_AGE", "1h"), ("SESSION_KEYS", KEY)]).unwrap();
    assert_eq!(config.old_store().unwrap().unwrap().prefix, "old");
    let said = toml::from_str::<SessionConfig>("[migrate]\nform = 'old'\n").unwrap_err();
    assert!(said.message().contains("unknown setting migrate.form (did you mean migrate.from?)"), "{said}");
    let said = toml::from_str::<SessionConfig>("migrate = 'old'\n").unwrap_err();
    assert!(said.message().contains("migrate"), "{said}");
}

#[test]
fn what_cannot_be_moved_is_refused_with_what_to_do_about_it() {
    for (vars, words) in [
        (&[("SESSION_DRIVER", "redis"), ("SESSION_MIGRATE_FROM", "redis")][..], "another store than"),
        (&[("SESSION_DRIVER", "memory"), ("SESSION_MIGRATE_FROM", "memory")], "another store than"),
        (&[("SESSION_DRIVER", "memory"), ("SESSION_MIGRATE_FROM", "cookie")], "sessions in cookies"),
        (&[("SESSION_DRIVER", "cookie"), ("SESSION_MIGRATE_FROM", "memory")], "sessions in cookies"),
        (&[("SESSION_DRIVER", "memory"), ("SESSION_MIGRATE_FROM", "rediss-x://:hunter2@h")], "postgres://"),
        (&[("SESSION_DRIVER", "memory"), ("SESSION_MIGRATE_FROM", "a name")], "table under [stores]"),
        (&[("SESSION_DRIVER", "memory"), ("SESSION_MIGRATE_FROM", "")], "SESSION_MIGRATE_FROM is empty"),
        (
            &[
                ("SESSION_DRIVER", "mysql"),
                ("DATABASE_URL", "mysql://h/d"),
                ("SESSION_MIGRATE_FROM", "sqlite"),
            ],
            "the URL of the old store, because DATABASE_URL is where the new one is",
        ),
        (&[("SESSION_MIGRATE_FORM", "file")], "did you mean SESSION_MIGRATE_FROM?"),
        (&[("SESSION_MIGRATE_STANDBY", "maybe")], "true or false"),
    ] {
        let said = refusal(vars);
        assert!(said.contains(words) && !said.contains("hunter2"), "{vars:?}: {said}");
    }
}

#[tokio::test]
async fn an_unknown_old_store_is_not_called_the_driver() {
    let vars = [("SESSION_DRIVER", "memory"), ("SESSION_MIGRATE_FROM", "rdis")];
    let said = config(&vars).unwrap().into_sessions().await.unwrap_err().to_string();
    assert!(said.starts_with("migrate.from (SESSION_MIGRATE_FROM) = \"rdis\" is not allowed"), "{said}");
    assert!(!said.contains("SESSION_DRIVER"), "{said}");
}

#[tokio::test]
async fn sessions_of_the_old_store_are_found_and_moved() {
    for standby in ["false", "true"] {
        let old = MemoryStore::new();
        let (key, now) = (StoreKey::from_bytes([7; 32]), SystemClock.now());
        let later = now.plus(std::time::Duration::from_secs(3_600));
        let record = Record::new(Etag::new(1), now, later, b"{\"v\":1}".to_vec().into());
        old.create(&key, &record, now).await.unwrap();
        let kept = old.clone();
        let drivers =
            Drivers::new().register("attic", move |_| std::future::ready(Ok::<_, Cause>(kept.clone())));
        let vars = [
            ("SESSION_DRIVER", "memory"),
            ("SESSION_MIGRATE_FROM", "attic"),
            ("SESSION_MIGRATE_STANDBY", standby),
        ];
        let sessions = config(&vars).unwrap().into_sessions_with(&drivers).await.unwrap();
        let store = sessions.store().unwrap();
        assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(record.clone()));
        store.touch(&key, later.plus(std::time::Duration::from_secs(60)), now).await.unwrap();
        let left = old.load(&key).await.unwrap()
            == Loaded::Found(record.with_idle_deadline(later_by_a_minute(later)));
        assert_eq!(left, standby == "true");
    }
}

fn later_by_a_minute(later: Timestamp) -> Timestamp {
    later.plus(std::time::Duration::from_secs(60))
}

/// The cookie of `ada`, as these variables' sessions set it, and what the same variables find by a cookie.
async fn visitor(sessions: &session_core::Sessions) -> session_testkit::TestClient {
    let mut ada = session_testkit::TestClient::new(sessions);
    ada.as_user("ada").await;
    ada
}

async fn finds(sessions: &session_core::Sessions, cookie: &str) -> bool {
    let guard = sessions.visit([cookie].into_iter().collect(), &Here);
    guard.visit().session().await.unwrap().user().name().as_deref() == Some("ada")
}

#[derive(Debug)]
struct Here;

impl session_core::adapter::Spawn for Here {
    fn spawn(&self, future: session_core::adapter::BoxFuture<()>) {
        tokio::spawn(future);
    }
}

#[tokio::test]
async fn variables_describe_the_cookie_as_it_was() {
    let store = MemoryStore::new();
    let drivers = Drivers::new().register("one", move |_| std::future::ready(Ok::<_, Cause>(store.clone())));
    let build = async |vars: &[(&str, &str)]| {
        let vars = [&[("SESSION_DRIVER", "one")], vars].concat();
        config(&vars).unwrap().into_sessions_with(&drivers).await
    };
    for (was, is) in [
        (&[("SESSION_COOKIE_NAME", "shop")][..], &[][..]),
        (&[("SESSION_COOKIE_NAME", "sid"), ("SESSION_COOKIE_DOMAIN", "example.com")], &[]),
        (&[], &[("SESSION_COOKIE_DOMAIN", "example.com")]),
        (&[("SESSION_COOKIE_PATH", "/shop")], &[("SESSION_COOKIE_PATH", "/cart")]),
    ] {
        let before = build(was).await.unwrap();
        let cookie = visitor(&before).await.cookie().unwrap();
        let named: Vec<_> = was
            .iter()
            .map(|(name, value)| (name.replace("SESSION_COOKIE", "SESSION_MIGRATE_COOKIE"), *value))
            .collect();
        let named: Vec<_> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        for (until, opens) in [("2100-01-31", true), ("2100-01-31T18:00:00Z", true), ("2001-01-31", false)] {
            let after = build(&[&named, is, &[("SESSION_MIGRATE_UNTIL", until)]].concat()).await.unwrap();
            assert_eq!(finds(&after, &cookie).await, opens, "{was:?} to {is:?}, {until}");
        }
        assert!(!finds(&build(is).await.unwrap(), &cookie).await);
    }
    for (vars, words) in [
        (&[("SESSION_MIGRATE_COOKIE_NAME", "sid")][..], "migrate.until (SESSION_MIGRATE_UNTIL)"),
        (&[("SESSION_MIGRATE_UNTIL", "2100-01-31")], "is the current one"),
        (
            &[
                ("SESSION_MIGRATE_UNTIL", "2100-01-31"),
                ("SESSION_MIGRATE_COOKIE_PATH", "/a"),
                ("SESSION_MIGRATE_COOKIE_NAME", "__Host-a"),
            ],
            "Path",
        ),
    ] {
        let said = build(vars).await.unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }
    for wrong in ["soon", "2027-13-01", "31.01.2027", "1969-01-01", "20270131", "2027-01-31T18:00"] {
        let said = config(&[("SESSION_MIGRATE_UNTIL", wrong)]).unwrap_err().to_string();
        assert!(said.contains("SESSION_MIGRATE_UNTIL") && said.contains("2027-01-31"), "{said}");
    }
}

#[tokio::test]
async fn sessions_move_between_the_cookie_and_a_store_by_variables() {
    let [store, list] = [MemoryStore::new(), MemoryStore::new()];
    let (one, other) = (store.clone(), list.clone());
    let drivers = Drivers::new()
        .register("one", move |_| std::future::ready(Ok::<_, Cause>(one.clone())))
        .register("list", move |_| std::future::ready(Ok::<_, Cause>(other.clone())));
    let build =
        async |vars: &[(&str, &str)]| config(vars).unwrap().into_sessions_with(&drivers).await.unwrap();
    let until = ("SESSION_MIGRATE_UNTIL", "2100-01-31");
    let (in_cookie, in_store) = (("SESSION_DRIVER", "cookie"), ("SESSION_DRIVER", "one"));
    let listed = ("SESSION_REVOCATIONS", "list");
    for encrypted in [("SESSION_AGE", "2h"), ("SESSION_ENCRYPT", "true")] {
        let before = build(&[in_store, encrypted]).await;
        let cookie = visitor(&before).await.cookie().unwrap();
        let after = build(&[in_cookie, encrypted, until, ("SESSION_MIGRATE_FROM", "one")]).await;
        assert!(finds(&after, &cookie).await && after.revocations().is_some(), "{encrypted:?}");
    }
    for was in [&[in_cookie][..], &[in_cookie, listed]] {
        let ada = visitor(&build(was).await).await;
        let (cookie, from) = (ada.cookie().unwrap(), ("SESSION_MIGRATE_FROM", "cookie"));
        let after = build(&[&was[1..], &[in_store, until, from]].concat()).await;
        assert!(finds(&after, &cookie).await);
        let is_listed = !finds(&build(&[in_cookie, listed]).await, &cookie).await;
        assert_eq!(is_listed, was.len() == 2, "a server with the list refuses the old cookie");
    }
}
