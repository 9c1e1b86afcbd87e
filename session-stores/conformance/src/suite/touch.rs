//! `touch`: moves the idle deadline of a live record later, and does nothing else.

use session_core::store::Written;

use super::Trial;
use super::trial::{HOUR, SECOND};

/// The deadline moves; etag, payload and all other fields stay.
pub async fn touch_moves_the_idle_deadline_and_nothing_else(t: Trial) {
    let owner = t.owner();
    let record = t.owned(&owner);
    let key = t.store_new(&record).await;
    let later = record.idle_deadline.plus(HOUR);
    assert_eq!(t.touch(&key, later).await, Written::Applied);
    t.expect_record(&key, &record.with_idle_deadline(later)).await;
}

/// An earlier deadline changes nothing.
pub async fn touch_never_shortens(t: Trial) {
    let (key, record) = t.stored("{}").await;
    assert_eq!(t.touch(&key, record.idle_deadline.minus(HOUR)).await, Written::Applied);
    t.expect_record(&key, &record).await;
    assert_eq!(t.touch(&key, record.idle_deadline).await, Written::Applied);
    t.expect_record(&key, &record).await;
}

/// A touch with a past deadline does not end the session.
pub async fn touch_into_the_past_does_not_end_a_session(t: Trial) {
    let (key, record) = t.stored("{}").await;
    assert_eq!(t.touch(&key, t.now.minus(HOUR)).await, Written::Applied);
    t.expect_record(&key, &record).await;
}

/// Of two touches in the wrong order, the later deadline stays.
pub async fn touches_out_of_order_leave_the_latest_deadline(t: Trial) {
    let (key, record) = t.stored("{}").await;
    for minutes in [1_u32, 9, 3, 7] {
        let later = record.idle_deadline.plus(SECOND * 60 * minutes);
        assert_eq!(t.touch(&key, later).await, Written::Applied);
    }
    let latest = record.idle_deadline.plus(SECOND * 60 * 9);
    t.expect_record(&key, &record.with_idle_deadline(latest)).await;
}

/// A touch under a missing key creates nothing.
pub async fn touch_never_creates(t: Trial) {
    let key = t.key();
    assert_eq!(t.touch(&key, t.now.plus(HOUR)).await, Written::Gone);
    t.expect_missing(&key).await;
}

/// A tombstone and its end are unchanged by a touch.
pub async fn touch_does_not_revive_a_destroyed_session(t: Trial) {
    let (key, _) = t.stored("{}").await;
    t.destroy(&key).await;
    assert_eq!(t.touch(&key, t.now.plus(HOUR * 3)).await, Written::Gone);
    t.expect_tombstone(&key).await;
}

/// A touch causes no conflict for a writer that has read before it.
pub async fn touch_leaves_the_etag_good_for_a_replace(t: Trial) {
    let (key, first) = t.stored("first").await;
    assert_eq!(t.touch(&key, first.idle_deadline.plus(HOUR)).await, Written::Applied);
    let second = t.record("second").with_idle_deadline(first.idle_deadline.plus(HOUR));
    assert_eq!(t.replace(&key, first.etag, &second).await, Written::Applied);
    t.expect_record(&key, &second).await;
}

/// A touched session is live past its first deadline.
pub async fn a_touched_session_outlives_its_first_deadline(t: Trial) {
    let (key, record) = t.stored("{}").await;
    let later = record.idle_deadline.plus(HOUR);
    assert_eq!(t.touch(&key, later).await, Written::Applied);
    let next = t.record("after the first deadline").with_idle_deadline(later.plus(HOUR));
    let now = record.idle_deadline.plus(SECOND);
    assert_eq!(t.replace_at(&key, record.etag, &next, now).await, Written::Applied);
    t.expect_record(&key, &next).await;
}
