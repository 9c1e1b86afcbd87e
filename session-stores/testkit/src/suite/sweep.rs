//! The sweeper: removes what is dead, in bounded batches, and nothing else. Only for stores that have one.

use session_core::{
    Timestamp,
    store::{Loaded, Record, Sweep, Written},
};

use super::Trial;
use super::trial::{HOUR, SECOND, fine, skip};

macro_rules! sweeper {
    ($t:ident) => {
        match $t.sweeper() {
            Some(sweeper) => sweeper,
            None => return skip(&$t.store, "it expires records by itself"),
        }
    };
}

async fn sweep_all(sweeper: &dyn Sweep, before: Timestamp) -> usize {
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

/// The dead go, the living stay.
pub async fn a_sweep_removes_the_dead_and_keeps_the_living(t: Trial) {
    let sweeper = sweeper!(t);
    let (alive, record) = t.stored("alive").await;
    let dead = Record { idle_deadline: t.now.plus(HOUR), ..t.record("dead soon") };
    let dead_key = t.store_new(&dead).await;
    let capped = Record { absolute_deadline: Some(t.now.plus(HOUR)), ..t.record("capped") };
    let capped_key = t.store_new(&capped).await;
    assert!(sweep_all(sweeper, t.now.plus(HOUR)).await >= 2);
    t.expect_missing(&dead_key).await;
    t.expect_missing(&capped_key).await;
    t.expect_record(&alive, &record).await;
}

/// Tombstones go once they have ended, not before.
pub async fn a_sweep_removes_tombstones_once_they_have_ended(t: Trial) {
    let sweeper = sweeper!(t);
    let (key, _) = t.stored("{}").await;
    t.destroy(&key).await;
    sweep_all(sweeper, t.until().minus(SECOND)).await;
    t.expect_tombstone(&key).await;
    assert!(sweep_all(sweeper, t.until()).await >= 1);
    t.expect_missing(&key).await;
}

/// A sweep with nothing to do does nothing, and says so.
pub async fn a_sweep_of_the_living_removes_nothing(t: Trial) {
    let sweeper = sweeper!(t);
    let (key, record) = t.stored("{}").await;
    sweep_all(sweeper, t.now).await;
    let swept = fine("sweep", sweeper.sweep(t.now, 10).await);
    assert_eq!((swept.removed, swept.more), (0, false));
    t.expect_record(&key, &record).await;
}

/// A batch is never larger than asked for, and says when another is worth its call.
pub async fn a_sweep_is_bounded(t: Trial) {
    let sweeper = sweeper!(t);
    let mut dead = Vec::new();
    for _ in 0..25 {
        let record = Record { idle_deadline: t.now.plus(SECOND), ..t.record("dead soon") };
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

/// A batch of none removes none.
pub async fn a_sweep_of_none_removes_none(t: Trial) {
    let sweeper = sweeper!(t);
    let record = Record { idle_deadline: t.now.plus(SECOND), ..t.record("dead soon") };
    let key = t.store_new(&record).await;
    assert_eq!(fine("sweep", sweeper.sweep(t.now.plus(HOUR), 0).await).removed, 0);
    t.expect_record(&key, &record).await;
}

/// Whoever was touched in time survives the sweep that would have taken it.
pub async fn a_touched_session_survives_the_sweep(t: Trial) {
    let sweeper = sweeper!(t);
    let (key, record) = t.stored("{}").await;
    let later = record.idle_deadline.plus(HOUR);
    assert_eq!(t.touch(&key, later).await, Written::Applied);
    sweep_all(sweeper, record.idle_deadline).await;
    t.expect_record(&key, &Record { idle_deadline: later, ..record }).await;
}

/// Touches and sweeps at the same moment: an acknowledged touch is never swept away.
pub async fn an_acknowledged_touch_is_never_swept_away(t: Trial) {
    sweeper!(t);
    for _ in 0..t.rounds() {
        let soon = t.now.plus(SECOND);
        let record = Record { idle_deadline: soon, ..t.record("{}") };
        let key = t.store_new(&record).await;
        let (now, later) = (t.now, t.now.plus(HOUR));
        let touch = t.spawn(move |store| async move { store.touch(&key, later, now).await });
        let sweep = t.spawn(move |store| async move {
            store.sweeper().expect("it was there before").sweep(soon, 1_000).await
        });
        let touched = fine("touch", touch.await.unwrap());
        fine("sweep", sweep.await.unwrap());
        match touched {
            Written::Applied => t.expect_record(&key, &Record { idle_deadline: later, ..record }).await,
            Written::Gone => t.expect_missing(&key).await,
            other => panic!("a touch is applied or gone; got {other:?}"),
        }
    }
}

/// The owner index forgets whom the sweep took.
pub async fn the_owner_index_forgets_the_swept(t: Trial) {
    let sweeper = sweeper!(t);
    let Some(index) = t.owners() else { return skip(&t.store, "it keeps no owner index") };
    let owner = t.owner();
    let record = Record { idle_deadline: t.now.plus(SECOND), ..t.owned(&owner) };
    let swept = t.store_new(&record).await;
    let kept = t.owned(&owner);
    let key = t.store_new(&kept).await;
    sweep_all(sweeper, t.now.plus(SECOND)).await;
    t.expect_missing(&swept).await;
    assert_eq!(fine("list", index.list(&owner, t.now).await), vec![(key, kept)]);
}
