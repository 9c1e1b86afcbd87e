//! What comes in with a request, once its cookies are opened.

use crate::value::id::SessionId;
use crate::value::record::Record;

/// What came in with the request, once its cookies were opened.
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
    /// What the newest authentic cookie carries, unless its time is over.
    pub claim: Option<Claim>,
    /// A cookie of our name came in at all, acceptable or not.
    pub came: bool,
    /// The token was sealed with a key that opens but no longer seals.
    pub old_key: bool,
    /// No cookie came because none could: another site sent the request, and `SameSite` withheld ours.
    pub withheld: bool,
}

impl Arrival {
    /// A request without any cookie of ours.
    #[must_use]
    pub fn without_cookie() -> Self {
        Self::default()
    }

    /// A request with an authentic id.
    #[must_use]
    pub fn with_id(id: SessionId) -> Self {
        Self { claim: Some(Claim::Id(id)), came: true, ..Self::default() }
    }

    /// A request that carries its record.
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

/// What an authentic cookie carries.
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
