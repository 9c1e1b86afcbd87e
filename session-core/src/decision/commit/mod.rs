//! What must now happen, as a step machine: store operations one after the other, then one instruction for the cookie.
//!
//! The order of calls: [`Commit::begin`] takes the visit's changes out of its state and decides. Then, as long as
//! [`Commit::step`] gives a [`StoreOp`], perform it and tell [`Commit::answer`] what came of it; on a conflict the
//! changes are replayed on the record that is there now and the next step is another attempt. When `step` gives `None`,
//! [`Commit::finish`] hands the result back to the state. Nothing here awaits, reads a clock or makes randomness, so any
//! server can drive it, with or without async; dropping it half-way loses nothing but this visit's unwritten changes.
//!
//! What you may rely on: the cookie instruction is released only after the last operation applied; `Gone` and every
//! error release none; a change is never dropped without an error that says so.

mod attempt;
mod error;
mod exchange;

pub use error::CommitError;
pub use exchange::{CookieOrder, Fresh, Outcome, StoreOp};

use super::decide::{CookieAction, Decision, Situation, Write, decide};
use super::policy::Policy;
use super::state::{NewerFormat, Over, SessionState};
use crate::value::answer::{StoreError, StoreErrorKind, Written};
use crate::value::content::{Changes, Content, Unreadable};
use crate::value::record::Record;
use crate::value::time::Timestamp;
use attempt::{Attempt, head, idle_deadline};

/// A visit's changes on their way to the store. See the module's text for the protocol.
///
/// ```
/// use session_core::machine::{Commit, CookieOrder, Fresh, StoreOp};
/// use session_core::Policy;
/// use session_core::machine::{Arrival, SessionState};
/// use session_core::{EntropyError, Timestamp, store::{Loaded, Written}};
///
/// let now = Timestamp::from_millis(1_000);
/// let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
/// state.data_mut().put("theme", "dark")?;
///
/// let (policy, draw) = (Policy::default(), || Ok::<_, EntropyError>(Fresh::from_bytes(&[7; 64])));
/// let mut commit = Commit::begin(&mut state, &policy, now, draw)?;
/// while let Some(operation) = commit.step() {
///     // Perform it on whatever keeps your sessions, and tell what came of it.
///     assert!(matches!(operation, StoreOp::Create { .. }));
///     commit.answer(Ok(Written::Applied), &policy, now, draw);
/// }
/// assert!(commit.finish(&mut state, &policy).result.is_ok());
/// assert!(matches!(state.cookie(), CookieOrder::SetId { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Commit {
    decision: Decision,
    /// What it was decided from; `None` when the session was over already.
    situation: Option<Situation>,
    now: Timestamp,
    changes: Changes,
    attempt: Attempt,
    /// What stands now: the content that the last attempt wrote, where it was a replay.
    // Boxed, since a commit is moved about and hardly ever replayed.
    replayed: Option<Box<Content>>,
    conflicts: u32,
    answer: Option<Result<(), CommitError>>,
}

impl Commit {
    /// Decides, and takes the visit's changes out of the state. `draw` is asked only if something is to be written.
    ///
    /// # Errors
    /// [`CommitError::Entropy`] if `draw` failed, and [`CommitError::TooLarge`] before any call; the state is as it
    /// was then, with its changes.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// let (policy, draw) = (Policy::default(), || -> Result<Fresh, Infallible> { panic!("nothing is to be written") });
    /// // Nothing has changed: no operation, no randomness, no cookie.
    /// let commit = Commit::begin(&mut state, &policy, now, draw)?;
    /// assert!(commit.step().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn begin<E>(
        state: &mut SessionState,
        policy: &Policy,
        now: Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) -> Result<Self, CommitError> {
        let situation = state.over.is_none().then(|| state.situation(policy, now));
        let decision =
            situation.map_or(Decision { write: Write::Nothing, cookie: CookieAction::Keep }, decide);
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
        let commit =
            Self { decision, situation, now, changes, attempt, replayed: None, conflicts: 0, answer: None };
        match commit.attempt.too_large(policy) {
            Some(error) => {
                commit.undo(state);
                Err(error)
            }
            None => Ok(commit),
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
    ///
    /// ```
    #[doc = include_str!("../../given/a_changed_session.in")]
    /// let mut commit = Commit::begin(&mut state, &policy, now, &draw)?;
    /// assert!(commit.step().is_some());
    /// // Asked again, it is the same step, until there is an answer.
    /// assert_eq!(commit.step(), commit.step());
    /// commit.answer(Ok(Written::Applied), &policy, now, &draw);
    /// assert!(commit.step().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn step(&self) -> Option<&StoreOp> {
        self.attempt.op.as_ref()
    }

    /// What the browser will be told if the next operation applies.
    ///
    /// ```
    #[doc = include_str!("../../given/a_changed_session.in")]
    /// let mut commit = Commit::begin(&mut state, &policy, now, &draw)?;
    /// assert_eq!((commit.decision().write, commit.decision().cookie), (Write::Create, CookieAction::SetNew));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Tells what came of the operation. `now` is the time at this moment: replaying ends with
    /// [`CommitError::Contended`] when the policy's patience is over.
    ///
    /// ```
    #[doc = include_str!("../../given/a_changed_session.in")]
    /// let mut commit = Commit::begin(&mut state, &policy, now, &draw)?;
    /// // The store could not be reached: no cookie is set, and the changes are still in the state.
    /// let error = StoreError::unavailable("redis", "connection refused");
    /// commit.answer(Err(error), &policy, now, &draw);
    /// let outcome = commit.finish(&mut state, &policy);
    /// assert!(matches!(outcome.result, Err(CommitError::Store(_))));
    /// assert!(matches!(state.cookie(), CookieOrder::Keep) && state.is_changed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn answer<E>(
        &mut self,
        answer: Result<Written, StoreError>,
        policy: &Policy,
        now: Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) {
        let settled = match answer {
            Ok(Written::Applied) => Ok(()),
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
                match self.replay(current, policy, now, draw) {
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
        if self.now.until(now) >= policy.contention {
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
        let record = Record {
            etag: fresh.etag,
            payload,
            owner: content.owner.clone(),
            idle_deadline: idle_deadline(&content, &self.changes, policy, self.now),
            ..head(Some(&current), &self.changes, policy, self.now)
        };
        match &mut self.attempt.op {
            Some(
                StoreOp::Replace { expected, record: next, .. }
                | StoreOp::Rotate { expected, record: next, .. },
            ) => {
                *expected = current.etag;
                next.clone_from(&record);
            }
            Some(StoreOp::Create { .. } | StoreOp::Touch { .. } | StoreOp::Destroy { .. }) | None => {
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
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// let mut commit = Commit::begin(&mut state, &policy, late, draw)?;
    /// assert!(matches!(commit.step(), Some(StoreOp::Touch { .. })));
    /// // Another request of this process is about to do just that.
    /// commit.skip();
    /// assert!(commit.step().is_none() && commit.finish(&mut state, &policy).result.is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn skip(&mut self) {
        self.attempt.op = None;
        self.attempt.touched = None;
        if let Some(situation) = self.situation {
            self.decision = decide(Situation { refresh_due: false, ..situation });
        }
        self.answer = Some(Ok(()));
    }

    /// Ends with [`CommitError::Contended`] if the policy's patience is over: for a driver that has waited before trying
    /// again.
    ///
    /// ```
    #[doc = include_str!("../../given/a_changed_session.in")]
    /// let mut commit = Commit::begin(&mut state, &policy, now, &draw)?;
    /// commit.give_up_if_late(&policy, now.plus(policy.contention));
    /// assert!(commit.step().is_none());
    /// assert!(matches!(commit.finish(&mut state, &policy).result, Err(CommitError::Contended)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn give_up_if_late(&mut self, policy: &Policy, now: Timestamp) {
        if self.attempt.op.is_some() && self.now.until(now) >= policy.contention {
            self.attempt.op = None;
            self.answer = Some(Err(CommitError::Contended));
        }
    }

    /// Something outside of the store that must come first has failed: nothing is done, nothing is said.
    ///
    /// ```
    #[doc = include_str!("../../given/a_changed_session.in")]
    /// let mut commit = Commit::begin(&mut state, &policy, now, &draw)?;
    /// commit.fail(StoreError::timeout("memory"));
    /// assert!(matches!(commit.finish(&mut state, &policy).result, Err(CommitError::Store(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fail(&mut self, error: StoreError) {
        self.attempt.op = None;
        self.answer = Some(Err(CommitError::Store(error)));
    }

    /// Hands the result back to the state: on success it stands on what was written and the cookie instruction is
    /// released into it; on an error the changes are back in front of what came since; on `Gone` they are dropped.
    ///
    /// ```
    #[doc = include_str!("../../given/a_changed_session.in")]
    /// let mut commit = Commit::begin(&mut state, &policy, now, &draw)?;
    /// commit.answer(Ok(Written::Gone), &policy, now, &draw);
    /// let outcome = commit.finish(&mut state, &policy);
    /// assert!(matches!(outcome.result, Err(CommitError::Gone)));
    /// // Nothing was revived, and the browser's cookie is left alone.
    /// assert!(matches!(state.cookie(), CookieOrder::Keep) && state.is_destroyed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn finish(self, state: &mut SessionState, policy: &Policy) -> Outcome {
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
