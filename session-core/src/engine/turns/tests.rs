//! Turns that are taken, handed on, given up and cancelled: no waiter waits forever, and no queue remains.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::convert::Infallible;

use super::*;
use crate::decision::commit::{CommitError, Fresh, StoreOp};
use crate::decision::decide::Trigger;
use crate::decision::policy::Policy;
use crate::decision::state::{Access, Arrival, SessionState};
use crate::value::answer::{Loaded, Written};
use crate::value::id::{Etag, SessionId};
use crate::value::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn key() -> StoreKey {
    SessionId::from_bytes([1; 32]).store_key()
}

fn draw() -> Result<Fresh, Infallible> {
    Ok(Fresh { id: Some(SessionId::from_bytes([2; 32])), etag: Etag::new(5), nonce: [0; 24] })
}

/// A visit that has added one to `n`, and perhaps wants a new id, and its commit.
fn begun(renews: bool) -> (SessionState, Box<Writing>) {
    let payload = br#"{"v":1,"data":{"n":1}}"#.as_slice().into();
    let record = Record::new(Etag::new(1), NOW, NOW.plus(Policy::default().age), payload);
    let arrival = Arrival::with_id(SessionId::from_bytes([1; 32]));
    let mut state = SessionState::open(arrival, Ok(Loaded::Found(record)), Access::Full, NOW).unwrap();
    state.data_mut().increment("n").unwrap();
    if renews {
        state.regenerate(|| Ok::<_, Infallible>(String::new())).unwrap();
    }
    let begun = Writing::begin(&mut state, &Policy::default(), Trigger::Response, NOW, draw).unwrap();
    (state, begun)
}

fn writing() -> Box<Writing> {
    begun(false).1
}

/// How many queues there are; the number that is looked at first says the same.
fn held(turns: &Turns) -> usize {
    let held = turns.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
    assert_eq!(turns.queues.load(Ordering::Relaxed), held);
    held
}

fn poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    match Pin::new(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn turn<'t>(mut waiting: Waiting<'t>) -> (Turn<'t>, Box<Writing>) {
    match poll(&mut waiting) {
        Some(Place::Turn(turn, writing)) => (turn, writing),
        other => panic!("{other:?}"),
    }
}

#[test]
fn there_is_a_queue_for_as_long_as_somebody_has_a_turn() {
    let turns = Turns::default();
    assert!(!turns.has_queue(&key()));
    let (first, _) = turn(turns.wait(key(), writing()));
    assert!(turns.has_queue(&key()) && !turns.has_queue(&StoreKey::from_bytes([3; 32])));
    drop(first);
    assert!(!turns.has_queue(&key()));
}

#[test]
fn a_turn_is_handed_on_in_order_with_what_was_written() {
    let turns = Turns::default();
    let (mut first, _) = turn(turns.wait(key(), writing()));
    let mut waiting = [0; 3].map(|_| turns.wait(key(), writing()));
    assert!(waiting.iter_mut().all(|waiting| poll(waiting).is_none()));
    let Some(StoreOp::Replace { record, .. }) = writing().step().cloned() else { panic!() };
    first.latest = Some(record.clone());
    drop(first);
    for mut next in waiting {
        let Some(Place::Turn(turn, _)) = poll(&mut next) else { panic!("its turn has come") };
        assert_eq!(turn.latest.as_ref(), Some(&record));
    }
    assert_eq!(held(&turns), 0);
}

#[test]
fn who_stops_waiting_leaves_no_queue_and_holds_nobody_up() {
    for its_turn_has_come in [false, true] {
        let turns = Turns::default();
        let (first, _) = turn(turns.wait(key(), writing()));
        let mut second = turns.wait(key(), writing());
        let mut third = turns.wait(key(), writing());
        assert!(poll(&mut second).is_none() && poll(&mut third).is_none());
        if its_turn_has_come {
            drop(first);
            assert!(poll(&mut third).is_none());
            drop(second);
        } else {
            drop(second);
            assert!(poll(&mut third).is_none());
            drop(first);
        }
        assert!(matches!(poll(&mut third), Some(Place::Turn(..))));
        drop(third);
        assert_eq!(held(&turns), 0);
    }
}

#[test]
fn a_turn_takes_along_those_behind_it_up_to_one_that_wants_a_new_id() {
    let turns = Turns::default();
    let (first, own) = turn(turns.wait(key(), writing()));
    let mut joined = [0; 2].map(|_| turns.wait(key(), writing()));
    let left = turns.wait(key(), writing());
    let mut renews = turns.wait(key(), begun(true).1);
    let mut behind = turns.wait(key(), writing());
    drop(left);
    let mut batch = first.take_along(own);
    batch.group().chain(&Policy::default(), NOW, draw);
    batch.group().answer(Ok(Written::Applied), &Policy::default(), NOW, draw);
    assert!(joined.iter_mut().all(|waiting| poll(waiting).is_none()), "not yet");
    let (own, _) = batch.finish();
    assert!(own.step().is_none());
    for waiting in &mut joined {
        let Some(Place::Back(back)) = poll(waiting) else { panic!("it is done") };
        assert!(back.step().is_none());
    }
    assert!(poll(&mut renews).is_none() && poll(&mut behind).is_none());
    drop(first);
    assert!(matches!(poll(&mut renews), Some(Place::Turn(..))));
    assert!(matches!(poll(&mut behind), Some(Place::Turn(..))));
    drop((renews, behind, joined));
    assert_eq!(held(&turns), 0);
}

#[test]
fn a_request_of_a_group_gets_an_error_when_the_writing_request_is_interrupted() {
    let turns = Turns::default();
    let (first, own) = turn(turns.wait(key(), writing()));
    let (mut state, writing) = begun(false);
    let mut taken = turns.wait(key(), writing);
    assert!(poll(&mut taken).is_none());
    let mut late = {
        let mut batch = first.take_along(own);
        batch.group().chain(&Policy::default(), NOW, draw);
        turns.wait(key(), self::writing())
        // The runtime of the one that writes shuts down in the middle of its call.
    };
    drop(first);
    let Some(Place::Back(back)) = poll(&mut taken) else { panic!("it waits for ever") };
    let result = back.finish(&mut state, &Policy::default()).result;
    assert!(matches!(result, Err(CommitError::Store(_))) && state.is_changed());
    assert!(matches!(poll(&mut late), Some(Place::Turn(..))), "who had not been taken along has its turn");
    drop(late);
    assert_eq!(held(&turns), 0);
}

#[test]
fn no_more_are_taken_along_than_a_turn_may() {
    let turns = Turns::default();
    let (first, own) = turn(turns.wait(key(), writing()));
    let waiting: Vec<_> = (0..100).map(|_| turns.wait(key(), writing())).collect();
    let batch = first.take_along(own);
    assert_eq!(batch.slots.len(), MOST_FOLLOWERS);
    drop((batch, first, waiting));
    assert_eq!(held(&turns), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_on_several_threads_none_waits_for_ever() {
    let (turns, done) = (Arc::new(Turns::default()), Arc::new(AtomicUsize::new(0)));
    let tasks = (0..500).map(|nth| {
        let (turns, done) = (turns.clone(), done.clone());
        tokio::spawn(async move {
            let mut waiting = turns.wait(key(), writing());
            let place = match nth % 7 {
                // It looks once, and stops waiting.
                0 => poll(&mut waiting),
                _ => Some((&mut waiting).await),
            };
            if let Some(Place::Turn(turn, own)) = place {
                let batch = turn.take_along(own);
                tokio::task::yield_now().await;
                done.fetch_add(1 + batch.slots.len(), Ordering::SeqCst);
                drop(batch.finish());
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert!(done.load(Ordering::SeqCst) >= 500 - 72, "those that wait are done");
    assert_eq!(held(&turns), 0);
}
