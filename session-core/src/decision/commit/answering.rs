//! The answers of the store to a commit: what is tried again, on which record, and when the commit ends.

use super::attempt::{head, idle_deadline};
use super::writing::Writing;
use super::{CommitError, Fresh, StoreOp};
use crate::decision::decide::{Fate, Situation, decide};
use crate::decision::policy::Policy;
use crate::decision::state::NewerFormat;
use crate::value::answer::{StoreError, StoreErrorKind, Written};
use crate::value::content::{Content, Unreadable};
use crate::value::id::StoreKey;
use crate::value::record::Record;
use crate::value::time::Timestamp;

impl Writing {
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
            return self.answer_revocation(answer, policy, draw);
        }
        let settled = match answer {
            Ok(Written::Applied) => Ok(()),
            Ok(Written::Gone) => match self.begin_anew(policy, draw) {
                Ok(()) => return,
                Err(error) => Err(error),
            },
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
                let goes_on = match self.may_replay(&current) {
                    true => self.replay(current, policy, now(), draw),
                    false => self.begin_anew(policy, draw),
                };
                match goes_on {
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

    /// Ends it with this result.
    pub(super) fn settle(&mut self, result: Result<(), CommitError>) {
        self.attempt.op = None;
        self.answer = Some(result);
    }

    /// Ends a commit that nobody performs any more, though it may have been applied.
    pub(crate) fn interrupt(&mut self) {
        if self.step().is_some() {
            let stopped = StoreError::unavailable("session", "the request that was writing has been stopped");
            self.settle(Err(CommitError::Store(stopped)));
        }
    }

    /// Takes the answer of the list of revocations. A note that stands there already was made from another copy of the
    /// cookie: it is lengthened where it ends too early, and the session has ended, so that only ending it again succeeds, or
    /// signing in, which begins another.
    fn answer_revocation<E>(
        &mut self,
        answer: Result<Written, StoreError>,
        policy: &Policy,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) {
        let ends = self.situation.is_some_and(|then| then.fate == Fate::Destroy);
        let prolong = match (&self.attempt.op, answer) {
            (Some(StoreOp::Revoke { .. }), Ok(Written::Applied)) => return self.settle(Ok(())),
            (_, Ok(Written::Applied)) if ends => return self.settle(Ok(())),
            (_, Ok(Written::Applied)) => {
                let begun = self.begin_anew(policy, draw);
                return self.settle(begun);
            }
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
            _ => {
                self.sign_in_elsewhere(key, record, policy, now, draw)?;
                return Ok(Followed::Again);
            }
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

    /// Replays the changes on another record, and makes the operation that writes over it.
    pub(super) fn replay<E>(
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
        let there = content.sibling().filter(|_| self.joined);
        let mut content = content.replay(&self.changes);
        if self.joined {
            // Of further siblings, too, this is the session.
            content.set_sibling(there.as_deref());
        }
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
