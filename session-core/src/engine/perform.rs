//! Performs what a commit orders, one operation after the other; who has to fight for a session takes turns at it.

use super::sessions::Inner;
use super::store::SessionStore;
use super::turns::Turn;
use crate::decision::commit::{Commit, StoreOp};
use crate::value::answer::{StoreError, Written};
use crate::value::id::{Etag, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// A commit, and what must be put on the list of revocations before the browser hears of it.
pub(crate) struct Work {
    pub(super) commit: Commit,
    pub(super) revoke: Option<(StoreKey, Record)>,
    pub(super) begun: Timestamp,
}

impl Work {
    /// Nobody has to be asked.
    pub(crate) fn is_settled(&self) -> bool {
        self.commit.step().is_none() && self.revoke.is_none()
    }
}

/// All operations of a commit, up to the one that settles it.
pub(crate) async fn perform_all(sessions: &Inner, work: &mut Work) {
    let Work { commit, revoke, begun } = work;
    if let Some((key, record)) = revoke
        && let Err(error) = sessions.revoke(key, record).await
    {
        commit.fail(error);
        return;
    }
    let mut turn = None;
    if let Some((key, _)) = fought_over(commit)
        && sessions.turns.has_queue(&key)
    {
        turn = Some(take_turn(sessions, commit, key).await);
    }
    while let Some(op) = commit.step() {
        let answer = match &sessions.store {
            Some(store) => perform(sessions, store.as_ref(), op).await,
            // Without a store the table orders no operation.
            None => Ok(Written::Gone),
        };
        let has_lost = matches!(answer, Ok(Written::Conflict(_)));
        if let (Some(turn), Ok(Written::Applied), StoreOp::Replace { record, .. }) = (&mut turn, &answer, op)
        {
            turn.leave(record);
        }
        // Only who has to try again asks how late it is.
        let now = if has_lost { sessions.clock.now() } else { *begun };
        commit.answer(answer, &sessions.policy, now, || sessions.fresh());
        if let (true, None, Some((key, _))) = (has_lost, &turn, fought_over(commit)) {
            turn = Some(take_turn(sessions, commit, key).await);
        }
    }
}

/// The session that others may write first, and the version that the commit wants to write over.
fn fought_over(commit: &Commit) -> Option<(StoreKey, Etag)> {
    match commit.step() {
        Some(StoreOp::Replace { key, expected, .. } | StoreOp::Rotate { old: key, expected, .. }) => {
            Some((*key, *expected))
        }
        Some(StoreOp::Create { .. } | StoreOp::Touch { .. } | StoreOp::Destroy { .. }) | None => None,
    }
}

/// Waits until those in front are done, and goes on from what the last of them wrote: the store need not be asked to
/// find out that the commit stands on an older record.
async fn take_turn<'t>(sessions: &'t Inner, commit: &mut Commit, key: StoreKey) -> Turn<'t> {
    let turn = sessions.turns.take(key).await;
    let now = sessions.clock.now();
    commit.give_up_if_late(&sessions.policy, now);
    if let (Some(latest), Some((_, expected))) = (turn.latest(), fought_over(commit))
        && latest.etag != expected
    {
        commit.answer(Ok(Written::Conflict(latest.clone())), &sessions.policy, now, || sessions.fresh());
    }
    turn
}

async fn perform(sessions: &Inner, store: &dyn SessionStore, op: &StoreOp) -> Result<Written, StoreError> {
    match op {
        StoreOp::Create { key, record, now } => {
            store.create(key, &*sessions.seal(store, key, record)?, *now).await
        }
        StoreOp::Replace { key, expected, record, now } => {
            let written = store.replace(key, *expected, &*sessions.seal(store, key, record)?, *now).await;
            sessions.read_conflict(key, written?)
        }
        StoreOp::Touch { key, idle_deadline, now } => {
            let touched = store.touch(key, *idle_deadline, *now).await;
            if !matches!(touched, Ok(Written::Applied)) {
                sessions.touches.release(key);
            }
            touched
        }
        StoreOp::Destroy { key, tombstone_until } => {
            store.destroy(key, *tombstone_until).await.map(|()| Written::Applied)
        }
        StoreOp::Rotate { old, expected, new, record, now, tombstone_until } => {
            let record = sessions.seal(store, new, record)?;
            let written = store.rotate(old, *expected, new, &record, *now, *tombstone_until).await;
            sessions.read_conflict(old, written?)
        }
    }
}
