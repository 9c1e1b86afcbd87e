//! Races: many writers at once, and a session that ends while writers are in flight.

use std::collections::BTreeSet;
use std::sync::Arc;

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, SessionStore, StoreKey, Written},
};

use super::Trial;
use super::trial::{HOUR, SECOND, fine, fresh_etag};

/// Adds a line to the session by compare-and-swap, and retries on conflicts. Returns false once the session is gone or
/// rotated.
async fn append(
    store: &Arc<dyn SessionStore>,
    key: &StoreKey,
    line: &str,
    mut current: Record,
    now: Timestamp,
) -> bool {
    loop {
        let mut payload = current.payload.to_vec();
        payload.extend_from_slice(line.as_bytes());
        let next = current.clone().with_etag(fresh_etag()).with_payload(payload.into());
        match fine("replace", store.replace(key, current.etag, &next, now).await) {
            Written::Applied => return true,
            Written::Conflict(newer) => current = newer,
            Written::Gone | Written::Moved { .. } => return false,
            Written::Taken => panic!("a replace takes no new key"),
        }
    }
}

/// Sixty-four writers start from the same read; each of their lines is in the record at the end.
pub async fn sixty_four_writers_lose_nothing(t: Trial) {
    let (key, record) = t.stored("").await;
    let now = t.now;
    let writers: Vec<_> = (0..64)
        .map(|number| {
            let record = record.clone();
            t.spawn(move |store| async move {
                append(&store, &key, &format!("writer {number}\n"), record, now).await
            })
        })
        .collect();
    for writer in writers {
        assert!(writer.await.unwrap(), "the session lives");
    }
    let Loaded::Found(found) = t.load(&key).await else { panic!("the session lives") };
    let text = String::from_utf8(found.payload.to_vec()).expect("the writers wrote text");
    let lines: BTreeSet<_> = text.lines().collect();
    assert_eq!((lines.len(), text.lines().count()), (64, 64), "each line is there, and once");
}

/// Of many writes with the same etag, one is applied and all others are conflicts.
pub async fn of_many_writers_on_one_etag_one_wins(t: Trial) {
    for _ in 0..t.rounds().div_ceil(4) {
        let (key, record) = t.stored("start").await;
        let now = t.now;
        let writers: Vec<_> = (0..8)
            .map(|number| {
                let (expected, next) = (record.etag, t.record(format!("writer {number}")));
                t.spawn(move |store| async move {
                    (fine("replace", store.replace(&key, expected, &next, now).await), next)
                })
            })
            .collect();
        let mut winner = None;
        for writer in writers {
            match writer.await.unwrap() {
                (Written::Applied, next) => assert!(winner.replace(next).is_none(), "one wins, not two"),
                (Written::Conflict(_), _) => {}
                (other, _) => panic!("a writer wins or hears of a conflict; got {other:?}"),
            }
        }
        t.expect_record(&key, &winner.expect("one wins")).await;
    }
}

/// Of many creates under one key, one is applied.
pub async fn of_many_creates_under_one_key_one_wins(t: Trial) {
    for _ in 0..t.rounds().div_ceil(4) {
        let (key, now) = (t.key(), t.now);
        let creations: Vec<_> = (0..8)
            .map(|number| {
                let record = t.record(format!("creator {number}"));
                t.spawn(move |store| async move {
                    (fine("create", store.create(&key, &record, now).await), record)
                })
            })
            .collect();
        let mut winner = None;
        for creation in creations {
            match creation.await.unwrap() {
                (Written::Applied, record) => assert!(winner.replace(record).is_none(), "one wins, not two"),
                (Written::Taken, _) => {}
                (other, _) => panic!("a create applies or the key is taken; got {other:?}"),
            }
        }
        t.expect_record(&key, &winner.expect("one wins")).await;
    }
}

/// A destroy against writers in flight: in any order, the session stays destroyed.
pub async fn a_slow_writer_does_not_revive_a_destroyed_session(t: Trial) {
    for _ in 0..t.rounds() {
        let (key, record) = t.stored("").await;
        let (now, until) = (t.now, t.until());
        let writers: Vec<_> = (0..4)
            .map(|number| {
                let record = record.clone();
                t.spawn(move |store| async move {
                    append(&store, &key, &format!("{number}\n"), record, now).await;
                })
            })
            .collect();
        let touch = t.spawn(move |store| async move { store.touch(&key, now.plus(HOUR * 4), now).await });
        let end = t.spawn(move |store| async move { store.destroy(&key, until).await });
        fine("destroy", end.await.unwrap());
        fine("touch", touch.await.unwrap());
        for writer in writers {
            writer.await.unwrap();
        }
        t.expect_tombstone(&key).await;
    }
}

/// A rotation against writers in flight: the old key has ended afterwards, and no write acknowledged before is lost.
pub async fn a_slow_writer_does_not_revive_a_rotated_key(t: Trial) {
    for _ in 0..t.rounds() {
        let (old, record) = t.stored("").await;
        let (new, now, until) = (t.key(), t.now, t.until());
        let writers: Vec<_> = (0..4)
            .map(|number| {
                let record = record.clone();
                t.spawn(move |store| async move {
                    let line = format!("{number}\n");
                    append(&store, &old, &line, record, now).await.then_some(line)
                })
            })
            .collect();
        let rotation = t.spawn(move |store| async move {
            let mut current = record;
            loop {
                let moved = current.clone().with_etag(fresh_etag());
                match fine("rotate", store.rotate(&old, current.etag, &new, &moved, now, until).await) {
                    Written::Applied => return moved,
                    Written::Conflict(newer) => current = newer,
                    other => panic!("nobody else ends this session; got {other:?}"),
                }
            }
        });
        let moved = rotation.await.unwrap();
        let text = String::from_utf8(moved.payload.to_vec()).expect("the writers wrote text");
        for writer in writers {
            if let Some(line) = writer.await.unwrap() {
                assert!(text.contains(&line), "an acknowledged write went along");
            }
        }
        t.expect_tombstone(&old).await;
        t.expect_record(&new, &moved).await;
    }
}

/// Two concurrent rotations of one session: exactly one new key is live, and the other does not exist.
pub async fn of_two_rotations_at_once_one_key_is_alive(t: Trial) {
    for _ in 0..t.rounds() {
        let (old, record) = t.stored("{}").await;
        let (now, until) = (t.now, t.until());
        let rotations = [1, 2].map(|number| {
            let (new, expected) = (t.key(), record.etag);
            let moved = t.record(format!("rotation {number}"));
            t.spawn(move |store| async move {
                let written = store.rotate(&old, expected, &new, &moved, now, until).await;
                (fine("rotate", written), new, moved)
            })
        });
        let mut alive = 0;
        for rotation in rotations {
            match rotation.await.unwrap() {
                (Written::Applied, new, moved) => {
                    alive += 1;
                    t.expect_record(&new, &moved).await;
                }
                (Written::Moved { .. }, new, _) => t.expect_missing(&new).await,
                (other, ..) => panic!("a rotation applies or finds the session moved; got {other:?}"),
            }
        }
        assert_eq!(alive, 1, "exactly one of the two is alive");
        t.expect_tombstone(&old).await;
    }
}

/// A concurrent reader sees the session under one key: reading the new key and then the old one never finds two live
/// records, and reading the old key and then the new one never finds none.
pub async fn a_rotation_is_one_step_to_a_reader(t: Trial) {
    for _ in 0..t.rounds() {
        let (old, record) = t.stored("{}").await;
        let (new, moved) = (t.key(), t.record("moved"));
        let (now, until) = (t.now, t.until());
        let reader = t.spawn(move |store| async move {
            let found = |loaded| matches!(loaded, Loaded::Found(_));
            for _ in 0..200 {
                if found(fine("load", store.load(&new).await)) {
                    let old_alive = found(fine("load", store.load(&old).await));
                    assert!(!old_alive, "once the new key is alive the old one is dead");
                    return;
                }
                if !found(fine("load", store.load(&old).await)) {
                    let new_alive = found(fine("load", store.load(&new).await));
                    assert!(new_alive, "once the old key is dead the new one is alive");
                    return;
                }
                tokio::task::yield_now().await;
            }
        });
        let expected = record.etag;
        let rotation =
            t.spawn(move |store| async move { store.rotate(&old, expected, &new, &moved, now, until).await });
        assert_eq!(fine("rotate", rotation.await.unwrap()), Written::Applied);
        reader.await.unwrap();
    }
}

/// A destroy against a rotation: in any order the old key has ended, and the new one is live only if the rotation came
/// first.
pub async fn a_destroy_racing_with_a_rotation_leaves_the_old_key_dead(t: Trial) {
    for _ in 0..t.rounds() {
        let (old, record) = t.stored("{}").await;
        let (new, moved) = (t.key(), t.record("moved"));
        let (now, until, expected, kept) = (t.now, t.until(), record.etag, moved.clone());
        let rotation =
            t.spawn(move |store| async move { store.rotate(&old, expected, &new, &kept, now, until).await });
        let end = t.spawn(move |store| async move { store.destroy(&old, until).await });
        let rotated = fine("rotate", rotation.await.unwrap());
        fine("destroy", end.await.unwrap());
        t.expect_tombstone(&old).await;
        match rotated {
            Written::Applied => t.expect_record(&new, &moved).await,
            Written::Gone => t.expect_missing(&new).await,
            other => panic!("a rotation applies or finds the key gone; got {other:?}"),
        }
    }
}

/// Touches concurrent with writes: no write is lost, no touch changes the etag, and the latest deadline stays.
pub async fn touches_among_writers_lose_nothing(t: Trial) {
    let (key, record) = t.stored("").await;
    let now = t.now;
    let latest = record.idle_deadline.plus(SECOND * 16);
    // The writers write the latest deadline themselves: a replace may move it back, a touch may not.
    let start = record.clone().with_idle_deadline(latest);
    let first = start.with_etag(fresh_etag());
    assert_eq!(t.replace(&key, record.etag, &first).await, Written::Applied);
    let touches: Vec<_> = (1..=16)
        .map(|second| {
            let later = record.idle_deadline.plus(SECOND * second);
            t.spawn(move |store| async move { store.touch(&key, later, now).await })
        })
        .collect();
    let writers: Vec<_> = (0..16)
        .map(|number| {
            let first = first.clone();
            t.spawn(
                move |store| async move { append(&store, &key, &format!("{number}\n"), first, now).await },
            )
        })
        .collect();
    for touch in touches {
        assert_eq!(fine("touch", touch.await.unwrap()), Written::Applied);
    }
    for writer in writers {
        assert!(writer.await.unwrap(), "the session lives");
    }
    let Loaded::Found(found) = t.load(&key).await else { panic!("the session lives") };
    let text = String::from_utf8(found.payload.to_vec()).expect("the writers wrote text");
    assert_eq!(text.lines().collect::<BTreeSet<_>>().len(), 16);
    assert_eq!(found.idle_deadline, latest);
}

/// A concurrent reader sees whole records only: etag, payload and owner of the same write.
pub async fn readers_never_see_half_a_record(t: Trial) {
    const WRITES: u64 = 100;
    let make = |number: u64, base: &Record| {
        base.clone()
            .with_etag(Etag::new(number))
            .with_created(base.created)
            .with_owner(Some(format!("owner {number}").into()))
            .with_payload(number.to_string().repeat(1 + number as usize % 50).into_bytes().into())
    };
    let base = t.record("");
    let key = t.store_new(&make(1, &base)).await;
    let shape = base.clone();
    let readers = [0; 3].map(|_| {
        let base = shape.clone();
        t.spawn(move |store| async move {
            loop {
                let Loaded::Found(found) = fine("load", store.load(&key).await) else {
                    panic!("the session is always there")
                };
                let number = found.etag.get();
                super::trial::assert_same(&found, &make(number, &base));
                if number == WRITES {
                    return;
                }
                tokio::task::yield_now().await;
            }
        })
    });
    for number in 1..WRITES {
        let written = t.replace(&key, Etag::new(number), &make(number + 1, &base)).await;
        assert_eq!(written, Written::Applied);
        tokio::task::yield_now().await;
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

/// Two hundred sessions written concurrently keep their own records.
pub async fn many_sessions_at_once_do_not_mix(t: Trial) {
    let now = t.now;
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let (key, first, second) =
                (t.key(), t.record(format!("a{number}")), t.record(format!("b{number}")));
            t.spawn(move |store| async move {
                assert_eq!(fine("create", store.create(&key, &first, now).await), Written::Applied);
                let written = store.replace(&key, first.etag, &second, now).await;
                assert_eq!(fine("replace", written), Written::Applied);
                (key, second)
            })
        })
        .collect();
    for task in tasks {
        let (key, record) = task.await.unwrap();
        t.expect_record(&key, &record).await;
    }
}

/// A dropped call is applied entirely or not at all: the record is the old or the new one, and can be written.
pub async fn a_dropped_call_leaves_one_record_or_the_other(t: Trial) {
    for polls in 0..t.rounds().min(40) {
        let (key, first) = t.stored("first").await;
        let second = t.record("second");
        let (store, expected, next, now) = (Arc::clone(&t.store), first.etag, second.clone(), t.now);
        {
            let mut call = store.replace(&key, expected, &next, now);
            for _ in 0..polls {
                if futures_util::future::poll_immediate(call.as_mut()).await.is_some() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let third = t.record("third");
        let mut expected = first.etag;
        // The dropped call may still be applied later: the write is then a conflict, and the next attempt uses its record.
        loop {
            match t.replace(&key, expected, &third).await {
                Written::Applied => break,
                Written::Conflict(found) => {
                    super::trial::assert_same(&found, &second);
                    expected = found.etag;
                }
                other => panic!("the session lives; got {other:?}"),
            }
        }
        t.expect_record(&key, &third).await;
    }
}
