//! `replace`: stores only over the expected etag; otherwise returns the current record, or `Gone`.

use session_core::store::{Etag, Written};

use super::Trial;
use super::trial::{SECOND, assert_same, fresh_etag};

/// With the right etag the whole record changes.
pub async fn replace_stores_over_the_expected_etag(t: Trial) {
    let (key, first) = t.stored("first").await;
    let mut second = t.record("second, and longer");
    second.idle_deadline = second.idle_deadline.plus(SECOND);
    second.owner = Some(t.owner());
    assert_eq!(t.replace(&key, first.etag, &second).await, Written::Applied);
    t.expect_record(&key, &second).await;
}

/// With another etag nothing changes, and the current record is returned.
pub async fn replace_with_a_stale_etag_brings_the_current_record(t: Trial) {
    let (key, first) = t.stored("first").await;
    let second = t.record("second");
    assert_eq!(t.replace(&key, first.etag, &second).await, Written::Applied);
    match t.replace(&key, first.etag, &t.record("third")).await {
        Written::Conflict(current) => assert_same(&current, &second),
        other => panic!("a stale etag is a conflict; got {other:?}"),
    }
    t.expect_record(&key, &second).await;
}

/// A retry with the etag of the conflict succeeds.
pub async fn replace_with_the_etag_of_a_conflict_applies(t: Trial) {
    let (key, _) = t.stored("first").await;
    let mine = t.record("mine");
    let Written::Conflict(current) = t.replace(&key, fresh_etag(), &mine).await else {
        panic!("an etag nobody wrote is a conflict");
    };
    assert_eq!(t.replace(&key, current.etag, &mine).await, Written::Applied);
    t.expect_record(&key, &mine).await;
}

/// A retry after a lost response reports that the replace has happened.
pub async fn replace_asked_again_answers_applied(t: Trial) {
    let (key, first) = t.stored("first").await;
    let second = t.record("second");
    for _ in 0..3 {
        assert_eq!(t.replace(&key, first.etag, &second).await, Written::Applied);
        t.expect_record(&key, &second).await;
    }
}

/// A retry after another client's newer write is a conflict and does not undo that write.
pub async fn replace_asked_again_late_does_not_undo_a_newer_write(t: Trial) {
    let (key, first) = t.stored("first").await;
    let (second, third) = (t.record("second"), t.record("third"));
    assert_eq!(t.replace(&key, first.etag, &second).await, Written::Applied);
    assert_eq!(t.replace(&key, second.etag, &third).await, Written::Applied);
    assert_eq!(t.replace(&key, first.etag, &second).await, Written::Conflict(third.clone()));
    t.expect_record(&key, &third).await;
}

/// A replace under a missing key creates nothing.
pub async fn replace_never_creates(t: Trial) {
    let key = t.key();
    assert_eq!(t.replace(&key, fresh_etag(), &t.record("new")).await, Written::Gone);
    t.expect_missing(&key).await;
}

/// A replace under a missing key creates nothing, even if the expected etag is that of the new record.
pub async fn replace_never_creates_with_its_own_etag(t: Trial) {
    let (key, record) = (t.key(), t.record("new"));
    assert_eq!(t.replace(&key, record.etag, &record).await, Written::Gone);
    t.expect_missing(&key).await;
}

/// A destroyed session is not written to, whatever the etag.
pub async fn replace_does_not_revive_a_destroyed_session(t: Trial) {
    let (key, first) = t.stored("first").await;
    t.destroy(&key).await;
    for expected in [first.etag, Etag::new(0), fresh_etag()] {
        assert_eq!(t.replace(&key, expected, &t.record("again")).await, Written::Gone);
        t.expect_tombstone(&key).await;
    }
}

/// Nothing is written under the old key of a rotated session.
pub async fn replace_does_not_revive_a_rotated_key(t: Trial) {
    let (old, first) = t.stored("first").await;
    let (new, moved) = (t.key(), t.record("moved"));
    assert_eq!(t.rotate(&old, first.etag, &new, &moved).await, Written::Applied);
    for expected in [first.etag, moved.etag] {
        let written = t.replace(&old, expected, &t.record("late")).await;
        assert_eq!(written, Written::Moved { key: new, record: moved.clone() });
    }
    t.expect_tombstone(&old).await;
    t.expect_record(&new, &moved).await;
}

/// Etags of any value, including the limits of 63 and 64 bits.
pub async fn etags_of_all_64_bits_are_kept_and_compared(t: Trial) {
    let (key, mut current) = t.stored("start").await;
    for number in [0, 1, u64::from(u32::MAX), (1 << 53) + 1, i64::MAX as u64, 1 << 63, u64::MAX - 1, u64::MAX]
    {
        let next = t.record("next").with_etag(Etag::new(number));
        assert_eq!(t.replace(&key, current.etag, &next).await, Written::Applied, "over {:?}", current.etag);
        t.expect_record(&key, &next).await;
        let near = Etag::new(number ^ 1);
        assert!(matches!(t.replace(&key, near, &t.record("no")).await, Written::Conflict(_)), "{near:?}");
        current = next;
    }
}
