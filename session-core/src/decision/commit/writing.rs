//! The changes of a visit while they are being written, separate from the state that they were taken from.
//!
//! [`Commit`](super::Commit) holds both. The engine keeps the state accessible to handlers during the store call, so it
//! holds them separately.

use super::attempt::{Attempt, head, idle_deadline};
use super::{CommitError, CookieOrder, Fresh, Outcome, StoreOp};
use crate::decision::decide::{
    CookieAction, Decision, Fate, NOTHING, Refusal, Situation, Trigger, Write, decide,
};
use crate::decision::moved::Loaded;
use crate::decision::policy::Policy;
use crate::decision::state::{NewerFormat, Over, SessionState};
use crate::value::answer::{StoreError, StoreErrorKind, Written};
use crate::value::content::{Changes, Content, Unreadable};
use crate::value::flash::FlashBag;
use crate::value::id::StoreKey;
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// A visit's changes between [`begin`](Self::begin) and [`finish`](Self::finish), both on the same state.
#[derive(Debug)]
#[must_use = "dropped, it loses the changes of its visit: `finish` it"]
pub(crate) struct Writing {
    decision: Decision,
    /// The situation that was decided on; `None` if the session had already ended.
    situation: Option<Situation>,
    now: Timestamp,
    changes: Changes,
    attempt: Attempt,
    /// The content that the last attempt wrote, if it was a replay.
    // Boxed, because it is moved often and rarely replayed.
    replayed: Option<Box<Content>>,
    /// The session that the visit loaded, if it has a user, and the key to which it has been followed since.
    loaded: Option<Loaded>,
    moved: Option<Box<StoreKey>>,
    conflicts: u32,
    gave_way: Vec<FlashBag>,
    answer: Option<Result<(), CommitError>>,
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
    ) -> Result<Self, CommitError> {
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
        if fresh.as_ref().is_some_and(|fresh| fresh.id.is_none()) && !keeps_its_id {
            return Err(CommitError::Entropy);
        }
        let changes = state.content.take_changes();
        let attempt = Attempt::plan(state, policy, now, decision, &changes, keeps_its_id, fresh);
        let mut writing = Self {
            decision,
            situation,
            now,
            changes,
            attempt,
            replayed: None,
            loaded: Loaded::of(state.base.as_ref()),
            moved: None,
            conflicts: 0,
            gave_way: Vec::new(),
            answer: None,
        };
        if let Err(error) = writing.fit(policy) {
            writing.undo(state);
            return Err(error);
        }
        Ok(writing)
    }

    /// Leaves out flash, bag by bag, until the record is no larger than the policy allows.
    fn fit(&mut self, policy: &Policy) -> Result<(), CommitError> {
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
    pub(crate) fn undo(self, state: &mut SessionState) {
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

    /// Takes the result of the operation. `now` is the current time: replaying ends with
    /// [`CommitError::Contended`] when the policy's patience is over.
    pub(crate) fn answer<E>(
        &mut self,
        answer: Result<Written, StoreError>,
        policy: &Policy,
        now: impl FnOnce() -> Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) {
        if matches!(self.attempt.op, Some(StoreOp::Revoke { .. } | StoreOp::Prolong { .. })) {
            return self.answer_revocation(answer);
        }
        let settled = match answer {
            Ok(Written::Applied) => Ok(()),
            Ok(Written::Gone) => Err(CommitError::Gone),
            Ok(Written::Taken) => match draw() {
                // A collision of two ids of 256 bits: a broken generator, or a test double. Another id is tried.
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
            Ok(Written::Moved { key, record }) => match self.follow(key, record, policy, now(), draw) {
                Ok(Followed::Again) => return,
                Ok(Followed::Done) => Ok(()),
                Err(error) => Err(error),
            },
            // The store's own limit may be lower than the policy's.
            Err(error) if matches!(error.kind(), StoreErrorKind::TooLarge { .. }) && self.give_way() => {
                return;
            }
            Err(error) => Err(failed(error)),
        };
        self.settle(settled);
    }

    fn settle(&mut self, result: Result<(), CommitError>) {
        self.attempt.op = None;
        self.answer = Some(result);
    }

    /// Takes the answer of the list of revocations. A note that stands there already was made from another copy of the
    /// cookie: it is lengthened where it ends too early, and the session has ended, so that only ending it again succeeds.
    fn answer_revocation(&mut self, answer: Result<Written, StoreError>) {
        let ends = self.situation.is_some_and(|then| then.fate == Fate::Destroy);
        let prolong = match (&self.attempt.op, answer) {
            (Some(StoreOp::Revoke { .. }), Ok(Written::Applied)) => return self.settle(Ok(())),
            (_, Ok(Written::Applied)) if ends => return self.settle(Ok(())),
            (_, Ok(Written::Applied)) => return self.settle(Err(CommitError::Gone)),
            (_, Err(error)) => return self.settle(Err(failed(error))),
            (Some(StoreOp::Revoke { key, record, now }), Ok(_)) => {
                StoreOp::Prolong { key: *key, idle_deadline: record.idle_deadline, now: *now }
            }
            // It ended between the two operations.
            (_, Ok(_)) => match self.attempt.note.clone() {
                Some(note) if self.conflicts < MOST_TAKEN => {
                    self.conflicts += 1;
                    self.attempt.op = Some(note);
                    return;
                }
                _ => return self.settle(Err(CommitError::Contended)),
            },
        };
        self.attempt.note = self.attempt.op.replace(prolong);
    }

    /// Goes on under the key to which a rotation has moved the session, if this visit may.
    fn follow<E>(
        &mut self,
        key: StoreKey,
        record: Record,
        policy: &Policy,
        now: Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) -> Result<Followed, CommitError> {
        let may_follow = self.loaded.as_ref().is_some_and(|loaded| loaded.continues_in(&record));
        self.conflicts += 1;
        match &self.attempt.op {
            // Another user's session, or a new one: what this visit came for has ended.
            Some(StoreOp::Destroy { .. }) if !may_follow => return Ok(Followed::Done),
            Some(StoreOp::Destroy { .. }) => self.check_patience(policy, now)?,
            Some(StoreOp::Replace { .. }) if may_follow => self.replay(record, policy, now, draw)?,
            // This very rotation applied, its answer was lost, and somebody has written since.
            Some(StoreOp::Rotate { new, .. }) if may_follow && *new == key => return Ok(Followed::Done),
            Some(StoreOp::Rotate { .. }) if may_follow => self.replay(record, policy, now, draw)?,
            _ => return Err(CommitError::Gone),
        }
        self.attempt.redirect(key);
        self.moved = Some(Box::new(key));
        if let Some(situation) = self.situation {
            self.decision = decide(Situation { moved: true, ..situation });
        }
        Ok(Followed::Again)
    }

    fn check_patience(&self, policy: &Policy, now: Timestamp) -> Result<(), CommitError> {
        match self.now.until(now) >= policy.contention || self.conflicts > MOST_CONFLICTS {
            true => Err(CommitError::Contended),
            false => Ok(()),
        }
    }

    fn replay<E>(
        &mut self,
        current: Record,
        policy: &Policy,
        now: Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) -> Result<(), CommitError> {
        self.check_patience(policy, now)?;
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
                | StoreOp::Revoke { .. }
                | StoreOp::Prolong { .. },
            )
            | None => {
                // These verbs expect no etag, so a store that answers with a conflict is broken.
                return Err(CommitError::Gone);
            }
        }
        self.attempt.record = Some(record);
        self.attempt.entries = entries;
        self.replayed = Some(Box::new(content));
        self.fit(policy)
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
    pub(crate) fn finish(self, state: &mut SessionState, policy: &Policy) -> Outcome {
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
        } = self;
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
                    changes.signs_in() || situation.is_some_and(|then| then.fate == Fate::Renew);
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
                state.content = Content::default();
            }
            Err(_) => state.content.put_back(changes),
        }
        Outcome { result, decision, conflicts, gave_way }
    }
}

fn failed(error: StoreError) -> CommitError {
    match error.kind() {
        StoreErrorKind::TooLarge { size, limit } => CommitError::TooLarge { size, limit },
        _ => CommitError::Store(error),
    }
}

/// What becomes of a commit whose session has moved.
enum Followed {
    /// It is tried again under the new key.
    Again,
    /// There is nothing left to do.
    Done,
}

/// How often a new id may be in use already.
const MOST_TAKEN: u32 = 3;
/// How often other requests may write first, for a caller whose clock does not advance.
const MOST_CONFLICTS: u32 = 10_000;
