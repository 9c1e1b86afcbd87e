//! The owner index: written in the same step as the session, without ended members, and complete.

use session_core::store::{Loaded, OwnerIndex, SessionStore, Written};
use session_store_redis::{RedisStore, redis};

use crate::support::{
    PATIENT, fresh_key, fresh_prefix, now, owned, plain, record, seconds, shared_url, store, until,
};

#[tokio::test]
async fn every_verb_keeps_the_index() {
    let store = store().await;
    let (old, new) = (fresh_key(), fresh_key());
    let (first, second, third) = (owned("ada"), owned("eve"), owned("eve"));
    store.create(&old, &first, now()).await.unwrap();
    assert_eq!(store.list("ada", now()).await.unwrap(), vec![(old, first.clone())]);
    store.replace(&old, first.etag, &second, now()).await.unwrap();
    assert_eq!(store.count("ada", now()).await.unwrap(), 0);
    assert_eq!(store.list("eve", now()).await.unwrap(), vec![(old, second.clone())]);
    store.rotate(&old, second.etag, &new, &third, now(), until()).await.unwrap();
    assert_eq!(store.list("eve", now()).await.unwrap(), vec![(new, third)]);
    store.destroy(&new, until()).await.unwrap();
    assert_eq!(store.count("eve", now()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_touch_keeps_a_member_listed_and_the_dead_drop_out() {
    let (url, prefix) = (shared_url(), fresh_prefix());
    let store = RedisStore::builder(&url).prefix(&prefix).timeout(PATIENT).connect().await.unwrap();
    let (kept, lapsed) = (fresh_key(), fresh_key());
    // An owner longer than what a touch reads at first.
    let owner = "a".repeat(90);
    let soon = owned(&owner).with_idle_deadline(now().plus(seconds(50)));
    store.create(&kept, &soon, now()).await.unwrap();
    store.create(&lapsed, &soon, now()).await.unwrap();
    store.touch(&kept, now().plus(seconds(1_000)), now()).await.unwrap();
    let later = now().plus(seconds(100));
    assert_eq!(store.count(&owner, later).await.unwrap(), 1);
    let listed = store.list(&owner, later).await.unwrap();
    assert_eq!(listed.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [kept]);
    // The next write removes the dead member itself; its end is rounded up to a minute.
    let third = owned(&owner).with_idle_deadline(later.plus(seconds(1_000)));
    store.create(&fresh_key(), &third, later.plus(seconds(60))).await.unwrap();
    let mut plain = plain(&url).await;
    let members: i64 =
        redis::cmd("ZCARD").arg(format!("{prefix}owner:{owner}")).query_async(&mut plain).await.unwrap();
    assert_eq!(members, 2);
}

#[tokio::test]
async fn destroy_all_spares_one_and_leaves_tombstones() {
    let store = store().await;
    let keys = [fresh_key(), fresh_key(), fresh_key()];
    for key in &keys {
        store.create(key, &owned("ada"), now()).await.unwrap();
    }
    let stranger = fresh_key();
    store.create(&stranger, &record("{}"), now()).await.unwrap();
    assert_eq!(store.destroy_all("ada", Some(&keys[1]), now(), until()).await.unwrap(), 2);
    assert!(matches!(store.load(&keys[0]).await.unwrap(), Loaded::Ended { .. }));
    assert!(matches!(store.load(&keys[1]).await.unwrap(), Loaded::Found(_)));
    assert!(matches!(store.load(&stranger).await.unwrap(), Loaded::Found(_)));
    assert_eq!(store.destroy_all("ada", None, now(), until()).await.unwrap(), 1);
    assert_eq!(store.count("ada", now()).await.unwrap(), 0);
}

#[tokio::test]
async fn lc_10_a_session_created_while_all_are_destroyed_is_ended_or_listed() {
    let store = store().await;
    for _ in 0..200 {
        let key = fresh_key();
        let record = owned("ada");
        let (created, ended) =
            tokio::join!(store.create(&key, &record, now()), store.destroy_all("ada", None, now(), until()));
        created.unwrap();
        let listed = store.list("ada", now()).await.unwrap();
        match ended.unwrap() {
            0 => assert_eq!(listed.len(), 1),
            _ => assert!(listed.is_empty()),
        }
        store.destroy_all("ada", None, now(), until()).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_that_is_written_for_hours_stays_in_the_index() {
    let (url, prefix) = (shared_url(), fresh_prefix());
    let store = RedisStore::builder(&url).prefix(&prefix).timeout(PATIENT).connect().await.unwrap();
    let (key, other) = (fresh_key(), fresh_key());
    let mut current = owned("ada").with_idle_deadline(now().plus(seconds(100)));
    store.create(&key, &current, now()).await.unwrap();
    // Writes a few seconds apart, over several idle timeouts; now and then another session of the user cleans the index.
    for step in 1..60 {
        let at = now().plus(seconds(step * 10));
        let next = owned("ada").with_idle_deadline(at.plus(seconds(100)));
        assert_eq!(store.replace(&key, current.etag, &next, at).await.unwrap(), Written::Applied);
        current = next;
        if step % 7 == 0 {
            let second = owned("ada").with_idle_deadline(at.plus(seconds(1)));
            store.create(&other, &second, at).await.unwrap();
            store.destroy(&other, at).await.unwrap();
            let mut plain = plain(&url).await;
            let () = redis::cmd("DEL")
                .arg(format!("{prefix}session:{other}"))
                .query_async(&mut plain)
                .await
                .unwrap();
        }
        let left = at.plus(seconds(99));
        assert_eq!(store.list("ada", left).await.unwrap(), vec![(key, current.clone())]);
    }
    assert_eq!(store.destroy_all("ada", None, now(), until()).await.unwrap(), 1);
}
