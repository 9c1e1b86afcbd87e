//! The sweeper: removes expired sessions and ended tombstones in bounded batches, and nothing else.

use session_core::{
    Timestamp,
    store::{Loaded, Record, StoreKey, Sweep, Written},
};

use super::Trial;
use super::trial::{HOUR, SECOND, fine};

macro_rules! sweeper {
    ($t:ident) => {
        match $t.sweeper() {
            Some(sweeper) => sweeper,
            None => return,
        }
    };
}

pub(super) async fn sweep_all(sweeper: &dyn Sweep, before: Timestamp) -> usize {
    let mut removed = 0;
    for _ in 0..10_000 {
        let swept = fine("sweep", sweeper.sweep(before, 100).await);
        assert!(swept.removed <= 100, "a batch is bounded");
        removed += swept.removed;
        if !swept.more {
            return removed;
        }
    }
    panic!("sweeping comes to an end");
}

/// Removes expired sessions and keeps live ones.
pub async fn a_sweep_removes_the_dead_and_keeps_the_living(t: Trial) {
    let sweeper = sweeper!(t);
    let (alive, record) = t.stored("alive").await;
    let dead = t.record("dead soon").with_idle_deadline(t.now.plus(HOUR));
    let dead_key = t.store_new(&dead).await;
    let capped = t.record("capped").with_absolute_deadline(Some(t.now.plus(HOUR)));
    let capped_key = t.store_new(&capped).await;
    assert!(sweep_all(sweeper, t.now.plus(HOUR)).await >= 2);
    t.expect_missing(&dead_key).await;
    t.expect_missing(&capped_key).await;
    t.expect_record(&alive, &record).await;
}

/// Removes a tombstone once it has ended, and not before.
pub async fn a_sweep_removes_tombstones_once_they_have_ended(t: Trial) {
    let sweeper = sweeper!(t);
    let (key, _) = t.stored("{}").await;
    t.destroy(&key).await;
    sweep_all(sweeper, t.until().minus(SECOND)).await;
    t.expect_tombstone(&key).await;
    assert!(sweep_all(sweeper, t.until()).await >= 1);
    t.expect_missing(&key).await;
}

/// If nothing is due, removes nothing and reports that there is no more.
pub async fn a_sweep_of_the_living_removes_nothing(t: Trial) {
    let sweeper = sweeper!(t);
    let (key, record) = t.stored("{}").await;
    sweep_all(sweeper, t.now).await;
    let swept = fine("sweep", sweeper.sweep(t.now, 10).await);
    assert_eq!((swept.removed, swept.more), (0, false));
    t.expect_record(&key, &record).await;
}

/// A batch is not larger than asked for, and reports whether more is due.
pub async fn a_sweep_is_bounded(t: Trial) {
    let sweeper = sweeper!(t);
    let mut dead = Vec::new();
    for _ in 0..25 {
        let record = t.record("dead soon").with_idle_deadline(t.now.plus(SECOND));
        dead.push(t.store_new(&record).await);
    }
    let before = t.now.plus(HOUR);
    let first = fine("sweep", sweeper.sweep(before, 10).await);
    assert_eq!((first.removed, first.more), (10, true), "twenty-five are dead and ten were asked for");
    let mut left = 0;
    for key in &dead {
        left += usize::from(matches!(t.load(key).await, Loaded::Found(_)));
    }
    assert!(left >= 15, "no more than ten went; {left} are left");
    sweep_all(sweeper, before).await;
    for key in &dead {
        t.expect_missing(key).await;
    }
}

/// A batch of size zero removes nothing.
pub async fn a_sweep_of_none_removes_none(t: Trial) {
    let sweeper = sweeper!(t);
    let record = t.record("dead soon").with_idle_deadline(t.now.plus(SECOND));
    let key = t.store_new(&record).await;
    assert_eq!(fine("sweep", sweeper.sweep(t.now.plus(HOUR), 0).await).removed, 0);
    t.expect_record(&key, &record).await;
}

/// A session that was touched in time is not swept at its former deadline.
pub async fn a_touched_session_survives_the_sweep(t: Trial) {
    let sweeper = sweeper!(t);
    let (key, record) = t.stored("{}").await;
    let later = record.idle_deadline.plus(HOUR);
    assert_eq!(t.touch(&key, later).await, Written::Applied);
    sweep_all(sweeper, record.idle_deadline).await;
    t.expect_record(&key, &record.with_idle_deadline(later)).await;
}

/// Concurrent touches and sweeps: a session whose touch was acknowledged is not swept.
pub async fn an_acknowledged_touch_is_never_swept_away(t: Trial) {
    sweeper!(t);
    for _ in 0..t.rounds() {
        let soon = t.now.plus(SECOND);
        let record = t.record("{}").with_idle_deadline(soon);
        let key = t.store_new(&record).await;
        let (now, later) = (t.now, t.now.plus(HOUR));
        let touch = t.spawn(move |store| async move { store.touch(&key, later, now).await });
        let sweep = t.spawn(move |store| async move {
            store.sweeper().expect("it was there before").sweep(soon, 1_000).await
        });
        let touched = fine("touch", touch.await.unwrap());
        fine("sweep", sweep.await.unwrap());
        match touched {
            Written::Applied => t.expect_record(&key, &record.with_idle_deadline(later)).await,
            Written::Gone => t.expect_missing(&key).await,
            other => panic!("a touch is applied or gone; got {other:?}"),
        }
    }
}

/// Stores a session, writes to it, and expects it to be swept at the deadline that the write gave it.
async fn is_swept_at_its_last_deadline(t: &Trial, key: StoreKey, record: &Record) {
    let Some(sweeper) = t.sweeper() else { return };
    let end = record.idle_deadline;
    sweep_all(sweeper, end.minus(SECOND)).await;
    t.expect_record(&key, record).await;
    assert!(sweep_all(sweeper, end).await >= 1, "the dead session is due");
    t.expect_missing(&key).await;
}

/// A replace moves the deadline; the sweep at the new one removes the session.
pub async fn a_replaced_session_that_dies_is_swept(t: Trial) {
    sweeper!(t);
    for hours in [1, 3] {
        let (key, first) = t.stored("first").await;
        let second = t.record("second").with_idle_deadline(t.now.plus(HOUR * hours));
        assert_eq!(t.replace(&key, first.etag, &second).await, Written::Applied);
        is_swept_at_its_last_deadline(&t, key, &second).await;
    }
}

/// A touch moves the deadline; the sweep at the new one removes the session.
pub async fn a_touched_session_that_dies_is_swept(t: Trial) {
    sweeper!(t);
    let (key, record) = t.stored("{}").await;
    let later = record.idle_deadline.plus(HOUR);
    let touched = record.with_idle_deadline(later);
    assert_eq!(t.touch(&key, touched.idle_deadline).await, Written::Applied);
    is_swept_at_its_last_deadline(&t, key, &touched).await;
}

/// A rotated session is swept at its deadline under the new key, and so is the tombstone of the old key.
pub async fn a_rotated_session_that_dies_is_swept(t: Trial) {
    sweeper!(t);
    let (old, record) = t.stored("{}").await;
    let (new, moved) = (t.key(), t.record("moved").with_idle_deadline(t.now.plus(HOUR)));
    assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
    is_swept_at_its_last_deadline(&t, new, &moved).await;
    t.expect_missing(&old).await;
}

/// A key whose tombstone was swept is free. If it is used again for another owner, nothing of the first session remains.
pub async fn a_key_used_again_is_listed_for_its_new_owner_only(t: Trial) {
    let sweeper = sweeper!(t);
    let Some(index) = t.owners() else { return };
    let (ada, bob) = (t.owner(), t.owner());
    let key = t.store_new(&t.owned(&ada)).await;
    t.destroy(&key).await;
    sweep_all(sweeper, t.until()).await;
    let record = t.owned(&bob);
    assert_eq!(t.create(&key, &record).await, Written::Applied, "the tombstone was swept");
    assert!(fine("list", index.list(&ada, t.now).await).is_empty());
    assert_eq!(fine("destroy_all", index.destroy_all(&ada, None, t.now, t.until()).await), 0);
    assert_eq!(fine("list", index.list(&bob, t.now).await), vec![(key, record)]);
}

/// The owner index does not list a session that was swept.
pub async fn the_owner_index_forgets_the_swept(t: Trial) {
    let sweeper = sweeper!(t);
    let Some(index) = t.owners() else { return };
    let owner = t.owner();
    let record = t.owned(&owner).with_idle_deadline(t.now.plus(SECOND));
    let swept = t.store_new(&record).await;
    let kept = t.owned(&owner);
    let key = t.store_new(&kept).await;
    sweep_all(sweeper, t.now.plus(SECOND)).await;
    t.expect_missing(&swept).await;
    assert_eq!(fine("list", index.list(&owner, t.now).await), vec![(key, kept)]);
}
