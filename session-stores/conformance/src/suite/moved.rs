//! A session that was rotated: a write under the old key is answered with the new key and the record there.

use std::collections::BTreeSet;
use std::sync::Arc;

use session_core::{
    Timestamp,
    store::{Loaded, Record, SessionStore, StoreKey, Written},
};

use super::Trial;
use super::rotate::is_at;
use super::trial::{HOUR, fine, fresh_etag};

/// The answer has the current record, with its owner and all later writes; the call changes nothing.
pub async fn a_write_under_the_old_key_hears_where_the_session_is(t: Trial) {
    for owner in [None, Some(t.owner())] {
        let before = t.record("before").with_owner(owner.clone());
        let (old, new, other) = (t.store_new(&before).await, t.key(), t.key());
        let moved = t.record("after").with_owner(owner.clone());
        assert_eq!(t.rotate(&old, before.etag, &new, &moved).await, Written::Applied);
        let newer = t.record("newer").with_owner(owner);
        for (there, next) in [(moved.clone(), Some(&newer)), (newer.clone(), None)] {
            for expected in [before.etag, moved.etag, newer.etag] {
                let late = t.record("late");
                assert_eq!(t.replace(&old, expected, &late).await, is_at(&new, &there));
                assert_eq!(t.rotate(&old, expected, &other, &late).await, is_at(&new, &there));
            }
            t.expect_tombstone(&old).await;
            t.expect_record(&new, &there).await;
            t.expect_missing(&other).await;
            if let Some(next) = next {
                assert_eq!(t.replace(&new, moved.etag, next).await, Written::Applied);
            }
        }
    }
}

/// Each of the old keys leads to the live one.
pub async fn a_session_that_was_rotated_several_times_is_followed_to_its_end(t: Trial) {
    let owner = Some(t.owner());
    let first = t.record("0").with_owner(owner.clone());
    let (mut keys, mut record) = (vec![t.store_new(&first).await], first);
    for step in 1..=8 {
        let (next, moved) = (t.key(), t.record(step.to_string()).with_owner(owner.clone()));
        assert_eq!(t.rotate(keys.last().unwrap(), record.etag, &next, &moved).await, Written::Applied);
        keys.push(next);
        record = moved;
    }
    let alive = keys.pop().unwrap();
    for old in &keys {
        assert_eq!(t.replace(old, record.etag, &t.record("late")).await, is_at(&alive, &record));
        assert_eq!(t.rotate(old, record.etag, &t.key(), &t.record("late")).await, is_at(&alive, &record));
        assert_eq!(fine("destroy", t.store.destroy(old, t.until()).await), is_at(&alive, &record));
    }
    t.destroy(&alive).await;
    for old in &keys {
        assert_eq!(t.replace(old, record.etag, &t.record("late")).await, Written::Gone);
        t.expect_tombstone(old).await;
    }
}

/// A session that has ended has ended under every key that it had.
pub async fn a_rotated_session_that_was_destroyed_is_gone(t: Trial) {
    let (old, record) = t.stored("before").await;
    let (new, other, moved) = (t.key(), t.key(), t.record("after"));
    assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
    t.destroy(&new).await;
    for expected in [record.etag, moved.etag] {
        assert_eq!(t.replace(&old, expected, &t.record("late")).await, Written::Gone);
        assert_eq!(t.rotate(&old, expected, &other, &t.record("late")).await, Written::Gone);
    }
    assert_eq!(fine("destroy", t.store.destroy(&old, t.until()).await), Written::Applied);
    t.expect_tombstone(&old).await;
    t.expect_tombstone(&new).await;
    t.expect_missing(&other).await;
}

/// A write is answered with a live record only, judged by the caller's time.
pub async fn a_rotated_session_that_has_expired_is_gone(t: Trial) {
    let (old, record) = t.stored("before").await;
    let (new, moved) = (t.key(), t.record("after").with_idle_deadline(t.now.plus(HOUR)));
    assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
    let last = Timestamp::from_millis(moved.idle_deadline.as_millis() - 1);
    assert_eq!(t.replace_at(&old, record.etag, &t.record("late"), last).await, is_at(&new, &moved));
    let late = t.replace_at(&old, record.etag, &t.record("late"), moved.idle_deadline).await;
    assert_eq!(late, Written::Gone);
    let late = t.rotate_at(&old, record.etag, &t.key(), &t.record("late"), moved.idle_deadline).await;
    assert_eq!(late, Written::Gone);
}

/// A destroy ends only the record under its own key, and returns where the session has moved.
pub async fn a_destroy_under_the_old_key_hears_where_the_session_is(t: Trial) {
    let record = t.record("before").with_owner(Some(t.owner()));
    let (old, new) = (t.store_new(&record).await, t.key());
    let moved = t.record("after").with_owner(record.owner.clone());
    assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
    for _ in 0..2 {
        let destroyed = fine("destroy", t.store.destroy(&old, t.until().plus(HOUR)).await);
        assert_eq!(destroyed, is_at(&new, &moved));
        t.expect_tombstone(&old).await;
        t.expect_record(&new, &moved).await;
    }
    assert_eq!(fine("destroy", t.store.destroy(&new, t.until()).await), Written::Applied);
    t.expect_tombstone(&new).await;
}

/// A load under the old key finds a session that has ended.
pub async fn neither_a_load_nor_a_touch_follows_a_rotation(t: Trial) {
    let (old, record) = t.stored("before").await;
    let (new, moved) = (t.key(), t.record("after"));
    assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
    t.expect_tombstone(&old).await;
    assert_eq!(t.touch(&old, t.now.plus(HOUR * 3)).await, Written::Gone);
    t.expect_record(&new, &moved).await;
}

/// A handle follows a tombstone that another handle has written.
pub async fn a_rotation_by_one_handle_is_followed_by_the_other(t: Trial) {
    let Some(other) = t.reopen().await else { return };
    let (old, record) = t.stored("before").await;
    let (new, moved) = (t.key(), t.record("after"));
    let rotated = other.rotate(&old, record.etag, &new, &moved, t.now, t.until()).await;
    assert_eq!(fine("rotate", rotated), Written::Applied);
    assert_eq!(t.replace(&old, record.etag, &t.record("late")).await, is_at(&new, &moved));
    let late = other.replace(&old, record.etag, &t.record("late"), t.now).await;
    assert_eq!(fine("replace", late), is_at(&new, &moved));
}

/// Adds a line to the session under its current key, and retries on conflicts. Returns false once the session is gone.
async fn append(
    store: &Arc<dyn SessionStore>,
    mut key: StoreKey,
    line: &str,
    mut current: Record,
    now: Timestamp,
) -> bool {
    loop {
        let payload = [&*current.payload, line.as_bytes()].concat();
        let next = current.clone().with_etag(fresh_etag()).with_payload(payload.into());
        match fine("replace", store.replace(&key, current.etag, &next, now).await) {
            Written::Applied => return true,
            Written::Conflict(newer) => current = newer,
            Written::Moved { key: to, record } => (key, current) = (to, record),
            Written::Gone => return false,
            Written::Taken => panic!("a replace takes no new key"),
        }
    }
}

/// Rotates the session to another key, and retries on conflicts.
async fn rotate(
    store: &Arc<dyn SessionStore>,
    old: StoreKey,
    new: StoreKey,
    mut current: Record,
    now: Timestamp,
    until: Timestamp,
) -> Record {
    loop {
        let moved = current.clone().with_etag(fresh_etag());
        match fine("rotate", store.rotate(&old, current.etag, &new, &moved, now, until).await) {
            Written::Applied => return moved,
            Written::Conflict(newer) => current = newer,
            other => panic!("nobody else ends this session; got {other:?}"),
        }
    }
}

async fn lines_under(t: &Trial, key: &StoreKey) -> BTreeSet<String> {
    let Loaded::Found(found) = t.load(key).await else { panic!("the session lives") };
    let text = String::from_utf8(found.payload.to_vec()).expect("the writers wrote text");
    assert_eq!(text.lines().count(), text.lines().collect::<BTreeSet<_>>().len(), "each line once");
    text.lines().map(str::to_owned).collect()
}

/// Forty writers have read the session before it is rotated; each of their lines is in it at the end.
pub async fn forty_writers_that_follow_a_rotation_lose_nothing(t: Trial) {
    write_through_rotations(&t, 1).await;
}

/// The same with several rotations in a row.
pub async fn writers_that_follow_rotations_in_a_row_lose_nothing(t: Trial) {
    for _ in 0..t.rounds().div_ceil(20) {
        write_through_rotations(&t, 4).await;
    }
}

async fn write_through_rotations(t: &Trial, rotations: usize) {
    let record = t.record("").with_owner(Some(t.owner()));
    let first = t.store_new(&record).await;
    let (now, until) = (t.now, t.until());
    let writers: Vec<_> = (0..40)
        .map(|number| {
            let record = record.clone();
            t.spawn(move |store| async move {
                append(&store, first, &format!("writer {number}\n"), record, now).await
            })
        })
        .collect();
    let keys: Vec<_> = (0..rotations).map(|_| t.key()).collect();
    let (last, mut key, mut current) = (*keys.last().expect("at least one"), first, record);
    for next in keys {
        current = rotate(&t.store, key, next, current, now, until).await;
        key = next;
    }
    for writer in writers {
        assert!(writer.await.expect("a writer comes to its end"), "the session lives");
    }
    assert_eq!(lines_under(t, &last).await.len(), 40);
    t.expect_tombstone(&first).await;
}

/// A sign-out that loaded the session before its rotation ends it under its current key, while other writers follow it.
pub async fn a_destroy_that_follows_a_rotation_ends_the_session(t: Trial) {
    for _ in 0..t.rounds().div_ceil(2) {
        let (old, record) = t.stored("").await;
        let (new, now, until) = (t.key(), t.now, t.until());
        let writers: Vec<_> = (0..2)
            .map(|number| {
                let record = record.clone();
                t.spawn(move |store| async move {
                    append(&store, old, &format!("{number}\n"), record, now).await;
                })
            })
            .collect();
        let current = record.clone();
        let rotation = t.spawn(move |store| async move {
            let mut current = current;
            loop {
                let moved = current.clone().with_etag(fresh_etag());
                match fine("rotate", store.rotate(&old, current.etag, &new, &moved, now, until).await) {
                    Written::Conflict(newer) => current = newer,
                    _ => return,
                }
            }
        });
        let end = t.spawn(move |store| async move {
            let mut key = old;
            while let Written::Moved { key: to, .. } = fine("destroy", store.destroy(&key, until).await) {
                key = to;
            }
        });
        end.await.expect("it comes to its end");
        rotation.await.expect("it comes to its end");
        for writer in writers {
            writer.await.expect("a writer comes to its end");
        }
        t.expect_dead(&old, now).await;
        t.expect_dead(&new, now).await;
    }
}
