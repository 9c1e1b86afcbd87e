//! Performs the store operations of a commit; commits that contend for a session take turns, and are written together.

use super::common::Engine;
use super::turns::{Place, Turn};
use crate::decision::commit::{StoreOp, Writing};
use crate::value::answer::{StoreError, Written};
use crate::value::id::{Etag, StoreKey};

/// Performs all operations of a commit.
pub(crate) async fn perform_all(engine: &Engine, mut writing: Box<Writing>) -> Box<Writing> {
    let queued = |writing: &Writing| contended(writing).filter(|(key, _)| engine.turns.has_queue(key));
    let mut queue = queued(&writing);
    while let Some(op) = writing.step() {
        if let Some((key, _)) = queue {
            writing = match engine.turns.wait(key, writing).await {
                Place::Turn(turn, own) if own.joins() => together(engine, turn, own).await,
                Place::Turn(turn, own) => alone(engine, turn, own).await,
                Place::Back(back) => back,
            };
            // Not done yet, it has moved to another key, where there may be a queue as well.
            queue = queued(&writing);
            continue;
        }
        let answer = perform(engine, op).await;
        let (has_lost, has_moved) = (is_lost(&answer), is_moved(&answer));
        writing.answer(answer, &engine.policy, || engine.clock.now(), || engine.fresh());
        queue = match has_moved {
            true => queued(&writing),
            false => contended(&writing).filter(|_| has_lost),
        };
    }
    writing
}

/// Writes this commit together with those that wait behind it.
async fn together(engine: &Engine, mut turn: Turn<'_>, own: Box<Writing>) -> Box<Writing> {
    let draw = || engine.fresh_without_id();
    let mut batch = turn.take_along(own);
    batch.group().chain(&engine.policy, engine.clock.now(), draw);
    while let Some(op) = batch.group().step() {
        let answer = perform(engine, op).await;
        batch.group().answer(answer, &engine.policy, engine.clock.now(), draw);
    }
    let (own, latest) = batch.finish();
    turn.latest = latest;
    own
}

/// Performs a commit in its turn, on what the turn before wrote: the store need not be asked to find out that the commit
/// stands on an older record.
async fn alone(engine: &Engine, mut turn: Turn<'_>, mut own: Box<Writing>) -> Box<Writing> {
    let now = engine.clock.now();
    own.give_up_if_late(&engine.policy, now);
    if let (Some(latest), Some((_, expected))) = (&turn.latest, contended(&own))
        && latest.etag != expected
    {
        let conflict = Ok(Written::Conflict(latest.clone()));
        own.answer(conflict, &engine.policy, || now, || engine.fresh());
    }
    while let Some(op) = own.step() {
        let answer = perform(engine, op).await;
        let has_moved = is_moved(&answer);
        if let (Ok(Written::Applied), StoreOp::Replace { record, .. }) = (&answer, op) {
            turn.latest = Some(record.clone());
        }
        own.answer(answer, &engine.policy, || engine.clock.now(), || engine.fresh());
        if has_moved {
            // The queue of the old key leads nowhere any more.
            break;
        }
    }
    own
}

fn is_lost(answer: &Result<Written, StoreError>) -> bool {
    matches!(answer, Ok(Written::Conflict(_)))
}

fn is_moved(answer: &Result<Written, StoreError>) -> bool {
    matches!(answer, Ok(Written::Moved { .. }))
}

/// The session that others may write first, and the version that the commit wants to write over.
fn contended(writing: &Writing) -> Option<(StoreKey, Etag)> {
    match writing.step()? {
        StoreOp::Replace { key, expected, .. } | StoreOp::Rotate { old: key, expected, .. } => {
            Some((*key, *expected))
        }
        StoreOp::Create { .. }
        | StoreOp::Touch { .. }
        | StoreOp::Destroy { .. }
        | StoreOp::Revoke { .. }
        | StoreOp::Prolong { .. } => None,
    }
}

async fn perform(engine: &Engine, op: &StoreOp) -> Result<Written, StoreError> {
    let place = match op {
        StoreOp::Revoke { .. } | StoreOp::Prolong { .. } => &engine.revocations,
        _ => &engine.store,
    };
    // The table orders nothing of a place that there is not.
    let Some(store) = place.as_deref() else { return Ok(Written::Gone) };
    match op {
        StoreOp::Create { key, record, now } | StoreOp::Revoke { key, record, now } => {
            store.create(key, record, *now).await
        }
        StoreOp::Replace { key, expected, record, now } => store.replace(key, *expected, record, *now).await,
        StoreOp::Touch { key, idle_deadline, now } => {
            let touched = store.touch(key, *idle_deadline, *now).await;
            if !matches!(touched, Ok(Written::Applied)) {
                engine.touches.release(key);
            }
            touched
        }
        StoreOp::Prolong { key, idle_deadline, now } => store.touch(key, *idle_deadline, *now).await,
        StoreOp::Destroy { key, tombstone_until } => store.destroy(key, *tombstone_until).await,
        StoreOp::Rotate { old, expected, new, record, now, tombstone_until } => {
            store.rotate(old, *expected, new, record, *now, *tombstone_until).await
        }
    }
}
