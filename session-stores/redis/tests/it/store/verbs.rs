//! The six verbs where Redis needs care: 64-bit numbers, key expiry, the bytes of a value.

use session_core::{
    Timestamp,
    store::{Etag, Loaded, SessionStore, StoreErrorKind, Written},
};
use session_store_redis::{BuildError, RedisStore, redis};

use crate::support::{
    PATIENT, fresh_key, fresh_prefix, keys, now, owned, plain, record, seconds, shared_url, store, until,
};

#[tokio::test]
async fn a_session_is_created_read_replaced_touched_rotated_and_destroyed() {
    let store = store().await;
    let (old, new) = (fresh_key(), fresh_key());
    let (first, second, third) = (record("{\"v\":1}"), record("{\"v\":2}"), record("{\"v\":3}"));
    assert_eq!(store.load(&old).await.unwrap(), Loaded::Missing);
    assert_eq!(store.create(&old, &first, now()).await.unwrap(), Written::Applied);
    assert_eq!(store.create(&old, &first, now()).await.unwrap(), Written::Applied);
    assert_eq!(store.create(&old, &second, now()).await.unwrap(), Written::Taken);
    assert_eq!(store.load(&old).await.unwrap(), Loaded::Found(first.clone()));
    assert_eq!(store.replace(&old, first.etag, &second, now()).await.unwrap(), Written::Applied);
    assert_eq!(store.replace(&old, first.etag, &second, now()).await.unwrap(), Written::Applied);
    assert_eq!(
        store.replace(&old, first.etag, &third, now()).await.unwrap(),
        Written::Conflict(second.clone())
    );
    let later = second.idle_deadline.plus(seconds(60));
    assert_eq!(store.touch(&old, later, now()).await.unwrap(), Written::Applied);
    assert_eq!(store.touch(&old, later.minus(seconds(30)), now()).await.unwrap(), Written::Applied);
    let touched = second.clone().with_idle_deadline(later);
    assert_eq!(store.load(&old).await.unwrap(), Loaded::Found(touched));
    assert_eq!(
        store.rotate(&old, second.etag, &new, &third, now(), until()).await.unwrap(),
        Written::Applied
    );
    assert_eq!(
        store.rotate(&old, second.etag, &new, &third, now(), until()).await.unwrap(),
        Written::Applied
    );
    assert!(matches!(store.load(&old).await.unwrap(), Loaded::Ended { .. }));
    assert_eq!(store.load(&new).await.unwrap(), Loaded::Found(third));
    store.destroy(&new, until()).await.unwrap();
    assert!(matches!(store.load(&new).await.unwrap(), Loaded::Ended { .. }));
    assert_eq!(store.replace(&new, Etag::new(1), &first, now()).await.unwrap(), Written::Gone);
    assert_eq!(store.touch(&new, later, now()).await.unwrap(), Written::Gone);
}

#[tokio::test]
async fn etags_that_are_one_double_are_two_etags() {
    let store = store().await;
    for (a, b) in [(u64::MAX, u64::MAX - 1), ((1 << 53) + 1, 1 << 53), (1 << 63, (1 << 63) + 1)] {
        let key = fresh_key();
        let stored = record("{}").with_etag(Etag::new(a));
        store.create(&key, &stored, now()).await.unwrap();
        let reply = store.replace(&key, Etag::new(b), &record("{}"), now()).await.unwrap();
        assert_eq!(reply, Written::Conflict(stored));
    }
}

#[tokio::test]
async fn a_millisecond_decides_between_live_and_gone() {
    let store = store().await;
    let key = fresh_key();
    let stored = record("{}");
    store.create(&key, &stored, now()).await.unwrap();
    let end = stored.idle_deadline;
    let before = Timestamp::from_millis(end.as_millis() - 1);
    let far = end.plus(seconds(9));
    assert_eq!(store.touch(&key, far, end).await.unwrap(), Written::Gone);
    assert_eq!(store.replace(&key, stored.etag, &stored, end).await.unwrap(), Written::Gone);
    assert_eq!(
        store.rotate(&key, stored.etag, &fresh_key(), &stored, end, until()).await.unwrap(),
        Written::Gone
    );
    assert_eq!(store.touch(&key, far, before).await.unwrap(), Written::Applied);
}

#[tokio::test]
async fn lc_5_a_touch_never_outlives_the_absolute_deadline() {
    let store = store().await;
    let key = fresh_key();
    let stored = record("{}");
    let end = stored.absolute_deadline.unwrap();
    store.create(&key, &stored, now()).await.unwrap();
    store.touch(&key, end.plus(seconds(9999)), now()).await.unwrap();
    assert_eq!(store.touch(&key, end.plus(seconds(99999)), end).await.unwrap(), Written::Gone);
}

#[tokio::test]
async fn st_3_and_st_4_every_key_expires_soon_after_its_deadline() {
    let url = shared_url();
    let prefix = fresh_prefix();
    let store = RedisStore::builder(&url).prefix(&prefix).timeout(PATIENT).connect().await.unwrap();
    let check = async |verb: &str, longest: i64| {
        let keys = keys(&url, &prefix).await;
        assert!(!keys.is_empty());
        for (name, left) in keys {
            assert!(left > 0, "{name} has no time-to-live after {verb}");
            // The times in an index are rounded up to a minute, so that most writes need not change them.
            let longest = if name.contains(":owner:") { longest + 60 } else { longest };
            assert!(left <= longest * 1000, "{name} lives {left} ms after {verb}");
        }
    };
    let (old, new) = (fresh_key(), fresh_key());
    let (first, second) = (owned("ada"), owned("eve"));
    store.create(&old, &first, now()).await.unwrap();
    check("create", 660).await;
    store.replace(&old, first.etag, &second, now()).await.unwrap();
    check("replace", 660).await;
    store.touch(&old, now().plus(seconds(900)), now()).await.unwrap();
    check("touch", 960).await;
    store.rotate(&old, second.etag, &new, &first, now(), until()).await.unwrap();
    check("rotate", 960).await;
    store.destroy(&new, until()).await.unwrap();
    check("destroy", 60).await;
}

#[tokio::test]
async fn st_1_no_prefix_no_store() {
    for prefix in [None, Some("")] {
        let mut builder = RedisStore::builder("redis://127.0.0.1");
        if let Some(prefix) = prefix {
            builder = builder.prefix(prefix);
        }
        assert!(matches!(builder.open(), Err(BuildError::NoPrefix)));
    }
}

#[tokio::test]
async fn id_8_no_error_and_no_debug_shows_the_password() {
    let bad = ["redis://app:hunter2@[::1", "redis://app:hunter2@127.0.0.1:notaport/0", "hunter2://x"];
    for url in bad {
        let builder = RedisStore::builder(url).prefix("shop:");
        assert!(!format!("{builder:?}").contains("hunter2"));
        let error = builder.open().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    let store = RedisStore::builder("redis://app:hunter2@127.0.0.1:1").prefix("shop:").open().unwrap();
    let error = store.load(&fresh_key()).await.unwrap_err();
    assert!(!format!("{store:?} {error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_payload_is_readable_json_behind_a_head_of_44_bytes() {
    let (url, prefix, key) = (shared_url(), fresh_prefix(), fresh_key());
    let store = RedisStore::builder(&url).prefix(&prefix).timeout(PATIENT).connect().await.unwrap();
    store.create(&key, &record("{\"cart\":[1,2]}"), now()).await.unwrap();
    let mut plain = plain(&url).await;
    let text: String = redis::cmd("GETRANGE")
        .arg(format!("{prefix}session:{key}"))
        .arg(48)
        .arg(-1)
        .query_async(&mut plain)
        .await
        .unwrap();
    assert_eq!(text, "{\"cart\":[1,2]}");
}

#[tokio::test]
async fn st_5_a_newer_record_is_left_alone_and_a_damaged_one_can_be_destroyed() {
    let (url, prefix) = (shared_url(), fresh_prefix());
    let store = RedisStore::builder(&url).prefix(&prefix).timeout(PATIENT).connect().await.unwrap();
    let mut plain = plain(&url).await;
    for (bytes, kind) in
        [("S2 from the future", StoreErrorKind::Newer), ("S1r3 cut", StoreErrorKind::Corrupt)]
    {
        let key = fresh_key();
        let name = format!("{prefix}session:{key}");
        let mut set = redis::cmd("SET");
        set.arg(&name).arg(bytes).arg("EX").arg(60);
        let _: () = set.query_async(&mut plain).await.unwrap();
        let new = record("{}");
        assert_eq!(store.load(&key).await.unwrap_err().kind(), kind);
        assert_eq!(store.create(&key, &new, now()).await.unwrap(), Written::Taken);
        assert_eq!(store.replace(&key, Etag::new(1), &new, now()).await.unwrap_err().kind(), kind);
        assert_eq!(store.touch(&key, until(), now()).await.unwrap_err().kind(), kind);
        let rotated = store.rotate(&key, Etag::new(1), &fresh_key(), &new, now(), until()).await;
        assert_eq!(rotated.unwrap_err().kind(), kind);
        let there: String = redis::cmd("GET").arg(&name).query_async(&mut plain).await.unwrap();
        assert_eq!(there, bytes);
        let destroyed = store.destroy(&key, until()).await;
        match kind {
            StoreErrorKind::Newer => assert_eq!(destroyed.unwrap_err().kind(), kind),
            _ => assert!(matches!(store.load(&key).await.unwrap(), Loaded::Ended { .. })),
        }
    }
}

#[tokio::test]
async fn at_18_a_value_under_another_key_is_corrupt() {
    let (url, prefix) = (shared_url(), fresh_prefix());
    let store = RedisStore::builder(&url).prefix(&prefix).timeout(PATIENT).connect().await.unwrap();
    let (key, other) = (fresh_key(), fresh_key());
    store.create(&key, &record("{}"), now()).await.unwrap();
    let mut copy = redis::cmd("COPY");
    copy.arg(format!("{prefix}session:{key}")).arg(format!("{prefix}session:{other}"));
    let _: () = copy.query_async(&mut plain(&url).await).await.unwrap();
    assert_eq!(store.load(&other).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn moments_outside_of_what_redis_can_count_are_kept() {
    let store = store().await;
    let key = fresh_key();
    let endless = record("{}")
        .with_created(Timestamp::from_millis(i64::MIN))
        .with_idle_deadline(Timestamp::from_millis(i64::MAX))
        .with_absolute_deadline(None)
        .with_owner(Some("ada".into()));
    store.create(&key, &endless, now()).await.unwrap();
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(endless));
    let dead = record("{}").with_idle_deadline(Timestamp::from_millis(i64::MIN));
    assert_eq!(store.create(&fresh_key(), &dead, now()).await.unwrap(), Written::Applied);
}
