//! Models of the locking protocol, which Shuttle runs under thousands of schedules.

use std::sync::Arc;

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, StoreKey, Written},
};
use shuttle::thread;

use crate::inner::{Inner, Left};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn key(name: u8) -> StoreKey {
    StoreKey::from_bytes([name; 32])
}

fn record(etag: u64, owner: Option<&str>) -> Record {
    Record::new(Etag::new(etag), at(0), at(100), b"{}".to_vec().into()).with_owner(owner.map(Into::into))
}

fn check(model: impl Fn() + Send + Sync + 'static) {
    shuttle::check_random(model, 2_000);
}

fn found(inner: &Inner, name: u8) -> bool {
    matches!(inner.load(&key(name)), Loaded::Found(_))
}

fn count(inner: &Inner) -> usize {
    let mut owned = inner.owned_by("ada");
    std::iter::from_fn(|| (!owned.is_done()).then(|| inner.count_next(&mut owned, "ada", at(0)))).sum()
}

fn end_all(inner: &Inner) -> usize {
    let mut owned = inner.owned_by("ada");
    let steps = std::iter::from_fn(|| {
        (!owned.is_done()).then(|| inner.end_next(&mut owned, "ada", None, at(0), at(60)))
    });
    steps.sum::<usize>() + inner.end_rest("ada", None, at(0), at(60))
}

#[test]
fn of_two_writers_on_one_etag_one_wins() {
    check(|| {
        let inner = Arc::new(Inner::new(2, 100, usize::MAX));
        inner.create(&key(1), &record(1, None), at(0));
        let writers = [2, 3].map(|etag| {
            let inner = Arc::clone(&inner);
            thread::spawn(move || inner.replace(&key(1), Etag::new(1), &record(etag, None), at(0)))
        });
        let written = writers.map(|writer| writer.join().expect("it does not panic"));
        assert_eq!(written.iter().filter(|written| **written == Written::Applied).count(), 1);
    });
}

#[test]
fn of_two_rotations_one_wins_and_nothing_deadlocks() {
    check(|| {
        let inner = Arc::new(Inner::new(4, 100, usize::MAX));
        inner.create(&key(1), &record(1, Some("ada")), at(0));
        inner.create(&key(4), &record(1, Some("ada")), at(0));
        // The third one locks in the opposite direction: it rotates another session to its own store key.
        let rotations = [(1, 2), (1, 3), (4, 5)].map(|(old, new)| {
            let inner = Arc::clone(&inner);
            thread::spawn(move || {
                let record = record(u64::from(new), Some("ada"));
                inner.rotate(&key(old), Etag::new(1), &key(new), &record, at(0), at(60))
            })
        });
        let written = rotations.map(|rotation| rotation.join().expect("it does not panic"));
        assert_eq!(written.iter().filter(|written| **written == Written::Applied).count(), 2);
        assert_eq!((1..=5).filter(|name| found(&inner, *name)).count(), 2);
        assert_eq!(count(&inner), 2);
    });
}

#[test]
fn ending_all_sessions_misses_none_that_is_being_rotated() {
    check(|| {
        let inner = Arc::new(Inner::new(4, 100, usize::MAX));
        inner.create(&key(1), &record(1, Some("ada")), at(0));
        let rotation = {
            let inner = Arc::clone(&inner);
            thread::spawn(move || {
                inner.rotate(&key(1), Etag::new(1), &key(2), &record(2, Some("ada")), at(0), at(60))
            })
        };
        let end = {
            let inner = Arc::clone(&inner);
            thread::spawn(move || end_all(&inner))
        };
        rotation.join().expect("it does not panic");
        assert_eq!(end.join().expect("it does not panic"), 1);
        assert!(!found(&inner, 1) && !found(&inner, 2));
        assert_eq!(count(&inner), 0);
    });
}

#[test]
fn a_session_that_is_being_rotated_counts_once() {
    check(|| {
        let inner = Arc::new(Inner::new(4, 100, usize::MAX));
        inner.create(&key(1), &record(1, Some("ada")), at(0));
        let rotations = {
            let inner = Arc::clone(&inner);
            thread::spawn(move || {
                for (old, new) in [(1, 2), (2, 3)] {
                    let record = record(u64::from(new), Some("ada"));
                    inner.rotate(&key(old), Etag::new(old.into()), &key(new), &record, at(0), at(60));
                }
            })
        };
        assert_eq!(count(&inner), 1);
        rotations.join().expect("it does not panic");
        assert_eq!(count(&inner), 1);
    });
}

#[test]
fn evictions_and_sweeps_keep_the_index_and_the_counters_true() {
    check(|| {
        let inner = Arc::new(Inner::new(2, 2, usize::MAX));
        let creations = [1, 2, 3].map(|name| {
            let inner = Arc::clone(&inner);
            thread::spawn(move || {
                inner.create(&key(name), &record(u64::from(name), Some("ada")), at(0));
            })
        });
        let sweep = {
            let inner = Arc::clone(&inner);
            thread::spawn(move || {
                (0..2).map(|shard| inner.sweep_shard(shard, &mut Left::all(), at(50), 10)).sum::<usize>()
            })
        };
        creations.into_iter().for_each(|creation| creation.join().expect("it does not panic"));
        assert_eq!(sweep.join().expect("it does not panic"), 0, "nobody was dead");
        let alive = (1..=3).filter(|name| found(&inner, *name)).count();
        assert_eq!((inner.counters.entries(), count(&inner)), (alive, alive));
        assert!(alive <= 2);
    });
}
