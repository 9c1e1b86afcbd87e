//! `destroy` and its tombstones: without data, with an end, and only where a record was.

use session_core::store::{Loaded, Written};

use super::Trial;
use super::trial::{HOUR, SECOND, fine};

/// A destroy leaves a tombstone with its end.
pub async fn destroy_leaves_a_tombstone_with_its_end(t: Trial) {
    let (key, _) = t.stored("{}").await;
    t.destroy(&key).await;
    t.expect_tombstone(&key).await;
}

/// A destroy under a missing key succeeds and leaves nothing.
pub async fn destroy_of_nothing_leaves_nothing(t: Trial) {
    let key = t.key();
    t.destroy(&key).await;
    t.expect_missing(&key).await;
    assert_eq!(t.create(&key, &t.record("{}")).await, Written::Applied, "the key is as free as before");
}

/// The second destroy succeeds and keeps the first tombstone.
pub async fn destroy_twice_keeps_the_first_tombstone(t: Trial) {
    let (key, _) = t.stored("{}").await;
    t.destroy(&key).await;
    for until in [t.until().plus(HOUR), t.now.plus(SECOND)] {
        fine("destroy", t.store.destroy(&key, until).await);
        t.expect_tombstone(&key).await;
    }
}

/// The tombstone of a rotation is kept by a later destroy as well.
pub async fn destroy_of_a_rotated_key_keeps_its_tombstone(t: Trial) {
    let (old, record) = t.stored("{}").await;
    let (new, moved) = (t.key(), t.record("{}"));
    assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
    fine("destroy", t.store.destroy(&old, t.until().plus(HOUR)).await);
    t.expect_tombstone(&old).await;
    t.expect_record(&new, &moved).await;
}

/// The session is destroyed even if the end of its tombstone has passed already.
pub async fn destroy_with_a_tombstone_of_the_past_still_destroys(t: Trial) {
    let (key, record) = t.stored("{}").await;
    let past = t.now.minus(HOUR);
    fine("destroy", t.store.destroy(&key, past).await);
    match t.load(&key).await {
        Loaded::Missing => {}
        Loaded::Ended { until } => assert_eq!(until, past),
        Loaded::Found(found) => panic!("it is destroyed; found {found:?}"),
    }
    assert_eq!(t.replace(&key, record.etag, &t.record("again")).await, Written::Gone);
    assert_eq!(t.touch(&key, t.now.plus(HOUR * 3)).await, Written::Gone);
    t.expect_dead(&key, t.now).await;
}

/// A tombstone of a month is kept to the millisecond.
pub async fn a_long_tombstone_keeps_its_end(t: Trial) {
    let (key, _) = t.stored("{}").await;
    let until = t.now.plus(HOUR * 24 * 30);
    fine("destroy", t.store.destroy(&key, until).await);
    assert_eq!(t.load(&key).await, Loaded::Ended { until });
}

/// A destroy does not change the other sessions of the same owner.
pub async fn destroy_ends_one_session_only(t: Trial) {
    let owner = t.owner();
    let (one, other) = (t.owned(&owner), t.owned(&owner));
    let (one_key, other_key) = (t.store_new(&one).await, t.store_new(&other).await);
    t.destroy(&one_key).await;
    t.expect_tombstone(&one_key).await;
    t.expect_record(&other_key, &other).await;
}

/// A destroyed session cannot be rotated either.
pub async fn rotate_does_not_revive_a_destroyed_session(t: Trial) {
    let (old, record) = t.stored("{}").await;
    t.destroy(&old).await;
    let new = t.key();
    assert_eq!(t.rotate(&old, record.etag, &new, &t.record("again")).await, Written::Gone);
    t.expect_tombstone(&old).await;
    t.expect_missing(&new).await;
}

/// A large record with an owner and without an absolute deadline leaves the same empty tombstone.
pub async fn a_tombstone_is_the_same_whatever_died(t: Trial) {
    let owner = t.owner();
    let large = t.record(vec![b'x'; 16_000]).with_absolute_deadline(None).with_owner(Some(owner));
    let key = t.store_new(&large).await;
    t.destroy(&key).await;
    t.expect_tombstone(&key).await;
}
