//! The result of opening a request's cookies.

use crate::value::content::{self, Content};
use crate::value::cookie::format::Scope;
use crate::value::device::{Shown, Unproven};
use crate::value::id::SessionId;
use crate::value::record::Record;

/// The result of opening a request's cookies.
///
/// ```
/// # use session_core::machine::Arrival;
/// # use session_core::machine::SessionId;
/// let arrival = Arrival::with_id(SessionId::from_bytes([7; 32]));
/// assert!(arrival.came && !arrival.old_key);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Arrival {
    /// The content of the newest authentic cookie, unless it has expired.
    pub claim: Option<Claim>,
    /// The request had a cookie with the session's name, valid or not.
    pub came: bool,
    /// The cookie was sealed with an old key.
    pub old_key: bool,
    /// `SameSite` withheld the cookie from this cross-site request.
    pub withheld: bool,
    /// What is asked of a session that is bound to a device, and what the request shows for it.
    pub device: DeviceCheck,
    /// Which of the cookie's domains the request's host belongs to.
    pub(crate) scope: Scope,
    /// Whatever the response to this request is, the visitor sees nothing of it: a `HEAD`, or a page that is loaded ahead
    /// of time.
    pub shows_nothing: bool,
}

/// What is asked of a session that is bound to a device, and what the request shows for it.
///
/// ```
/// use session_core::machine::{Demand, DeviceCheck, Unproven};
///
/// // Nothing is asked unless somebody says so.
/// let check = DeviceCheck::default();
/// assert_eq!((check.demand, check.shown), (Demand::Nothing, Err(Unproven::Missing)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a promise: a question and its answer")]
pub struct DeviceCheck {
    /// What is asked.
    pub demand: Demand,
    /// The binding that the short-lived cookie names, or what is wrong with that cookie.
    pub shown: Result<Shown, Unproven>,
}

impl Default for DeviceCheck {
    fn default() -> Self {
        Self { demand: Demand::Nothing, shown: Err(Unproven::Missing) }
    }
}

impl DeviceCheck {
    /// What the request lacks to be from the device that this session is bound to, if anything is asked.
    pub(crate) fn lack(&self, session: &Content) -> Option<Unproven> {
        if self.demand == Demand::Nothing || !session.system.has(content::DEVICE) {
            return None;
        }
        match self.shown {
            Ok(shown) if session.bond().is_some_and(|bond| bond.id == shown.id().to_string()) => None,
            Ok(_) => Some(Unproven::Foreign),
            Err(lack) => Some(lack),
        }
    }
}

/// How an unproven request of a bound session is treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the ways there are")]
pub enum Demand {
    /// Like any other.
    #[default]
    Nothing,
    /// Like any other, with a [`Notice`](crate::machine::Notice).
    Observe,
    /// As [`Origin::Unproven`](crate::machine::table::Origin::Unproven).
    Require,
}

impl Arrival {
    /// Makes the arrival of a request without a session cookie.
    #[must_use]
    pub fn without_cookie() -> Self {
        Self::default()
    }

    /// Makes the arrival of a request with an authentic id.
    #[must_use]
    pub fn with_id(id: SessionId) -> Self {
        Self { claim: Some(Claim::Id(id)), came: true, ..Self::default() }
    }

    /// Makes the arrival of a request with a record in its cookie.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// let arrival = Arrival::with_record(SessionId::from_bytes([7; 32]), record);
    /// let state = SessionState::open(arrival, Ok(Loaded::Missing), Access::Full, now)?;
    /// assert_eq!(state.origin(), Origin::Carried);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_record(id: SessionId, record: Record) -> Self {
        Self { claim: Some(Claim::Record(id, record)), came: true, ..Self::default() }
    }
}

/// The content of an authentic cookie.
///
/// ```
/// # use session_core::machine::Claim;
/// # use session_core::{machine::SessionId, store::{Record, StoreKey}};
/// /// Which key of the store must be looked up, if any.
/// fn key(claim: &Claim) -> Option<StoreKey> {
///     match claim {
///         Claim::Id(id) => Some(id.store_key()),
///         Claim::Record(..) => None, // it came along
///     }
/// }
/// assert!(key(&Claim::Id(SessionId::from_bytes([7; 32]))).is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a promise: one for each placement")]
pub enum Claim {
    /// The id of a session that a store holds.
    Id(SessionId),
    /// The whole session, and its id.
    Record(SessionId, Record),
}
