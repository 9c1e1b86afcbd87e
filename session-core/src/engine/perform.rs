//! Performs the store operations of a commit; commits that contend for a session take turns.

use super::common::Engine;
use super::turns::Turn;
use crate::decision::commit::{StoreOp, Writing};
use crate::value::answer::{StoreError, Written};
use crate::value::id::{Etag, StoreKey};

/// Performs all operations of a commit. Returns the key under which a record was written, if one was.
pub(crate) async fn perform_all(engine: &Engine, writing: &mut Writing) -> Option<StoreKey> {
    let (mut turn, mut written) = (None, None);
    if let Some((key, _)) = contended(writing)
        && engine.turns.has_queue(&key)
    {
        turn = Some(take_turn(engine, writing, key).await);
    }
    while let Some(op) = writing.step() {
        let answer = perform(engine, op).await;
        let has_lost = matches!(answer, Ok(Written::Conflict(_)));
        if let (
            Ok(Written::Applied),
            StoreOp::Create { key, .. } | StoreOp::Replace { key, .. } | StoreOp::Rotate { new: key, .. },
        ) = (&answer, op)
        {
            written = Some(*key);
        }
        let has_moved = matches!(answer, Ok(Written::Moved { .. }));
        if let (Some(turn), Ok(Written::Applied), StoreOp::Replace { record, .. }) = (&mut turn, &answer, op)
        {
            turn.leave(record);
        }
        writing.answer(answer, &engine.policy, || engine.clock.now(), || engine.fresh());
        if has_moved {
            // The queue of the old key leads nowhere any more.
            turn = None;
        }
        if let (None, Some((key, _))) = (&turn, contended(writing))
            && (has_lost || has_moved && engine.turns.has_queue(&key))
        {
            turn = Some(take_turn(engine, writing, key).await);
        }
    }
    written
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

/// Waits until those in front are done, and goes on from what the last of them wrote: the store need not be asked to
/// find out that the commit stands on an older record.
async fn take_turn<'t>(engine: &'t Engine, writing: &mut Writing, key: StoreKey) -> Turn<'t> {
    let turn = engine.turns.take(key).await;
    let now = engine.clock.now();
    writing.give_up_if_late(&engine.policy, now);
    if let (Some(latest), Some((_, expected))) = (turn.latest(), contended(writing))
        && latest.etag != expected
    {
        let conflict = Ok(Written::Conflict(latest.clone()));
        writing.answer(conflict, &engine.policy, || now, || engine.fresh());
    }
    turn
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
