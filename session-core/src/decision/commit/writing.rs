//! The changes of a visit while they are being written, separate from the state that they were taken from.
//!
//! [`Commit`](super::Commit) holds both. The engine keeps the state accessible to handlers during the store call, so it
//! holds them separately.

use super::attempt::Attempt;
use super::{CommitError, CookieOrder, Fresh, Outcome, StoreOp};
use crate::decision::decide::{
    CookieAction, Decision, Fate, NOTHING, Origin, Placement, Refusal, Situation, Trigger, Write, decide,
};
use crate::decision::moved::Loaded;
use crate::decision::policy::Policy;
use crate::decision::state::{Over, SessionState};
use crate::value::content::{Changes, Content};
use crate::value::flash::FlashBag;
use crate::value::id::{SessionId, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// A visit's changes between [`begin`](Self::begin) and [`finish`](Self::finish), both on the same state.
#[derive(Debug)]
#[must_use = "dropped, it loses the changes of its visit: `finish` it"]
pub(crate) struct Writing {
    pub(super) decision: Decision,
    /// The situation that was decided on; `None` if the session had already ended.
    pub(super) situation: Option<Situation>,
    pub(super) now: Timestamp,
    pub(super) changes: Changes,
    pub(super) attempt: Attempt,
    /// The content that the last attempt wrote, if it was a replay.
    // Boxed, because it is moved often and rarely replayed.
    pub(super) replayed: Option<Box<Content>>,
    /// The session that the visit loaded, if it has a user, and the key to which it has been followed since.
    pub(super) loaded: Option<Loaded>,
    pub(super) moved: Option<Box<StoreKey>>,
    /// The id that the request came with, if sessions are in a store.
    pub(super) came_with: Option<SessionId>,
    /// Whether the commit has joined the session that a sibling signed in.
    pub(super) joined: bool,
    pub(super) conflicts: u32,
    pub(super) gave_way: Vec<FlashBag>,
    pub(super) answer: Option<Result<(), CommitError>>,
}

impl Writing {
    /// Decides, and takes the visit's changes out of the state. `draw` is asked only if something is to be written.
    ///
    /// # Errors
    /// [`CommitError::Entropy`] if `draw` failed, and [`CommitError::TooLarge`] before any call; the state keeps
    /// its changes then.
    pub(crate) fn begin<E>(
        state: &mut SessionState,
        policy: &Policy,
        trigger: Trigger,
        now: Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) -> Result<Box<Self>, CommitError> {
        match trigger {
            Trigger::Commit | Trigger::DetachedCommit => state.content.flash.hold(state.shows_nothing),
            Trigger::Response | Trigger::FailedResponse | Trigger::Abandoned => state.content.flash.release(),
        }
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
        let keeps_its_id = state.keeps_its_id();
        if let (Write::Rotate, Some(fresh)) = (decision.write, &fresh) {
            state.tell_siblings(fresh.id.as_ref());
        }
        if fresh.as_ref().is_some_and(|fresh| fresh.id.is_none()) && !keeps_its_id {
            return Err(CommitError::Entropy);
        }
        let changes = state.content.take_changes();
        let attempt = Attempt::plan(state, policy, now, decision, &changes, keeps_its_id, fresh);
        // In its box from the beginning, because it is moved often: into a group, to whoever writes for it, and back.
        let mut writing = Box::new(Self {
            decision,
            situation,
            now,
            changes,
            attempt,
            replayed: None,
            loaded: Loaded::of(state.base.as_ref()),
            came_with: state.id.clone().filter(|_| policy.placement == Placement::Store),
            joined: false,
            moved: None,
            conflicts: 0,
            gave_way: state.content.flash.take_gave_way(),
            answer: None,
        });
        if let Err(error) = writing.fit(policy) {
            writing.undo(state);
            return Err(error);
        }
        if situation.is_some_and(|then| then.origin == Origin::Ended) {
            writing.look_for_siblings(state.key());
        }
        Ok(writing)
    }

    /// Leaves out flash, bag by bag, until the record is no larger than the policy allows.
    pub(super) fn fit(&mut self, policy: &Policy) -> Result<(), CommitError> {
        while let Some(error) = self.attempt.too_large(policy) {
            if !self.give_way() {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Leaves out the next flash bag, since the record does not fit. `false` if there is none left.
    pub(crate) fn give_way(&mut self) -> bool {
        let bag = self.attempt.give_way();
        self.gave_way.extend(bag.filter(|bag| !self.gave_way.contains(bag)));
        bag.is_some()
    }

    /// Puts the changes back, as if this commit had not begun. Only before its first step.
    pub(crate) fn undo(self: Box<Self>, state: &mut SessionState) {
        state.content.put_back(self.changes);
        if let (false, Some(id)) = (state.keeps_its_id(), self.attempt.id) {
            state.next_id = Some(Box::new(id));
        }
    }

    /// Returns the record that goes into the cookie, if there is one, and whether that cookie is persistent.
    pub(crate) fn carried(&self) -> Option<(&Record, bool)> {
        let record =
            self.attempt.record.as_ref().filter(|_| self.decision.cookie == CookieAction::SetRecord)?;
        Some((record, self.situation.is_some_and(|then| then.persistent)))
    }

    /// Returns the operation that the store must perform next, or `None` when the commit is ready to finish.
    #[must_use]
    pub(crate) fn step(&self) -> Option<&StoreOp> {
        self.attempt.op.as_ref()
    }

    /// Returns the key under which a record was written, once that has happened.
    pub(crate) fn written(&self) -> Option<StoreKey> {
        let written = matches!(self.answer, Some(Ok(()))) && self.attempt.record.is_some();
        let moved = self.moved.as_deref().filter(|_| self.decision.write != Write::Rotate);
        let id = || self.attempt.id.as_ref().map(SessionId::store_key);
        moved.copied().or_else(id).filter(|_| written)
    }

    /// Returns the cookie instruction that applies if the next operation is applied.
    #[must_use]
    pub(crate) fn decision(&self) -> Decision {
        self.decision
    }

    /// Returns whether the old id is invalid once the last operation was applied.
    pub(crate) fn ends_a_session(&self) -> bool {
        let destroys = self.situation.is_some_and(|then| then.fate == Fate::Destroy);
        let write = self.decision.write;
        write == Write::Rotate
            || (destroys && (write != Write::Nothing || self.decision.cookie == CookieAction::Clear))
    }

    /// Skips a refresh that another request of this process is about to make, as if it were not due. Only for a commit whose one step is a [`StoreOp::Touch`].
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

    /// Applies the result to the state. On success, what was written becomes its base and the cookie instruction is
    /// released; on an error, the changes are put back before those made since; on `Gone`, they are dropped.
    pub(crate) fn finish(self: Box<Self>, state: &mut SessionState, policy: &Policy) -> Outcome {
        let Self {
            decision,
            situation,
            now,
            changes,
            attempt,
            replayed,
            moved,
            conflicts,
            gave_way,
            answer,
            ..
        } = *self;
        let result = match answer {
            Some(result) => result,
            // There was nothing to store, so nothing can have failed.
            None if attempt.op.is_none() => Ok(()),
            None => Err(CommitError::Contended),
        };
        match &result {
            Ok(()) => {
                let order = attempt.order(state, policy, now, decision);
                state.signed_in |=
                    changes.signs_in().is_some() || situation.is_some_and(|then| then.fate == Fate::Renew);
                attempt.settle(state, decision, situation.map(|then| then.fate), replayed, moved);
                match (state.cookie.as_deref_mut(), order) {
                    (_, CookieOrder::Keep) => {}
                    // An earlier commit of this visit has a record to send, which brings its idle deadline itself.
                    (
                        Some(CookieOrder::SetRecord { record, .. }),
                        CookieOrder::SetTouch { idle_deadline, .. },
                    ) => {
                        record.idle_deadline = idle_deadline;
                    }
                    (_, order) => state.cookie = Some(Box::new(order)),
                }
            }
            Err(CommitError::Gone) => {
                state.over = Some(Over::Gone);
                state.cookie = None;
                state.base = None;
                state.content.become_content(Content::default());
            }
            Err(_) => state.content.put_back(changes),
        }
        Outcome { result, decision, conflicts, gave_way }
    }
}
