//! The machine of one visit: where its session came from, what the request ordered, what it changed. No lock, no clock.
//!
//! Open it with what the cookie said and what the store held; change it; hand it to a [`Commit`](super::commit::Commit).
//! Everything a request may do to a session goes through here, and `&mut self` is all the synchronisation there is.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::commit::CookieOrder;
use super::decide::{Fate, NOTHING, Origin, Situation, decide};
use super::policy::Policy;
use crate::value::answer::Loaded;
use crate::value::content::{self, Content, Unreadable};
use crate::value::error::ValueError;
use crate::value::flash::FlashBag;
use crate::value::id::{SessionId, StoreKey};
use crate::value::path::AnyKey;
use crate::value::record::Record;
use crate::value::time::Timestamp;
use crate::value::values::{Snapshot, Values};

/// What came in with the request, once its cookies were opened.
///
/// ```
/// # use session_core::decision::state::Arrival;
/// # use session_core::SessionId;
/// let arrival = Arrival::with_id(SessionId::from_bytes([7; 32]));
/// assert!(arrival.came && !arrival.retired_key);
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
    pub retired_key: bool,
}

impl Arrival {
    /// A request without any cookie of ours.
    ///
    /// ```
    /// # use session_core::decision::state::Arrival;
    /// assert!(Arrival::without_cookie().claim.is_none());
    /// ```
    #[must_use]
    pub fn without_cookie() -> Self {
        Self::default()
    }

    /// A request with an authentic id.
    ///
    /// ```
    /// # use session_core::SessionId;
    /// # use session_core::decision::state::{Arrival, Claim};
    /// let arrival = Arrival::with_id(SessionId::from_bytes([7; 32]));
    /// assert!(matches!(arrival.claim, Some(Claim::Id(_))));
    /// ```
    #[must_use]
    pub fn with_id(id: SessionId) -> Self {
        Self { claim: Some(Claim::Id(id)), came: true, retired_key: false }
    }

    /// A request that carries its record.
    ///
    /// ```
    /// # use session_core::decision::decide::Origin;
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
    /// let arrival = Arrival::with_record(SessionId::from_bytes([7; 32]), record);
    /// let state = SessionState::open(arrival, Loaded::Missing, now)?;
    /// assert_eq!(state.origin(), Origin::Carried);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_record(id: SessionId, record: Record) -> Self {
        Self { claim: Some(Claim::Record(id, record)), came: true, retired_key: false }
    }
}

/// What an authentic cookie carries.
///
/// ```
/// # use session_core::decision::state::Claim;
/// # use session_core::{Record, SessionId, StoreKey};
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

/// Something found out while opening that an operator wants to hear of.
///
/// ```
/// # use session_core::decision::state::{Arrival, Notice, SessionState};
/// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
/// # let now = Timestamp::from_millis(1_000);
/// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
/// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
/// # let id = SessionId::from_bytes([7; 32]);
/// # let expired = SessionState::open(Arrival::with_id(id.clone()), Loaded::Found(record.clone()), Timestamp::from_millis(9_000_000))?;
/// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
/// assert_eq!(expired.notice(), Some(Notice::Expired));
/// assert_eq!(state.notice(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The record's time was over.
    Expired,
    /// The record could not be read.
    Corrupt,
}

/// The record was written by a newer version of this library. It is left alone, and the request is answered like a
/// store that cannot be reached.
///
/// ```
/// # use session_core::decision::state::{Arrival, NewerFormat, SessionState};
/// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
/// # let now = Timestamp::from_millis(1_000);
/// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
/// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
/// let newer = Record { payload: br#"{"v":999}"#.as_slice().into(), ..record };
/// let arrival = Arrival::with_id(SessionId::from_bytes([7; 32]));
/// assert_eq!(SessionState::open(arrival, Loaded::Found(newer), now).unwrap_err(), NewerFormat);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session has a newer format than this version reads")]
pub struct NewerFormat;

/// One visit's session.
///
/// ```
/// use session_core::decision::state::{Arrival, SessionState};
/// use session_core::{Loaded, Timestamp};
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
    pub(super) retired_key: bool,
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
    /// Opens a session from what came in and what the store holds under its key (`Loaded::Missing` where nobody was
    /// asked). Expiry is judged here, from the record.
    ///
    /// # Errors
    /// [`NewerFormat`] when the record was written by a newer version.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
    /// let arrival = Arrival::with_id(SessionId::from_bytes([7; 32]));
    /// let state = SessionState::open(arrival, Loaded::Found(record), now)?;
    /// assert_eq!(state.data().get::<String>("theme")?.as_deref(), Some("dark"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(arrival: Arrival, loaded: Loaded, now: Timestamp) -> Result<Self, NewerFormat> {
        let Arrival { claim, came, retired_key } = arrival;
        let mut state = Self {
            origin: Origin::Fresh,
            fate: Fate::Keep,
            id: None,
            next_id: None,
            base: None,
            content: Content::default(),
            came,
            retired_key,
            cookie: None,
            over: None,
            fresh: true,
            regenerated: false,
            notice: None,
        };
        match (claim, loaded) {
            (None, _) => {}
            (Some(Claim::Id(id)), Loaded::Retired { until }) if now < until => {
                state.origin = Origin::Retired;
                state.id = Some(id);
            }
            (Some(Claim::Id(_)), Loaded::Missing | Loaded::Retired { .. }) => state.origin = Origin::Unknown,
            (Some(Claim::Id(id)), Loaded::Found(record)) => {
                state.stand_on(Origin::Stored, id, record, now)?
            }
            (Some(Claim::Record(id, _)), Loaded::Retired { .. }) => {
                state.origin = Origin::Retired;
                state.id = Some(id);
            }
            (Some(Claim::Record(id, record)), _) => state.stand_on(Origin::Carried, id, record, now)?,
        }
        Ok(state)
    }

    /// A session whose stored record cannot be read: unknown, and counted.
    ///
    /// ```
    /// # use session_core::decision::decide::Origin;
    /// # use session_core::decision::state::{Arrival, Notice, SessionState};
    /// # use session_core::{Loaded, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
    /// let state = SessionState::corrupt(Arrival::with_id(SessionId::from_bytes([7; 32])));
    /// assert_eq!((state.origin(), state.notice()), (Origin::Unknown, Some(Notice::Corrupt)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn corrupt(arrival: Arrival) -> Self {
        let Arrival { came, retired_key, claim: _ } = arrival;
        let mut state = Self::open(
            Arrival { claim: None, came, retired_key },
            Loaded::Missing,
            Timestamp::from_millis(0),
        )
        .expect("without a token nothing is decoded");
        state.origin = Origin::Unknown;
        state.notice = Some(Notice::Corrupt);
        state
    }

    fn stand_on(
        &mut self,
        origin: Origin,
        id: SessionId,
        record: Record,
        now: Timestamp,
    ) -> Result<(), NewerFormat> {
        self.origin = Origin::Unknown;
        if !record.is_live(now) {
            self.notice = Some(Notice::Expired);
            return Ok(());
        }
        match Content::decode(&record.payload, record.owner.clone()) {
            Ok(content) => {
                self.origin = origin;
                self.id = Some(id);
                self.content = content;
                self.content.flash.show();
                self.base = Some(record);
                self.fresh = false;
            }
            Err(Unreadable::Corrupt) => self.notice = Some(Notice::Corrupt),
            Err(Unreadable::Newer) => return Err(NewerFormat),
        }
        Ok(())
    }

    /// Where the session came from.
    ///
    /// ```
    /// # use session_core::decision::decide::Origin;
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// assert_eq!(state.origin(), Origin::Stored);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What the request has ordered so far.
    ///
    /// ```
    /// # use session_core::decision::decide::Fate;
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// assert_eq!(state.fate(), Fate::Keep);
    /// state.destroy();
    /// assert_eq!(state.fate(), Fate::Destroy);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn fate(&self) -> Fate {
        self.fate
    }

    /// What an operator wants to hear about the opening.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, Notice, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let expired = SessionState::open(Arrival::with_id(id.clone()), Loaded::Found(record.clone()), Timestamp::from_millis(9_000_000))?;
    /// assert_eq!(expired.notice(), Some(Notice::Expired));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn notice(&self) -> Option<Notice> {
        self.notice
    }

    /// No stored record stood behind this visit when it was opened.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Loaded, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
    /// assert!(state.is_fresh());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// A stored session got a new id in this visit.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// state.regenerate(|| Ok::<_, Infallible>("token".to_owned()))?;
    /// assert!(state.has_regenerated());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn has_regenerated(&self) -> bool {
        self.regenerated || (self.fate == Fate::Renew && self.base.is_some())
    }

    /// A read would now answer differently than when the visit opened.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// // Equal values change nothing.
    /// state.data_mut().put("theme", "dark")?;
    /// assert!(!state.is_changed());
    /// state.data_mut().put("theme", "light")?;
    /// assert!(state.is_changed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.content.is_changed()
    }

    /// `destroy` was called, or a commit found the session gone.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// state.destroy();
    /// assert!(state.is_destroyed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_destroyed(&self) -> bool {
        self.fate == Fate::Destroy || self.over.is_some()
    }

    /// The visitor's values.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// assert_eq!(state.data().get::<String>("theme")?.as_deref(), Some("dark"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn data(&self) -> &Values {
        &self.content.data
    }

    /// The visitor's values, to change. Every change is journalled.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Loaded, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
    /// state.data_mut().increment("visits")?;
    /// assert_eq!(state.data().get::<u32>("visits")?, Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn data_mut(&mut self) -> &mut Values {
        &mut self.content.data
    }

    /// Whose session it is.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// assert_eq!(state.owner(), Some("ada"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.content.owner.as_deref()
    }

    /// Says whose session it is from now on, or nobody's.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// state.set_owner(None);
    /// assert!(state.owner().is_none() && state.is_changed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_owner(&mut self, owner: Option<&str>) {
        self.content.set_owner(owner.map(Arc::from));
    }

    /// When the session began; `None` for one that is not written yet.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// assert_eq!(state.created(), Some(now));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.base.as_ref().map(|record| record.created)
    }

    /// Removes all values and the intended and previous URL. Identity, flash, CSRF token, tag and lifetimes stay.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// state.clear();
    /// assert!(state.data().is_empty());
    /// assert_eq!(state.owner(), Some("ada"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear(&mut self) {
        self.content.data.clear();
        for key in [content::INTENDED, content::PREVIOUS] {
            self.content.system.forget(key);
        }
    }

    /// Gives the session a new id with the next commit; the old one dies in the same step. A CSRF token, if there is
    /// one, is replaced by `csrf()`.
    ///
    /// # Errors
    /// Whatever `csrf` fails with; nothing is changed then.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use session_core::decision::decide::Fate;
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// state.regenerate(|| Ok::<_, Infallible>("token".to_owned()))?;
    /// assert_eq!(state.fate(), Fate::Renew);
    /// assert!(!state.data().is_empty(), "the data stay");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn regenerate<E>(&mut self, csrf: impl FnOnce() -> Result<String, E>) -> Result<(), E> {
        if self.fate == Fate::Keep {
            if self.content.system.exists(content::CSRF) {
                let token = csrf()?;
                self.set_csrf(&token);
            }
            self.fate = Fate::Renew;
            self.next_id = None;
        }
        Ok(())
    }

    /// Drops everything and gives a new id. What is put afterwards stays.
    ///
    /// ```
    /// # use session_core::decision::decide::Fate;
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// state.invalidate();
    /// state.data_mut().put("status", "goodbye")?;
    /// assert_eq!((state.fate(), state.data().len(), state.owner()), (Fate::Renew, 1, None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate(&mut self) {
        self.content.wipe();
        if self.fate == Fate::Keep {
            self.next_id = None;
        }
        self.fate = self.fate.max(Fate::Renew);
    }

    /// Ends the session: the record becomes a tombstone, the cookie is removed.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// state.destroy();
    /// assert!(state.data().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn destroy(&mut self) {
        self.content.wipe();
        self.fate = Fate::Destroy;
    }

    /// The response failed: data changes are dropped, what was shown is not taken. A regenerate is applied to the
    /// stored data (with its new CSRF token); an invalidate and a destroy are applied whole.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use session_core::decision::decide::Fate;
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// state.data_mut().put("theme", "light")?;
    /// state.regenerate(|| Ok::<_, Infallible>("token".to_owned()))?;
    /// // The handler has failed.
    /// state.drop_data();
    /// assert_eq!(state.data().get::<String>("theme")?.as_deref(), Some("dark"));
    /// assert_eq!(state.fate(), Fate::Renew);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn drop_data(&mut self) {
        if self.fate == Fate::Destroy || self.content.is_wiped() {
            return;
        }
        let renewed = [content::CSRF, content::CSRF_BEFORE].map(|name| {
            (name, self.content.system.get::<Box<serde_json::value::RawValue>>(name).ok().flatten())
        });
        self.content = self
            .base
            .as_ref()
            .and_then(|record| Content::decode(&record.payload, record.owner.clone()).ok())
            .unwrap_or_default();
        if self.fate == Fate::Renew && self.content.system.exists(content::CSRF) {
            for (name, value) in renewed {
                let put = value.map(|value| self.content.system.put(name, value));
                debug_assert!(!matches!(put, Some(Err(_))), "what stood in a session fits in it again");
            }
        }
    }

    /// Leaves something for the next visit, in one of the three bags.
    ///
    /// # Errors
    /// [`ValueError`] for a bad path or a value that is not JSON.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{FlashBag, Loaded, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
    /// state.flash(FlashBag::Messages, "status", "Saved")?;
    /// // For the next visit: this one does not show it.
    /// assert!(state.flashed(FlashBag::Messages).is_empty() && state.is_changed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flash<V: Serialize>(
        &mut self,
        bag: FlashBag,
        key: impl AnyKey,
        value: V,
    ) -> Result<(), ValueError> {
        let not_json = |_| ValueError::NotJson { key: key.path().to_string() };
        let json = serde_json::value::to_raw_value(&value).map_err(not_json)?;
        self.content.flash.flash_at(bag, key.path(), json)
    }

    /// What the previous visit left in one of the three bags.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{FlashBag, Loaded, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
    /// assert!(state.flashed(FlashBag::Errors).is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn flashed(&self, bag: FlashBag) -> Snapshot {
        self.content.flash.shown().bag(bag).all()
    }

    /// How long this session may lie unused.
    ///
    /// ```
    /// # use session_core::decision::policy::Policy;
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Loaded, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
    /// assert_eq!(state.age(&Policy::default()).as_secs(), 7_200);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn age(&self, policy: &Policy) -> Duration {
        self.content.age().unwrap_or(policy.age)
    }

    /// Whether its cookie outlives the browser.
    ///
    /// ```
    /// # use session_core::decision::policy::Policy;
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Loaded, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
    /// assert!(!state.is_persistent(&Policy::default()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_persistent(&self, policy: &Policy) -> bool {
        self.content.persistent().unwrap_or(policy.persistent)
    }

    /// The key of the record this visit stands on, or of the tombstone it met.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let expired = SessionState::open(Arrival::with_id(id.clone()), Loaded::Found(record.clone()), Timestamp::from_millis(9_000_000))?;
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// assert_eq!(state.key(), Some(SessionId::from_bytes([7; 32]).store_key()));
    /// assert_eq!(expired.key(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn key(&self) -> Option<StoreKey> {
        self.id.as_ref().map(SessionId::store_key)
    }

    /// The record this visit stands on.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// assert_eq!(state.record().map(|record| record.etag), Some(Etag::new(1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.base.as_ref()
    }

    /// What the response will say about the cookie, as far as commits have settled it.
    ///
    /// ```
    /// # use session_core::decision::commit::CookieOrder;
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Loaded, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
    /// assert!(matches!(state.cookie(), CookieOrder::Keep));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cookie(&self) -> &CookieOrder {
        self.cookie.as_deref().unwrap_or(&CookieOrder::Keep)
    }

    /// Shows what the previous visit left and takes it away. Called once, when somebody gets the session to write.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, FlashBag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
    /// // What an earlier visit has left.
    /// let payload = br#"{"v":1,"flash":[{"id":1,"in":"messages","key":["status"],"value":"Saved"}]}"#;
    /// let record = Record { payload: payload.as_slice().into(), ..record };
    /// let arrival = Arrival::with_id(SessionId::from_bytes([7; 32]));
    /// let mut state = SessionState::open(arrival, Loaded::Found(record), now)?;
    /// assert!(!state.is_changed(), "so far it is only shown");
    /// state.take_flash();
    /// assert!(state.is_changed() && state.flashed(FlashBag::Messages).has("status"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_flash(&mut self) {
        self.content.flash.take();
    }

    /// The id that the session has, or will have once it is written; `draw` is asked if none was drawn yet.
    ///
    /// # Errors
    /// Whatever `draw` fails with.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Loaded, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
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

    /// Whether a commit would leave its id as it is: it has one that the server stands by, and nobody ordered another.
    ///
    /// ```
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Etag, Loaded, Record, SessionId, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let record = Record { etag: Etag::new(1), created: now, idle_deadline: Timestamp::from_millis(7_201_000),
    /// #     absolute_deadline: None, owner: Some("ada".into()), payload: br#"{"v":1,"data":{"theme":"dark"}}"#.as_slice().into() };
    /// # let id = SessionId::from_bytes([7; 32]);
    /// # let mut state = SessionState::open(Arrival::with_id(id), Loaded::Found(record), now)?;
    /// assert!(state.keeps_its_id());
    /// state.destroy();
    /// assert!(!state.keeps_its_id());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn keeps_its_id(&self) -> bool {
        self.fate == Fate::Keep && matches!(self.origin, Origin::Stored | Origin::Carried)
    }

    /// Whether a commit at this moment would neither ask the store nor tell the browser anything.
    pub(crate) fn needs_nothing(&self, policy: &Policy, now: Timestamp) -> bool {
        self.over.is_some() || decide(self.situation(policy, now)) == NOTHING
    }

    /// What the decision depends on, as things stand.
    ///
    /// ```
    /// # use session_core::decision::decide::{Write, decide};
    /// # use session_core::decision::policy::Policy;
    /// # use session_core::decision::state::{Arrival, SessionState};
    /// # use session_core::{Loaded, Timestamp};
    /// # let now = Timestamp::from_millis(1_000);
    /// # let mut state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, now)?;
    /// state.data_mut().put("theme", "dark")?;
    /// let situation = state.situation(&Policy::default(), now);
    /// assert_eq!(decide(situation).write, Write::Create);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn situation(&self, policy: &Policy, now: Timestamp) -> Situation {
        let something = self.content.has_something();
        let lifetime_changed = self.lifetime_changed();
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
            reissue: self.retired_key || lifetime_changed,
            cookie_came: self.came,
            eager: policy.eager,
        }
    }

    fn lifetime_changed(&self) -> bool {
        self.content.lifetime_changed()
    }

    fn set_csrf(&mut self, token: &str) {
        let put = self.content.system.put(content::CSRF, token);
        debug_assert!(put.is_ok(), "a string under a plain name can always be put");
    }
}
