//! Limits of sizes and of timestamps.

use session_core::{
    Timestamp,
    store::{StoreErrorKind, Written},
};

use super::Trial;
use super::bytes::pattern;
use super::trial::HOUR;

/// A record of exactly the limit is stored.
pub async fn a_record_at_the_limit_is_stored(t: Trial) {
    let (key, record) = t.stored(pattern(t.store.max_record())).await;
    t.expect_record(&key, &record).await;
}

/// The limit applies to payload and owner together.
pub async fn a_record_at_the_limit_with_its_owner_is_stored(t: Trial) {
    let owner = t.owner();
    let payload = pattern(t.store.max_record() - owner.len());
    let record = t.record(payload).with_owner(Some(owner));
    let key = t.store_new(&record).await;
    t.expect_record(&key, &record).await;
}

/// One byte more is refused with both numbers, and nothing is stored.
pub async fn create_of_a_record_over_the_limit_is_refused(t: Trial) {
    let limit = t.store.max_record();
    let key = t.key();
    let error =
        t.store.create(&key, &t.record(pattern(limit + 1)), t.now).await.expect_err("it is too large");
    assert_eq!(error.kind(), StoreErrorKind::TooLarge { size: limit + 1, limit });
    t.expect_missing(&key).await;
}

/// The same for a replace: the stored record stays.
pub async fn replace_by_a_record_over_the_limit_is_refused(t: Trial) {
    let limit = t.store.max_record();
    let (key, record) = t.stored("small").await;
    let large = t.record(pattern(limit + 1));
    let error = t.store.replace(&key, record.etag, &large, t.now).await.expect_err("it is too large");
    assert_eq!(error.kind(), StoreErrorKind::TooLarge { size: limit + 1, limit });
    t.expect_record(&key, &record).await;
}

/// The same for a rotation: the old key stays live.
pub async fn rotate_of_a_record_over_the_limit_is_refused(t: Trial) {
    let limit = t.store.max_record();
    let (old, record) = t.stored("small").await;
    let (new, large) = (t.key(), t.record(pattern(limit + 7)));
    let written = t.store.rotate(&old, record.etag, &new, &large, t.now, t.until()).await;
    assert_eq!(
        written.expect_err("it is too large").kind(),
        StoreErrorKind::TooLarge { size: limit + 7, limit }
    );
    t.expect_record(&old, &record).await;
    t.expect_missing(&new).await;
}

/// The size is checked first: the error is `TooLarge` even under a missing key.
pub async fn a_record_over_the_limit_is_refused_before_any_look(t: Trial) {
    let limit = t.store.max_record();
    let owner = "o".repeat(limit);
    let large = t.record("x").with_owner(Some(owner.into()));
    let error = t.store.replace(&t.key(), large.etag, &large, t.now).await.expect_err("it is too large");
    assert_eq!(error.kind(), StoreErrorKind::TooLarge { size: limit + 1, limit });
}

/// Deadlines in a hundred years.
pub async fn deadlines_in_a_hundred_years_are_kept(t: Trial) {
    let far = t.now.plus(HOUR * 24 * 36_525);
    let record = t.record("{}").with_idle_deadline(far).with_absolute_deadline(Some(far));
    let key = t.store_new(&record).await;
    t.expect_record(&key, &record).await;
    assert_eq!(t.touch(&key, far.plus(HOUR)).await, Written::Applied);
}

/// A session without an absolute end.
pub async fn no_absolute_deadline_is_kept_as_none(t: Trial) {
    let record = t.record("{}").with_absolute_deadline(None);
    let key = t.store_new(&record).await;
    t.expect_record(&key, &record).await;
    assert_eq!(t.touch(&key, t.now.plus(HOUR * 24 * 365)).await, Written::Applied);
    let touched = record.with_idle_deadline(t.now.plus(HOUR * 24 * 365));
    t.expect_record(&key, &touched).await;
}

/// The last representable millisecond, at which `plus` saturates: a caller with a broken clock may pass it.
pub async fn deadlines_at_the_end_of_time_are_kept(t: Trial) {
    let end = Timestamp::from_millis(i64::MAX);
    for absolute in [None, Some(end), Some(t.now.plus(HOUR))] {
        let record = t.record("{}").with_idle_deadline(end).with_absolute_deadline(absolute);
        let key = t.store_new(&record).await;
        t.expect_record(&key, &record).await;
        assert_eq!(t.touch(&key, end).await, Written::Applied);
        t.expect_record(&key, &record).await;
        assert!(t.store.destroy(&key, end).await.is_ok());
        t.expect_dead(&key, t.now).await;
    }
}

/// Any `created` is kept: the epoch, a time before it, a time in the future.
pub async fn any_moment_of_creation_is_kept(t: Trial) {
    for created in [0, -1, -62_135_596_800_000, i64::MIN, t.now.plus(HOUR).as_millis(), i64::MAX] {
        let record = t.record("{}").with_created(Timestamp::from_millis(created));
        let key = t.store_new(&record).await;
        t.expect_record(&key, &record).await;
    }
}

/// Deadlines are kept to the millisecond, not to the second.
pub async fn deadlines_are_kept_to_the_millisecond(t: Trial) {
    for millis in [1, 499, 500, 501, 999] {
        let exact = Timestamp::from_millis(t.now.as_millis() / 1_000 * 1_000 + 7_200_000 + millis);
        let record = t.record("{}").with_idle_deadline(exact).with_absolute_deadline(Some(exact));
        let key = t.store_new(&record).await;
        t.expect_record(&key, &record).await;
    }
}

/// With a clock before 1970, or at the earliest representable time, no call panics and no live session is removed.
pub async fn a_broken_clock_does_not_panic(t: Trial) {
    for now in [0, -1, i64::MIN] {
        let now = Timestamp::from_millis(now);
        let (key, record) = t.stored("{}").await;
        let next = t.record("next");
        assert_eq!(t.replace_at(&key, record.etag, &next, now).await, Written::Applied);
        assert_eq!(t.touch_at(&key, now, now).await, Written::Applied);
        t.expect_record(&key, &next).await;
    }
}
