//! Expiry: judged from the record and the caller's `now`; an expired session is `Gone` to every verb.

use session_core::{
    Timestamp,
    store::{Loaded, Record, Written},
};

use super::Trial;
use super::trial::{HOUR, SECOND, assert_same};

async fn expect_gone_to_every_verb(
    t: &Trial,
    key: &session_core::store::StoreKey,
    record: &Record,
    now: Timestamp,
) {
    let next = t.record("again").with_idle_deadline(now.plus(HOUR)).with_absolute_deadline(None);
    assert_eq!(t.replace_at(key, record.etag, &next, now).await, Written::Gone, "replace");
    assert_eq!(t.touch_at(key, now.plus(HOUR), now).await, Written::Gone, "touch");
    let new = t.key();
    assert_eq!(t.rotate_at(key, record.etag, &new, &next, now).await, Written::Gone, "rotate");
    t.expect_missing(&new).await;
    t.expect_dead(key, now).await;
}

/// A session is expired from its idle deadline on, to the millisecond.
pub async fn a_session_past_its_idle_deadline_is_gone(t: Trial) {
    let (key, record) = t.stored("{}").await;
    expect_gone_to_every_verb(&t, &key, &record, record.idle_deadline).await;
}

/// A session is expired from its absolute deadline on, however late the idle one is.
pub async fn a_session_past_its_absolute_deadline_is_gone(t: Trial) {
    let record = t.record("{}").with_absolute_deadline(Some(t.now.plus(HOUR)));
    let key = t.store_new(&record).await;
    expect_gone_to_every_verb(&t, &key, &record, t.now.plus(HOUR)).await;
}

/// A session is expired long after both deadlines.
pub async fn a_session_dead_for_a_year_is_gone(t: Trial) {
    let (key, record) = t.stored("{}").await;
    expect_gone_to_every_verb(&t, &key, &record, t.now.plus(HOUR * 24 * 365)).await;
}

/// One millisecond before the deadline, a replace is applied.
pub async fn a_session_is_alive_until_the_last_millisecond(t: Trial) {
    let (key, first) = t.stored("first").await;
    let last = Timestamp::from_millis(first.idle_deadline.as_millis() - 1);
    let second = t.record("second").with_idle_deadline(last.plus(HOUR));
    assert_eq!(t.replace_at(&key, first.etag, &second, last).await, Written::Applied);
    t.expect_record(&key, &second).await;
}

/// One millisecond before the deadline, a touch and a rotation are applied.
pub async fn touch_and_rotate_work_until_the_last_millisecond(t: Trial) {
    let (old, first) = t.stored("first").await;
    let last = Timestamp::from_millis(first.idle_deadline.as_millis() - 1);
    assert_eq!(t.touch_at(&old, last.plus(HOUR), last).await, Written::Applied);
    let (new, moved) = (t.key(), t.record("moved").with_idle_deadline(last.plus(HOUR)));
    assert_eq!(t.rotate_at(&old, first.etag, &new, &moved, last).await, Written::Applied);
    t.expect_record(&new, &moved).await;
}

/// A touch moves the idle deadline only; the absolute one still ends the session.
pub async fn touch_does_not_move_the_absolute_deadline(t: Trial) {
    let record = t.record("{}").with_absolute_deadline(Some(t.now.plus(HOUR * 3)));
    let key = t.store_new(&record).await;
    assert_eq!(t.touch(&key, t.now.plus(HOUR * 48)).await, Written::Applied);
    t.expect_record(&key, &record.clone().with_idle_deadline(t.now.plus(HOUR * 48))).await;
    expect_gone_to_every_verb(&t, &key, &record, t.now.plus(HOUR * 3)).await;
}

/// A stale write to an expired session is answered with `Gone`, not with a conflict.
pub async fn a_stale_writer_on_an_expired_session_hears_gone(t: Trial) {
    let (key, record) = t.stored("{}").await;
    let next = t.record("late");
    let stale = super::trial::fresh_etag();
    assert_eq!(t.replace_at(&key, stale, &next, record.idle_deadline).await, Written::Gone);
    let new = t.key();
    assert_eq!(t.rotate_at(&key, stale, &new, &next, record.idle_deadline).await, Written::Gone);
    t.expect_missing(&new).await;
}

/// A record with an hour left can be loaded: no store removes it early.
pub async fn a_record_is_not_forgotten_before_its_deadline(t: Trial) {
    let record = t.record("soon").with_idle_deadline(t.now.plus(SECOND * 30));
    let key = t.store_new(&record).await;
    t.expect_record(&key, &record).await;
}

/// A record that is expired when it is created is never live.
pub async fn a_record_born_dead_is_never_alive(t: Trial) {
    let record = t.record("{}").with_idle_deadline(t.now.minus(HOUR));
    let key = t.key();
    assert_eq!(t.create(&key, &record).await, Written::Applied);
    match t.load(&key).await {
        Loaded::Missing => {}
        Loaded::Found(found) => assert_same(&found, &record),
        Loaded::Ended { .. } => panic!("nobody destroyed it"),
    }
    expect_gone_to_every_verb(&t, &key, &record, t.now).await;
}

/// A session that is replaced by a record with a past deadline is expired: the earlier deadline is not kept.
pub async fn a_replace_may_end_a_session_early(t: Trial) {
    let (key, first) = t.stored("first").await;
    let last = t.record("emptied").with_idle_deadline(t.now.plus(SECOND * 60));
    assert_eq!(t.replace(&key, first.etag, &last).await, Written::Applied);
    t.expect_record(&key, &last).await;
    expect_gone_to_every_verb(&t, &key, &last, t.now.plus(SECOND * 60)).await;
}

/// A destroyed session loads as ended, and an expired one does not.
pub async fn destroy_of_an_expired_session_is_no_error(t: Trial) {
    let record = t.record("{}").with_idle_deadline(t.now.minus(SECOND));
    let key = t.key();
    assert_eq!(t.create(&key, &record).await, Written::Applied);
    t.destroy(&key).await;
    t.expect_dead(&key, t.now).await;
    assert!(!matches!(t.load(&key).await, Loaded::Found(_)), "destroyed is destroyed");
}
