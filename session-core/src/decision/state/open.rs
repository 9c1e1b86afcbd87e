//! Opening: from what came in and what the store holds to a session. Expiry is judged here, and nowhere else.

use super::{Arrival, Claim, SessionState};
use crate::decision::decide::{Fate, Origin};
use crate::value::answer::Loaded;
use crate::value::content::{Content, Unreadable};
use crate::value::id::SessionId;
use crate::value::record::Record;
use crate::value::time::Timestamp;

impl SessionState {
    /// Opens a session from what came in and what the store holds under its key (`Loaded::Missing` where nobody was
    /// asked). Expiry is judged here, from the record.
    ///
    /// # Errors
    /// [`NewerFormat`] when the record was written by a newer version.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// let arrival = Arrival::with_id(SessionId::from_bytes([7; 32]));
    /// let state = SessionState::open(arrival, Loaded::Found(record), now)?;
    /// assert_eq!(state.data().get::<String>("theme")?.as_deref(), Some("dark"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(arrival: Arrival, loaded: Loaded, now: Timestamp) -> Result<Self, NewerFormat> {
        let Arrival { claim, came, old_key } = arrival;
        let mut state = Self {
            origin: Origin::Fresh,
            fate: Fate::Keep,
            id: None,
            next_id: None,
            base: None,
            content: Content::default(),
            came,
            old_key,
            cookie: None,
            over: None,
            fresh: true,
            regenerated: false,
            notice: None,
        };
        match (claim, loaded) {
            (None, _) => {}
            (Some(Claim::Id(id)), Loaded::Ended { until }) if now < until => {
                state.origin = Origin::Ended;
                state.id = Some(id);
            }
            (Some(Claim::Id(_)), Loaded::Missing | Loaded::Ended { .. }) => state.origin = Origin::Unknown,
            (Some(Claim::Id(id)), Loaded::Found(record)) => {
                state.stand_on(Origin::Stored, id, record, now)?
            }
            (Some(Claim::Record(id, _)), Loaded::Ended { .. }) => {
                state.origin = Origin::Ended;
                state.id = Some(id);
            }
            (Some(Claim::Record(id, record)), _) => state.stand_on(Origin::Carried, id, record, now)?,
        }
        Ok(state)
    }

    /// A session whose stored record cannot be read: unknown, and counted.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// let state = SessionState::corrupt(Arrival::with_id(SessionId::from_bytes([7; 32])));
    /// assert_eq!((state.origin(), state.notice()), (Origin::Unknown, Some(Notice::Corrupt)));
    /// ```
    #[must_use]
    pub fn corrupt(arrival: Arrival) -> Self {
        let Arrival { came, old_key, claim: _ } = arrival;
        let mut state =
            Self::open(Arrival { claim: None, came, old_key }, Loaded::Missing, Timestamp::from_millis(0))
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
}

/// Something found out while opening that an operator wants to hear of.
///
/// ```
#[doc = include_str!("../../given/a_stored_session.in")]
/// assert_eq!(expired.notice(), Some(Notice::Expired));
/// assert_eq!(state.notice(), None);
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
#[doc = include_str!("../../given/a_stored_session.in")]
/// let newer = Record { payload: br#"{"v":999}"#.as_slice().into(), ..record };
/// let arrival = Arrival::with_id(SessionId::from_bytes([7; 32]));
/// assert_eq!(SessionState::open(arrival, Loaded::Found(newer), now).unwrap_err(), NewerFormat);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session has a newer format than this version reads")]
pub struct NewerFormat;
