//! The machine of one visit: where its session came from, what the request ordered, what it changed. No lock, no clock.
//!
//! Open it with what the cookie said and what the store held; change it; hand it to a [`Commit`](super::commit::Commit).
//! Everything a request may do to a session goes through here, and `&mut self` is all the synchronisation there is.

mod arrival;
mod change;
mod open;
mod read;

pub use arrival::{Arrival, Claim};
pub use open::{NewerFormat, Notice};

use super::commit::CookieOrder;
use super::decide::{Fate, NOTHING, Origin, Situation, decide};
use super::policy::Policy;
use crate::value::content::Content;
use crate::value::id::SessionId;
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// One visit's session.
///
/// ```
/// use session_core::machine::{Arrival, SessionState};
/// use session_core::{Timestamp, store::Loaded};
///
/// let now = Timestamp::from_millis(0);
/// let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
/// assert!(state.is_fresh());
/// state.data_mut().put("theme", "dark")?;
/// assert!(state.is_changed());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SessionState {
    pub(super) origin: Origin,
    pub(super) fate: Fate,
    /// The id that came in, or that this visit's last commit made. An unknown one is never kept: it cannot be adopted.
    pub(super) id: Option<SessionId>,
    /// The id that the next commit will give, if somebody asked for it already.
    // Boxed, like the order: most visits have neither, and a state is moved about.
    pub(super) next_id: Option<Box<SessionId>>,
    /// The record this visit stands on.
    pub(super) base: Option<Record>,
    pub(crate) content: Content,
    pub(super) came: bool,
    pub(super) old_key: bool,
    /// What the response will say about the cookie, as far as commits have settled it.
    pub(super) cookie: Option<Box<CookieOrder>>,
    /// This visit's session is over: destroyed here, or gone elsewhere.
    pub(super) over: Option<Over>,
    fresh: bool,
    pub(super) regenerated: bool,
    notice: Option<Notice>,
}

/// How a visit's session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Destroyed,
    Gone,
}

impl SessionState {
    /// What the decision depends on, as things stand.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// state.data_mut().put("theme", "dark")?;
    /// let situation = state.situation(&Policy::default(), now);
    /// assert_eq!(decide(situation).write, Write::Create);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn situation(&self, policy: &Policy, now: Timestamp) -> Situation {
        let something = self.content.has_something();
        let due = match &self.base {
            // An emptied session lapses by itself; nobody's visit keeps it.
            Some(base) => {
                (something || policy.eager) && Policy::refresh_due(base.idle_deadline, self.age(policy), now)
            }
            None => false,
        };
        Situation {
            placement: policy.placement,
            origin: self.origin,
            fate: self.fate,
            changed: self.content.is_changed(),
            something,
            refresh_due: due,
            persistent: self.is_persistent(policy),
            reissue: self.old_key || self.content.lifetime_changed(),
            cookie_came: self.came,
            eager: policy.eager,
        }
    }

    /// Whether a commit at this moment would neither ask the store nor tell the browser anything.
    pub(crate) fn needs_nothing(&self, policy: &Policy, now: Timestamp) -> bool {
        self.over.is_some() || decide(self.situation(policy, now)) == NOTHING
    }

    /// Whether a commit would leave its id as it is: it has one that the server stands by, and nobody ordered another.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// assert!(state.keeps_its_id());
    /// state.destroy();
    /// assert!(!state.keeps_its_id());
    /// ```
    #[must_use]
    pub fn keeps_its_id(&self) -> bool {
        self.fate == Fate::Keep && matches!(self.origin, Origin::Stored | Origin::Carried)
    }

    /// The id that the session has, or will have once it is written; `draw` is asked if none was drawn yet.
    ///
    /// # Errors
    /// Whatever `draw` fails with.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// let draw = || Ok::<_, Infallible>(SessionId::from_bytes([9; 32]));
    /// let id = state.id_to_be(draw)?;
    /// // Asked again, it is the same one; nothing more is drawn.
    /// assert_eq!(state.id_to_be(|| -> Result<_, Infallible> { panic!("it is known already") })?, id);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn id_to_be<E>(&mut self, draw: impl FnOnce() -> Result<SessionId, E>) -> Result<SessionId, E> {
        let settled = self.fate != Fate::Renew && matches!(self.origin, Origin::Stored | Origin::Carried);
        if let (true, Some(id)) = (settled, &self.id) {
            return Ok(id.clone());
        }
        if let Some(id) = &self.next_id {
            return Ok(SessionId::clone(id));
        }
        let id = draw()?;
        self.next_id = Some(Box::new(id.clone()));
        Ok(id)
    }
}
