//! The commit as a step machine: store operations one after the other, then one instruction for the cookie.
//!
//! [`Commit::begin`] takes the state of a visit and decides. As long as [`Commit::step`] returns a [`StoreOp`], perform
//! it and pass the result to [`Commit::answer`]. On a conflict the changes are replayed on the current record, and the
//! next step is another attempt. When `step` returns `None`, [`Commit::finish`] returns the state and the outcome.
//! Nothing here awaits, reads a clock or makes randomness, so any server can drive it, with or without async.
//!
//! Guarantees: the cookie instruction is released only after the last operation was applied; `Gone` and every error
//! release none; no change is dropped without an error.

mod answering;
mod attempt;
mod error;
mod exchange;
mod group;
mod siblings;
mod writing;

pub use error::CommitError;
pub use exchange::{CookieOrder, Fresh, Outcome, StoreOp};
pub(crate) use group::Group;
pub(crate) use writing::Writing;

use super::decide::{Decision, Trigger};
use super::policy::Policy;
use super::state::SessionState;
use crate::value::answer::{StoreError, Written};
use crate::value::cookie::format::Scope;
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// A commit in progress. It owns the state, so that it cannot be finished on another one.
///
/// ```
/// use session_core::machine::{Access, Arrival, Commit, CookieOrder, Fresh, SessionState, StoreOp, table::Trigger};
/// use session_core::Policy;
/// use session_core::{error::EntropyError, adapter::{Clock as _, SystemClock}, store::{Loaded, Written}};
///
/// let (now, policy) = (SystemClock.now(), Policy::default());
/// let mut state = SessionState::open(Arrival::without_cookie(), Ok(Loaded::Missing), Access::Full, now)?;
/// state.data_mut().put("theme", "dark")?;
///
/// let draw = || Ok::<_, EntropyError>(Fresh::from_bytes(&[7; 64]));
/// let mut commit = Commit::begin(state, &policy, Trigger::Response, SystemClock.now(), draw)?;
/// while let Some(operation) = commit.step() {
///     // Perform it on whatever keeps your sessions, and tell what came of it.
///     assert!(matches!(operation, StoreOp::Create { .. }));
///     commit.answer(Ok(Written::Applied), || SystemClock.now(), draw);
/// }
/// let (state, outcome) = commit.finish();
/// assert!(outcome.result.is_ok());
/// assert!(matches!(state.cookie(), CookieOrder::SetId { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "dropped, it loses the changes of its visit: `finish` it"]
pub struct Commit<'p> {
    state: SessionState,
    policy: &'p Policy,
    writing: Box<Writing>,
}

impl<'p> Commit<'p> {
    /// Decides, and takes the visit's changes out of the state. Calls `draw` only if something must be written.
    ///
    /// # Errors
    /// [`NotBegun`], which returns the state with its changes, if the order is refused ([`CommitError::Unseen`],
    /// [`CommitError::NoResponse`]), the random generator failed, or the session is too large.
    pub fn begin<E>(
        mut state: SessionState,
        policy: &'p Policy,
        trigger: Trigger,
        now: Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) -> Result<Self, Box<NotBegun>> {
        match Writing::begin(&mut state, policy, trigger, now, draw) {
            Ok(writing) => Ok(Self { state, policy, writing }),
            Err(error) => Err(Box::new(NotBegun { state, error })),
        }
    }

    /// Returns the operation that the store must perform next, or `None` when the commit is ready to finish. Returns
    /// the same operation until [`answer`](Self::answer) is called.
    #[must_use]
    pub fn step(&self) -> Option<&StoreOp> {
        self.writing.step()
    }

    /// Returns the decision.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.writing.decision()
    }

    /// Takes the result of the operation. `now` must read a clock: it is called if another request wrote first, and
    /// replaying ends with [`CommitError::Contended`] when the policy's patience is over. `draw` is called for another
    /// attempt.
    ///
    /// ```
    #[doc = include_str!("../../given/a_changed_session.in")]
    /// let mut commit = Commit::begin(state, &policy, Trigger::Response, now, &draw)?;
    /// // The store could not be reached: no cookie is set, and the changes are still in the state.
    /// commit.answer(Err(StoreError::unavailable("redis", "connection refused")), || now, &draw);
    /// let (state, outcome) = commit.finish();
    /// assert!(matches!(outcome.result, Err(CommitError::Store(_))));
    /// assert!(matches!(state.cookie(), CookieOrder::Keep) && state.is_changed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn answer<E>(
        &mut self,
        answer: Result<Written, StoreError>,
        now: impl FnOnce() -> Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) {
        self.writing.answer(answer, self.policy, now, draw);
    }

    /// Returns the state and the outcome. On success the state is based on what was written and holds the cookie
    /// instruction; on an error it has its changes again; on [`CommitError::Gone`] they are dropped.
    ///
    /// A commit whose operation was never answered ends with [`CommitError::Contended`].
    #[must_use = "the state holds what the browser must be told, and the outcome whether anything was written"]
    pub fn finish(mut self) -> (SessionState, Outcome) {
        let outcome = self.writing.finish(&mut self.state, self.policy);
        (self.state, outcome)
    }

    /// Returns the record that goes into the cookie, if there is one, and whether that cookie is persistent.
    pub(crate) fn carried(&self) -> Option<(&Record, bool)> {
        self.writing.carried()
    }

    /// Which of the cookie's domains the response's cookie has.
    pub(crate) fn scope(&self) -> Scope {
        self.state.scope()
    }

    /// Leaves out the next flash bag, since the record does not fit. `false` if there is none left.
    pub(crate) fn give_way(&mut self) -> bool {
        self.writing.give_way()
    }

    /// Puts the changes back, as if this commit had not begun. Only before its first answer.
    pub(crate) fn undo(mut self) -> SessionState {
        self.writing.undo(&mut self.state);
        self.state
    }
}

/// Returned when a commit does not begin. Holds the unchanged state.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
#[error("the session was not written")]
pub struct NotBegun {
    /// The state, with its changes.
    pub state: SessionState,
    /// Why.
    #[source]
    pub error: CommitError,
}
