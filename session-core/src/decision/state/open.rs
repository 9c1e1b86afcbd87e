//! Opening: from what came in and what the store holds to a session. Expiry is judged here, and nowhere else.

use super::load::{Access, LoadError, NewerFormat, Notice};
use super::{Arrival, Claim, Demand, DeviceCheck, SessionState};
use crate::decision::decide::{Fate, Origin};
use crate::value::answer::{Loaded, StoreError, StoreErrorKind};
use crate::value::content::{Content, Unreadable};
use crate::value::device::Shown;
use crate::value::id::SessionId;
use crate::value::record::Record;
use crate::value::time::Timestamp;

impl SessionState {
    /// Opens a session from the request's arrival and the result of the load: from the store under the claim's key or,
    /// for a record in the cookie, from the list of revocations. Pass `Ok(Loaded::Missing)` if no load was needed.
    /// Expiry is judged here, from the record at the time `now`.
    ///
    /// A corrupt record is [`Origin::Unknown`] with a [`notice`](Self::notice). Call [`limit_to`](Self::limit_to) before an
    /// application gets the state, so that it cannot hold any amount of memory.
    ///
    /// # Errors
    /// [`LoadError`]: the store failed or a newer version wrote the record. Answer 503, and leave the cookie alone.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// let arrival = Arrival::with_id(SessionId::from_bytes([7; 32]));
    /// let state = SessionState::open(arrival.clone(), Ok(Loaded::Found(record)), Access::Full, now)?;
    /// assert_eq!(state.data().get::<String>("theme")?.as_deref(), Some("dark"));
    /// // A store that cannot be reached is never "no session".
    /// assert!(SessionState::open(arrival, Err(StoreError::timeout("redis")), Access::Full, now).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(
        arrival: Arrival,
        loaded: Result<Loaded, StoreError>,
        access: Access,
        now: Timestamp,
    ) -> Result<Self, LoadError> {
        Self::open_boxed(arrival, loaded, access, now).map(|state| *state)
    }

    /// Like [`open`](Self::open): a state is large, and moved often.
    pub(crate) fn open_boxed(
        arrival: Arrival,
        loaded: Result<Loaded, StoreError>,
        access: Access,
        now: Timestamp,
    ) -> Result<Box<Self>, LoadError> {
        let device = arrival.device;
        let (mut state, claim) = Self::arrived(arrival);
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) if error.kind() == StoreErrorKind::Corrupt => {
                state.origin = Origin::Unknown;
                state.notice = Some(Notice::Corrupt);
                return Ok(state);
            }
            Err(error) => return Err(LoadError::Store(error)),
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
            (Some(Claim::Record(id, record)), Loaded::Missing) => {
                state.stand_on(Origin::Carried, id, record, now)?
            }
            // What stands in the list of revocations is revoked, whatever it looks like.
            (Some(Claim::Record(id, _)), Loaded::Ended { .. } | Loaded::Found(_)) => {
                state.origin = Origin::Ended;
                state.id = Some(id);
            }
        }
        state.prove(device);
        if access == Access::Full {
            state.take_flash();
        }
        Ok(state)
    }

    /// Makes the state of a session that was not loaded. The only order it accepts is [`destroy`](Self::destroy).
    #[must_use]
    pub fn unread(arrival: Arrival) -> Self {
        let (mut state, claim) = Self::arrived(arrival);
        match claim {
            None => {}
            Some(Claim::Id(id)) => (state.origin, state.id) = (Origin::Unread, Some(id)),
            Some(Claim::Record(id, record)) => {
                (state.origin, state.id, state.base) = (Origin::Unread, Some(id), Some(record));
            }
        }
        *state
    }

    fn arrived(arrival: Arrival) -> (Box<Self>, Option<Claim>) {
        let Arrival { claim, came, old_key, withheld, device: _, scope, shows_nothing } = arrival;
        let origin = if withheld && !came { Origin::Unseen } else { Origin::Fresh };
        let state = Box::new(Self {
            origin,
            fate: Fate::Keep,
            id: None,
            next_id: None,
            moved: None,
            base: None,
            content: Content::default(),
            came,
            old_key,
            scope,
            shows_nothing,
            access: Access::ReadOnly,
            cookie: None,
            over: None,
            fresh: true,
            regenerated: false,
            signed_in: false,
            notice: None,
        });
        (state, claim)
    }

    /// A bound session is the visitor's only if the request proves that it comes from the device.
    fn prove(&mut self, check: DeviceCheck) {
        if check.demand != Demand::Nothing && !self.is_bound() {
            // A store has one record for all requests; in cookies the record can be older than the proof beside it.
            if self.origin == Origin::Carried && matches!(check.shown, Ok(Shown::Proven(_))) {
                self.notice = Some(Notice::Unbound);
            }
            return;
        }
        let Some(lack) = check.lack(&self.content) else { return };
        self.notice = Some(Notice::Unproven(lack));
        if check.demand == Demand::Require {
            self.origin = Origin::Unproven;
            (self.id, self.base, self.fresh) = (None, None, true);
            self.content = Content::default();
        }
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
