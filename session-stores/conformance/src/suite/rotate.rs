//! `rotate`: moves a session to a new key in one step and leaves a tombstone under the old key.

use session_core::store::{Loaded, Record, StoreKey, Written};

use super::Trial;
use super::trial::{HOUR, SECOND, assert_same, fine, fresh_etag};

/// The record is under the new key, and a tombstone under the old one.
pub async fn rotate_moves_a_session_and_leaves_a_tombstone(t: Trial) {
    let (old, record) = t.stored("before").await;
    let (new, moved) = (t.key(), t.record("after").with_owner(Some(t.owner())));
    assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
    t.expect_tombstone(&old).await;
    t.expect_record(&new, &moved).await;
}

/// If the answer was lost and the rotation is repeated, the answer is that it was applied.
pub async fn rotate_asked_again_answers_applied(t: Trial) {
    let (old, record) = t.stored("before").await;
    let (new, moved) = (t.key(), t.record("after"));
    for _ in 0..3 {
        assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
        t.expect_tombstone(&old).await;
        t.expect_record(&new, &moved).await;
    }
}

/// A stale etag moves nothing and returns the current record.
pub async fn rotate_with_a_stale_etag_brings_the_current_record(t: Trial) {
    let (old, record) = t.stored("before").await;
    let new = t.key();
    match t.rotate(&old, fresh_etag(), &new, &t.record("after")).await {
        Written::Conflict(current) => assert_same(&current, &record),
        other => panic!("a stale etag is a conflict; got {other:?}"),
    }
    t.expect_record(&old, &record).await;
    t.expect_missing(&new).await;
}

/// A rotation from a missing key moves nothing.
pub async fn rotate_of_nothing_creates_nothing(t: Trial) {
    let (old, new) = (t.key(), t.key());
    assert_eq!(t.rotate(&old, fresh_etag(), &new, &t.record("new")).await, Written::Gone);
    t.expect_missing(&old).await;
    t.expect_missing(&new).await;
}

/// If there is a session under the new key, both sessions stay unchanged.
pub async fn rotate_onto_a_session_is_taken(t: Trial) {
    let (old, record) = t.stored("mine").await;
    let (new, theirs) = t.stored("theirs").await;
    assert_eq!(t.rotate(&old, record.etag, &new, &t.record("moved")).await, Written::Taken);
    t.expect_record(&old, &record).await;
    t.expect_record(&new, &theirs).await;
}

/// If there is a tombstone under the new key, it and the old session stay unchanged.
pub async fn rotate_onto_a_tombstone_is_taken(t: Trial) {
    let (old, record) = t.stored("mine").await;
    let (new, _) = t.stored("theirs").await;
    t.destroy(&new).await;
    assert_eq!(t.rotate(&old, record.etag, &new, &t.record("moved")).await, Written::Taken);
    t.expect_record(&old, &record).await;
    t.expect_tombstone(&new).await;
}

/// A second rotation of the same session to another key is answered with `Moved` and creates nothing.
pub async fn rotate_of_a_rotated_key_creates_nothing(t: Trial) {
    let (old, record) = t.stored("before").await;
    let (first, second) = (t.key(), t.key());
    let moved = t.record("after");
    assert_eq!(t.rotate(&old, record.etag, &first, &moved).await, Written::Applied);
    assert_eq!(t.rotate(&old, record.etag, &second, &t.record("late")).await, is_at(&first, &moved));
    t.expect_record(&first, &moved).await;
    t.expect_missing(&second).await;
}

/// A retry is answered with `Applied` only while its own record is under the new key.
pub async fn rotate_asked_again_after_another_write_is_not_applied(t: Trial) {
    let (old, record) = t.stored("before").await;
    let (new, moved) = (t.key(), t.record("after"));
    assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
    let newer = t.record("newer");
    assert_eq!(t.replace(&new, moved.etag, &newer).await, Written::Applied);
    let again = t.rotate(&old, record.etag, &new, &moved).await;
    assert_eq!(again, is_at(&new, &newer), "nothing is applied twice");
    t.expect_record(&new, &newer).await;
    t.expect_tombstone(&old).await;
}

/// Ten rotations in a row leave one live key and tombstones under the others.
pub async fn a_chain_of_rotations_leaves_one_live_key(t: Trial) {
    let (mut key, mut record) = t.stored("0").await;
    let mut dead = Vec::new();
    for step in 1..10 {
        let (next, moved) = (t.key(), t.record(step.to_string()));
        assert_eq!(t.rotate(&key, record.etag, &next, &moved).await, Written::Applied);
        dead.push(std::mem::replace(&mut key, next));
        record = moved;
    }
    t.expect_record(&key, &record).await;
    for key in &dead {
        t.expect_tombstone(key).await;
    }
}

/// Every verb works on a rotated session.
pub async fn a_rotated_session_can_be_written_touched_and_destroyed(t: Trial) {
    let (old, record) = t.stored("before").await;
    let (new, moved) = (t.key(), t.record("after"));
    assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
    let next = t.record("next");
    assert_eq!(t.replace(&new, moved.etag, &next).await, Written::Applied);
    assert_eq!(t.touch(&new, next.idle_deadline.plus(HOUR)).await, Written::Applied);
    t.destroy(&new).await;
    t.expect_tombstone(&new).await;
    t.expect_tombstone(&old).await;
}

/// A rotation to the same key is refused, and the session stays.
pub async fn rotate_onto_itself_loses_nothing(t: Trial) {
    let (key, record) = t.stored("mine").await;
    let written = t.rotate(&key, record.etag, &key, &t.record("moved")).await;
    assert_eq!(written, Written::Taken);
    t.expect_record(&key, &record).await;
}

/// The old key is ended even if the tombstone of the rotation lies in the past.
pub async fn rotate_with_a_tombstone_of_the_past_still_kills_the_old_key(t: Trial) {
    let (old, record) = t.stored("before").await;
    let (new, moved) = (t.key(), t.record("after"));
    let past = t.now.minus(SECOND);
    let written = t.store.rotate(&old, record.etag, &new, &moved, t.now, past).await;
    assert_eq!(fine("rotate", written), Written::Applied);
    assert!(!matches!(t.load(&old).await, Loaded::Found(_)), "the old key is dead");
    let late = t.replace(&old, record.etag, &t.record("late")).await;
    assert!(late == Written::Gone || late == is_at(&new, &moved), "the old key is dead; got {late:?}");
    t.expect_record(&new, &moved).await;
}

/// The answer to a write under the old key.
pub(super) fn is_at(key: &StoreKey, record: &Record) -> Written {
    Written::Moved { key: *key, record: record.clone() }
}
