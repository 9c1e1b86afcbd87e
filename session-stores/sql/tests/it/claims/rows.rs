//! The content of a row, and the answers if it was altered.

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, StoreErrorKind, Written},
};

use super::{Ground, LATER, NOW, Store, created, key, owned, record};

pub(crate) async fn every_field_comes_back_unchanged<G: Ground>() {
    let ground = G::new().await;
    let store = ground.store();
    let plain = record("{}");
    let long = "o".repeat(5_000);
    let odd_owners = ["", "ada", "Ada", "ada ", "a\0b", "\u{1f600}", "' OR 1=1 --", &long];
    let mut odd = vec![
        plain.clone().with_payload(vec![].into()),
        plain.clone().with_payload(vec![0, 0xff, 0xfe, 0x80].into()),
        plain.clone().with_payload(vec![b'x'; 60_000].into()),
        plain.clone().with_absolute_deadline(Some(Timestamp::from_millis(i64::MAX))),
        plain.clone().with_idle_deadline(Timestamp::from_millis(i64::MAX)).with_etag(Etag::new(u64::MAX)),
        plain.clone().with_created(Timestamp::from_millis(-1)).with_etag(Etag::new(1 << 63)),
    ];
    odd.extend(odd_owners.iter().map(|owner| owned(owner)));
    for record in odd {
        let first = created(&store, &plain).await;
        assert_eq!(store.replace(&first, plain.etag, &record, NOW).await.unwrap(), Written::Applied);
        assert_eq!(store.load(&first).await.unwrap(), Loaded::Found(record.clone()));
        let second = created(&store, &record).await;
        assert_eq!(store.load(&second).await.unwrap(), Loaded::Found(record.clone()));
    }
    for owner in odd_owners {
        let listed = store.owners().unwrap().list(owner, NOW).await.unwrap();
        assert_eq!(listed.len(), 2, "{owner:?} is found by that name and no other");
        assert!(listed.iter().all(|(_, record)| record.owner.as_deref() == Some(owner)));
    }
}

pub(crate) async fn a_newer_record_is_left_alone<G: Ground>() {
    let ground = G::new().await;
    let store = ground.store();
    let first = record("{}");
    let (key, etag) = (created(&store, &first).await, first.etag);
    ground.run("UPDATE {table} SET format = 3").await;
    let newer = |kind| assert_eq!(kind, StoreErrorKind::Newer);
    newer(store.load(&key).await.unwrap_err().kind());
    newer(store.replace(&key, etag, &record("{}"), NOW).await.unwrap_err().kind());
    newer(store.touch(&key, LATER, NOW).await.unwrap_err().kind());
    let to = self::key();
    newer(store.rotate(&key, etag, &to, &record("{}"), NOW, LATER).await.unwrap_err().kind());
    assert_eq!(store.load(&to).await.unwrap(), Loaded::Missing);
    let long_after = LATER.plus(std::time::Duration::from_secs(9));
    assert_eq!(store.sweeper().unwrap().sweep(long_after, 10).await.unwrap().removed, 0);
}

pub(crate) async fn a_missing_table_is_refused<G: Ground>() {
    let ground = G::bare().await;
    every_call_is(&ground.store(), StoreErrorKind::Refused).await;
}

/// Whatever changes behind our back in what the application wrote is seen, and the session can still be ended.
pub(crate) async fn a_row_that_something_has_been_at_is_corrupt<G: Ground>() {
    let ground = G::new().await;
    let store = ground.store();
    let shorter = format!("payload = {}", G::bytes(b"{\"a\":1"));
    let other = format!("payload = {}", G::bytes(b"{\"a\":3}"));
    let whose = format!("owner = {}", G::bytes(b"bob"));
    let elsewhere = self::key();
    let moved = format!("session_key = {}", G::bytes(elsewhere.as_bytes()));
    let spoiled = [
        &shorter,
        &other,
        &whose,
        "owner = NULL",
        "etag = etag + 1",
        "created = created + 1",
        "absolute_deadline = 1795007200000",
        "checksum = checksum + 1",
        "checksum = NULL",
        &moved,
    ];
    for change in spoiled {
        ground.run("DELETE FROM {table}").await;
        let record = record("{\"a\":1}").with_owner(Some("ada".into()));
        let key = created(&store, &record).await;
        assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(record));
        ground.run(&format!("UPDATE {{table}} SET {change}")).await;
        let key = if change == moved { elsewhere } else { key };
        assert_eq!(store.load(&key).await.unwrap_err().kind(), StoreErrorKind::Corrupt, "{change}");
        store.destroy(&key, LATER).await.unwrap();
        assert_eq!(store.load(&key).await.unwrap(), Loaded::Ended { until: LATER });
    }
}

pub(crate) async fn a_session_is_read_as_the_readme_says<G: Ground>() {
    let ground = G::new().await;
    created(&ground.store(), &owned("ada")).await;
    let (_, statement) = include_str!("../../../README.md").split_once(&format!("-- {}\n", G::TOOL)).unwrap();
    let (statement, _) = statement.split_once(';').unwrap();
    let statement = statement.replace("FROM sessions", "FROM {table}");
    assert_eq!(ground.ask(&statement, 1).await, "ada");
    assert_eq!(ground.ask(&statement, 2).await, "{}");
}

/// There is no table: the answer must come before anything is asked.
pub(crate) async fn too_large_is_said_before_any_call<G: Ground>() {
    let ground = G::bare().await;
    let store = ground.store();
    let large = record(&"x".repeat(64 * 1024 + 1));
    let answers = [
        store.create(&key(), &large, NOW).await,
        store.replace(&key(), large.etag, &large, NOW).await,
        store.rotate(&key(), large.etag, &key(), &large, NOW, LATER).await,
    ];
    for answer in answers {
        let expected = StoreErrorKind::TooLarge { size: 64 * 1024 + 1, limit: 64 * 1024 };
        assert_eq!(answer.unwrap_err().kind(), expected);
    }
}

/// Every kind of call fails in this way.
pub(crate) async fn every_call_is(store: &Store, kind: StoreErrorKind) {
    let etag = Etag::new(1);
    let errors = [
        store.load(&key()).await.unwrap_err(),
        store.create(&key(), &record("{}"), NOW).await.unwrap_err(),
        store.replace(&key(), etag, &record("{}"), NOW).await.unwrap_err(),
        store.touch(&key(), LATER, NOW).await.unwrap_err(),
        store.destroy(&key(), LATER).await.unwrap_err(),
        store.rotate(&key(), etag, &key(), &record("{}"), NOW, LATER).await.unwrap_err(),
        store.owners().unwrap().list("ada", NOW).await.unwrap_err(),
        store.owners().unwrap().count("ada", NOW).await.unwrap_err(),
        store.owners().unwrap().destroy_all("ada", None, NOW, LATER).await.unwrap_err(),
        store.sweeper().unwrap().sweep(NOW, 10).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), kind, "{error}: {:?}", std::error::Error::source(&error));
    }
}
