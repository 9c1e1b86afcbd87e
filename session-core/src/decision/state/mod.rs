//! The state of one visit: where its session came from, what the request ordered, what it changed. No lock, no clock.
//!
//! Open it with what the cookie said and what the store held; change it; hand it to a [`Commit`](super::commit::Commit).
//! Everything a request may do to a session goes through here, and `&mut self` is all the synchronisation there is.

mod arrival;
mod change;
mod lifetimes;
mod load;
mod open;
mod read;

pub use arrival::{Arrival, Claim, Demand, DeviceCheck};
pub use load::{Access, LoadError, NewerFormat, Notice};

use super::commit::CookieOrder;
use super::decide::{Fate, NOTHING, Origin, Situation, Trigger, decide, drops_data};
use super::policy::Policy;
use crate::value::content::Content;
use crate::value::cookie::format::Scope;
use crate::value::id::{SessionId, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// The session of one visit.
///
/// ```
/// use session_core::machine::{Access, Arrival, SessionState};
/// use session_core::{Timestamp, store::Loaded};
///
/// let now = Timestamp::from_millis(0);
/// let mut state = SessionState::open(Arrival::without_cookie(), Ok(Loaded::Missing), Access::Full, now)?;
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
    /// The id that the next commit will set, if it was requested already.
    // Boxed, like the order: most visits have neither, and a state is moved about.
    pub(super) next_id: Option<Box<SessionId>>,
    /// The key under which the session is now, if another request gave it an id that this visit does not know.
    pub(super) moved: Option<Box<StoreKey>>,
    /// The record this visit stands on.
    pub(super) base: Option<Record>,
    pub(crate) content: Content,
    pub(super) came: bool,
    pub(super) old_key: bool,
    scope: Scope,
    pub(super) shows_nothing: bool,
    access: Access,
    /// The instruction about the cookie in the response, from the commits so far.
    pub(super) cookie: Option<Box<CookieOrder>>,
    /// How the session ended, if it did: destroyed by this visit, or by another.
    pub(super) over: Option<Over>,
    fresh: bool,
    pub(super) regenerated: bool,
    /// Whether this visit signed somebody in, as far as can be told: a new id, or another user.
    pub(super) signed_in: bool,
    notice: Option<Notice>,
}

/// How a visit's session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Destroyed,
    Gone,
}

impl SessionState {
    /// Returns the current input of [`decide`](crate::machine::table::decide). Content that a failure would drop does not
    /// count.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// state.data_mut().put("theme", "dark")?;
    /// let situation = state.situation(&Policy::default(), Trigger::Response, now);
    /// assert_eq!(decide(situation).write, Write::Create);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn situation(&self, policy: &Policy, trigger: Trigger, now: Timestamp) -> Situation {
        let (changed, wiped) = (self.content.is_changed(), self.content.is_wiped());
        let situation = self.situation_with(&self.content, policy, trigger, now);
        let situation = match drops_data(trigger, self.fate, changed, wiped) {
            true => self.situation_with(&self.stored_content(), policy, trigger, now),
            false => situation,
        };
        Situation { changed, wiped, ..situation }
    }

    fn situation_with(
        &self,
        content: &Content,
        policy: &Policy,
        trigger: Trigger,
        now: Timestamp,
    ) -> Situation {
        let something = content.has_something();
        let due = match &self.base {
            // An emptied session expires by itself; visits do not extend it.
            Some(base) => {
                let age = content.age().unwrap_or(policy.age);
                (something || policy.eager) && Policy::refresh_due(base.idle_deadline, age, now)
            }
            None => false,
        };
        Situation {
            placement: policy.placement,
            trigger,
            origin: self.origin,
            fate: self.fate_of(content.lifetime_changed()),
            changed: content.is_changed(),
            wiped: content.is_wiped(),
            something,
            refresh_due: due,
            persistent: content.persistent().unwrap_or(policy.persistent),
            reissue: self.old_key || content.lifetime_changed(),
            cookie_came: self.came,
            eager: policy.eager,
            revocable: policy.revocable,
            moved: self.moved.is_some(),
        }
    }

    /// Whether a commit at this moment would neither ask the store nor tell the browser anything, nor drop a change.
    pub(crate) fn needs_nothing(&self, policy: &Policy, trigger: Trigger, now: Timestamp) -> bool {
        self.over.is_some() || decide(self.situation(policy, trigger, now)) == NOTHING
    }

    /// Which of the cookie's domains the response's cookie has.
    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    /// Returns whether a commit would keep the id: the session has a valid one, and no new one was ordered.
    #[must_use]
    pub fn keeps_its_id(&self) -> bool {
        self.fate_of(self.content.lifetime_changed()) == Fate::Keep
            && matches!(self.origin, Origin::Stored | Origin::Carried)
    }

    /// Returns the id that the session has, or will have once it is written. Calls `draw` if no id was drawn yet. For a
    /// session that got a new id from another request meanwhile, it is the id that came in; [`key`](Self::key) is that
    /// of the new one.
    ///
    /// # Errors
    /// The error of `draw`.
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
        let ends = self.fate == Fate::Destroy && matches!(self.origin, Origin::Stored | Origin::Carried);
        if let (true, Some(id)) = (ends || self.keeps_its_id(), &self.id) {
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
