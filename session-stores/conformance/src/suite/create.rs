//! `create`: stores a record unless anything is under the key.

use session_core::store::Written;

use super::Trial;

/// What was created is what is loaded.
pub async fn create_stores_a_new_session(t: Trial) {
    let (key, record) = t.stored("{}").await;
    t.expect_record(&key, &record).await;
}

/// A second create under the same key changes nothing.
pub async fn create_does_not_overwrite_a_session(t: Trial) {
    let (key, record) = t.stored("first").await;
    assert_eq!(t.create(&key, &t.record("second")).await, Written::Taken);
    t.expect_record(&key, &record).await;
}

/// A retry after a lost response reports that the create has happened.
pub async fn create_asked_again_answers_applied(t: Trial) {
    let (key, record) = t.stored("once").await;
    assert_eq!(t.create(&key, &record).await, Written::Applied);
    t.expect_record(&key, &record).await;
}

/// A retry after another client's newer write must not undo it.
pub async fn create_asked_again_late_does_not_undo_a_replace(t: Trial) {
    let (key, first) = t.stored("first").await;
    let second = t.record("second");
    assert_eq!(t.replace(&key, first.etag, &second).await, Written::Applied);
    assert_eq!(t.create(&key, &first).await, Written::Taken);
    t.expect_record(&key, &second).await;
}

/// A tombstone occupies the key.
pub async fn create_over_a_tombstone_is_taken(t: Trial) {
    let (key, _) = t.stored("dead").await;
    t.destroy(&key).await;
    assert_eq!(t.create(&key, &t.record("new")).await, Written::Taken);
    t.expect_tombstone(&key).await;
}

/// A retry of the session's own create does not revive it.
pub async fn create_asked_again_does_not_revive_a_destroyed_session(t: Trial) {
    let (key, record) = t.stored("dead").await;
    t.destroy(&key).await;
    assert_eq!(t.create(&key, &record).await, Written::Taken);
    t.expect_tombstone(&key).await;
}

/// The tombstone of a rotation occupies the key as well.
pub async fn create_over_a_rotated_key_is_taken(t: Trial) {
    let (old, record) = t.stored("old").await;
    let (new, moved) = (t.key(), t.record("new"));
    assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
    assert_eq!(t.create(&old, &t.record("again")).await, Written::Taken);
    t.expect_tombstone(&old).await;
    t.expect_record(&new, &moved).await;
}
