//! A second handle on the same data, in the same process.

use std::sync::Arc;

use session_core::store::{Loaded, Written};

use super::Trial;
use super::trial::{HOUR, fine};

macro_rules! second {
    ($t:ident) => {
        match $t.reopen().await {
            Some(store) => store,
            None => return,
        }
    };
}

/// Each handle sees what the other has written, touched and destroyed.
pub async fn a_second_handle_sees_every_write(t: Trial) {
    let other = second!(t);
    let (key, first) = t.stored("first").await;
    assert_eq!(fine("load", other.load(&key).await), Loaded::Found(first.clone()));
    let second = t.record("second");
    assert_eq!(fine("replace", other.replace(&key, first.etag, &second, t.now).await), Written::Applied);
    t.sees_record(&key, &second).await;
    let later = second.idle_deadline.plus(HOUR);
    assert_eq!(fine("touch", other.touch(&key, later, t.now).await), Written::Applied);
    t.sees_record(&key, &second.with_idle_deadline(later)).await;
    fine("destroy", other.destroy(&key, t.until()).await);
    t.sees_tombstone(&key).await;
}

/// A handle that is opened later finds what was stored before.
pub async fn a_handle_opened_later_finds_what_was_stored(t: Trial) {
    let owner = t.owner();
    let record = t.owned(&owner);
    let key = t.store_new(&record).await;
    let (dead, _) = t.stored("dead").await;
    t.destroy(&dead).await;
    let other = second!(t);
    assert_eq!(fine("load", other.load(&key).await), Loaded::Found(record));
    assert_eq!(fine("load", other.load(&dead).await), Loaded::Ended { until: t.until() });
    if let Some(index) = other.owners() {
        assert_eq!(fine("count", index.count(&owner, t.now).await), 1);
    }
}

/// Compare-and-swap works between two handles.
pub async fn of_two_handles_on_one_etag_one_wins(t: Trial) {
    let other = second!(t);
    for _ in 0..t.rounds() {
        let (key, record) = t.stored("start").await;
        let writers = [Arc::clone(&t.store), Arc::clone(&other)].map(|store| {
            let (next, expected, now) = (t.record("next"), record.etag, t.now);
            tokio::spawn(
                async move { (fine("replace", store.replace(&key, expected, &next, now).await), next) },
            )
        });
        let mut applied = 0;
        for writer in writers {
            match writer.await.unwrap() {
                (Written::Applied, next) => {
                    applied += 1;
                    t.sees_record(&key, &next).await;
                }
                (Written::Conflict(_), _) => {}
                (unexpected, _) => panic!("a writer wins or hears of a conflict; got {unexpected:?}"),
            }
        }
        assert_eq!(applied, 1, "exactly one of the two wins");
    }
}

/// A sign-out through one handle ends the session for a writer on the other.
pub async fn a_destroy_by_one_handle_is_final_for_the_other(t: Trial) {
    let other = second!(t);
    for _ in 0..t.rounds() {
        let (key, record) = t.stored("start").await;
        let (next, expected, now, until) = (t.record("next"), record.etag, t.now, t.until());
        let store = Arc::clone(&t.store);
        let writer = tokio::spawn(async move { store.replace(&key, expected, &next, now).await });
        fine("destroy", other.destroy(&key, until).await);
        let written = fine("replace", writer.await.unwrap());
        assert!(matches!(written, Written::Applied | Written::Gone), "{written:?}");
        t.sees_tombstone(&key).await;
        assert_eq!(fine("load", other.load(&key).await), Loaded::Ended { until });
    }
}

/// Two concurrent rotations, one through each handle: one new key is live.
pub async fn of_two_handles_that_rotate_one_wins(t: Trial) {
    let other = second!(t);
    for _ in 0..t.rounds() {
        let (old, record) = t.stored("start").await;
        let rotations = [Arc::clone(&t.store), Arc::clone(&other)].map(|store| {
            let (new, moved, expected) = (t.key(), t.record("moved"), record.etag);
            let (now, until) = (t.now, t.until());
            tokio::spawn(async move {
                (fine("rotate", store.rotate(&old, expected, &new, &moved, now, until).await), new)
            })
        });
        let mut alive = 0;
        for rotation in rotations {
            let (written, new) = rotation.await.unwrap();
            let found = matches!(t.load(&new).await, Loaded::Found(_));
            assert_eq!(found, written == Written::Applied);
            alive += usize::from(found);
        }
        assert_eq!(alive, 1, "exactly one of the two is alive");
    }
}
