//! A visit's changes on their way to the store, apart from the state that they came from.
//!
//! [`Commit`](super::Commit) joins the two. The engine keeps the state where handlers go on reading and changing it while
//! the store is asked, so it holds them separately.

use super::attempt::{Attempt, head, idle_deadline};
use super::{CommitError, CookieOrder, Fresh, Outcome, StoreOp};
use crate::decision::decide::{
    CookieAction, Decision, Fate, NOTHING, Refusal, Situation, Trigger, Write, decide,
};
use crate::decision::policy::Policy;
use crate::decision::state::{NewerFormat, Over, SessionState};
use crate::value::answer::{StoreError, StoreErrorKind, Written};
use crate::value::content::{Changes, Content, Unreadable};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// A visit's changes between [`begin`](Self::begin) and [`finish`](Self::finish), both on the same state.
#[derive(Debug)]
#[must_use = "dropped, it loses the changes of its visit: `finish` it"]
pub(crate) struct Writing {
    decision: Decision,
    /// What it was decided from; `None` when the session was over already.
    situation: Option<Situation>,
    now: Timestamp,
    changes: Changes,
    attempt: Attempt,
    /// What stands now: the content that the last attempt wrote, where it was a replay.
    // Boxed, since it is moved about and hardly ever replayed.
    replayed: Option<Box<Content>>,
    conflicts: u32,
    answer: Option<Result<(), CommitError>>,
}

impl Writing {
    /// Decides, and takes the visit's changes out of the state. `draw` is asked only if something is to be written.
    ///
    /// # Errors
    /// [`CommitError::Entropy`] if `draw` failed, and [`CommitError::TooLarge`] before any call; the state is as it
    /// was then, with its changes.
    pub(crate) fn begin<E>(
        state: &mut SessionState,
        policy: &Policy,
        trigger: Trigger,
        now: Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) -> Result<Self, CommitError> {
        let situation = state.over.is_none().then(|| state.situation(policy, trigger, now));
        let decision = situation.map_or(NOTHING, decide);
        if let Some(refusal) = decision.refusal
            && matches!(trigger, Trigger::Commit | Trigger::DetachedCommit)
        {
            // An explicit commit returns the error; a response does not fail because of it.
            return Err(match refusal {
                Refusal::NoResponse => CommitError::NoResponse,
                Refusal::Unseen => CommitError::Unseen,
                Refusal::Unproven => CommitError::Unproven,
            });
        }
        if decision.drops_data {
            state.drop_data();
        }
        let needs_fresh = !matches!(
            (decision.write, decision.cookie),
            (Write::Nothing | Write::Touch | Write::Destroy, CookieAction::Keep | CookieAction::Clear)
        );
        let fresh = match needs_fresh {
            true => Some(draw().map_err(|_| CommitError::Entropy)?),
            false => None,
        };
        if fresh.as_ref().is_some_and(|fresh| fresh.id.is_none()) && !state.keeps_its_id() {
            return Err(CommitError::Entropy);
        }
        let changes = state.content.take_changes();
        let attempt = Attempt::plan(state, policy, now, decision, &changes, fresh);
        let writing =
            Self { decision, situation, now, changes, attempt, replayed: None, conflicts: 0, answer: None };
        match writing.attempt.too_large(policy) {
            Some(error) => {
                writing.undo(state);
                Err(error)
            }
            None => Ok(writing),
        }
    }

    /// Hands the changes back, as if this commit had never begun. Only before its first step.
    pub(crate) fn undo(self, state: &mut SessionState) {
        if let (false, Some(id)) = (state.keeps_its_id(), self.attempt.id) {
            state.next_id = Some(Box::new(id));
        }
        state.content.put_back(self.changes);
    }

    /// The record that is to go into the cookie, if one is.
    pub(crate) fn carried(&self) -> Option<&Record> {
        self.attempt.record.as_ref().filter(|_| self.decision.cookie == CookieAction::SetRecord)
    }

    /// The operation that a store must perform next; `None` when the commit is ready to finish.
    #[must_use]
    pub(crate) fn step(&self) -> Option<&StoreOp> {
        self.attempt.op.as_ref()
    }

    /// What the browser will be told if the next operation applies.
    #[must_use]
    pub(crate) fn decision(&self) -> Decision {
        self.decision
    }

    /// Whether what the old id stands for is over once the last operation applied.
    pub(crate) fn ends_a_session(&self) -> bool {
        let destroys = self.situation.is_some_and(|then| then.fate == Fate::Destroy);
        let write = self.decision.write;
        write == Write::Rotate
            || (destroys && (write != Write::Nothing || self.decision.cookie == CookieAction::Clear))
    }

    /// Tells what came of the operation. `now` is the time at this moment: replaying ends with
    /// [`CommitError::Contended`] when the policy's patience is over.
    pub(crate) fn answer<E>(
        &mut self,
        answer: Result<Written, StoreError>,
        policy: &Policy,
        now: impl FnOnce() -> Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) {
        let revokes = matches!(self.attempt.op, Some(StoreOp::Revoke { .. }));
        let settled = match answer {
            Ok(Written::Applied) => Ok(()),
            // It stands in the list already.
            Ok(Written::Taken | Written::Conflict(_) | Written::Gone) if revokes => Ok(()),
            Ok(Written::Gone) => Err(CommitError::Gone),
            Ok(Written::Taken) => match draw() {
                // Two ids of 256 bits met: a broken generator, or a double. The next id is another one.
                Ok(Fresh { id: Some(id), .. }) if self.conflicts < MOST_TAKEN => {
                    self.conflicts += 1;
                    self.attempt.rename(id);
                    return;
                }
                Ok(Fresh { id: Some(_), .. }) => Err(CommitError::Contended),
                Ok(Fresh { id: None, .. }) | Err(_) => Err(CommitError::Entropy),
            },
            Ok(Written::Conflict(current)) => {
                self.conflicts += 1;
                match self.replay(current, policy, now(), draw) {
                    Ok(()) => return,
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(match error.kind() {
                StoreErrorKind::TooLarge { size, limit } => CommitError::TooLarge { size, limit },
                _ => CommitError::Store(error),
            }),
        };
        self.attempt.op = None;
        self.answer = Some(settled);
    }

    fn replay<E>(
        &mut self,
        current: Record,
        policy: &Policy,
        now: Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) -> Result<(), CommitError> {
        if self.now.until(now) >= policy.contention || self.conflicts > MOST_CONFLICTS {
            return Err(CommitError::Contended);
        }
        let content = match Content::decode(&current.payload, current.owner.clone()) {
            Ok(content) => content,
            Err(Unreadable::Corrupt) => return Err(CommitError::Gone),
            Err(Unreadable::Newer) => return Err(CommitError::Newer(NewerFormat)),
        };
        let fresh = draw().map_err(|_| CommitError::Entropy)?;
        let content = content.replay(&self.changes);
        let (payload, entries) = content.encode(&self.changes, fresh.etag);
        let record = head(Some(&current), &self.changes, policy, self.now)
            .with_etag(fresh.etag)
            .with_payload(payload)
            .with_owner(content.owner.clone())
            .with_idle_deadline(idle_deadline(&content, &self.changes, policy, self.now));
        match &mut self.attempt.op {
            Some(
                StoreOp::Replace { expected, record: next, .. }
                | StoreOp::Rotate { expected, record: next, .. },
            ) => {
                *expected = current.etag;
                next.clone_from(&record);
            }
            Some(
                StoreOp::Create { .. }
                | StoreOp::Touch { .. }
                | StoreOp::Destroy { .. }
                | StoreOp::Revoke { .. },
            )
            | None => {
                // These verbs have no expectation that could be disappointed; a store that says so is broken.
                return Err(CommitError::Gone);
            }
        }
        self.attempt.record = Some(record);
        self.attempt.entries = entries;
        self.replayed = Some(Box::new(content));
        match self.attempt.too_large(policy) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Leaves a refresh out that another request of this process is about to make: the rest of the visit ends as if it
    /// were not due. Only for a commit whose one step is a [`StoreOp::Touch`].
    pub(crate) fn skip(&mut self) {
        self.attempt.op = None;
        self.attempt.touched = None;
        if let Some(situation) = self.situation {
            self.decision = decide(Situation { refresh_due: false, ..situation });
        }
        self.answer = Some(Ok(()));
    }

    /// Ends with [`CommitError::Contended`] if the policy's patience is over: for a driver that has waited before trying
    /// again.
    pub(crate) fn give_up_if_late(&mut self, policy: &Policy, now: Timestamp) {
        if self.attempt.op.is_some() && self.now.until(now) >= policy.contention {
            self.attempt.op = None;
            self.answer = Some(Err(CommitError::Contended));
        }
    }

    /// Hands the result back to the state: on success it stands on what was written and the cookie instruction is
    /// released into it; on an error the changes are back in front of what came since; on `Gone` they are dropped.
    pub(crate) fn finish(self, state: &mut SessionState, policy: &Policy) -> Outcome {
        let Self { decision, situation, now: _, changes, attempt, replayed, conflicts, answer } = self;
        let result = match answer {
            Some(result) => result,
            // Nothing was to be stored, so nothing was in the way.
            None if attempt.op.is_none() => Ok(()),
            None => Err(CommitError::Contended),
        };
        match &result {
            Ok(()) => {
                let order = attempt.order(state, policy, decision);
                state.signed_in |=
                    changes.signs_in() || situation.is_some_and(|then| then.fate == Fate::Renew);
                attempt.settle(state, decision, situation.map(|then| then.fate), replayed);
                if !matches!(order, CookieOrder::Keep) {
                    state.cookie = Some(Box::new(order));
                }
            }
            Err(CommitError::Gone) => {
                state.over = Some(Over::Gone);
                state.cookie = None;
                state.base = None;
                state.content = Content::default();
            }
            Err(_) => state.content.put_back(changes),
        }
        Outcome { result, decision, conflicts }
    }
}

/// How often a new id may turn out to be in use.
const MOST_TAKEN: u32 = 3;
/// How often others may write first, for a caller whose clock stands still.
const MOST_CONFLICTS: u32 = 10_000;
