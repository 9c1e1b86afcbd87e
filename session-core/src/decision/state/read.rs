//! What a visit can be asked about its session. Nothing here changes anything.

use std::time::Duration;

use super::{Notice, SessionState};
use crate::decision::commit::CookieOrder;
use crate::decision::decide::{Fate, Origin};
use crate::decision::policy::Policy;
use crate::value::flash::FlashBag;
use crate::value::id::{SessionId, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;
use crate::value::values::{Snapshot, Values};

impl SessionState {
    /// Where the session came from.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// assert_eq!(state.origin(), Origin::Stored);
    /// ```
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What the request has ordered so far.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// assert_eq!(state.fate(), Fate::Keep);
    /// state.destroy();
    /// assert_eq!(state.fate(), Fate::Destroy);
    /// ```
    #[must_use]
    pub fn fate(&self) -> Fate {
        self.fate
    }

    /// What an operator wants to hear about the opening.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// assert_eq!(expired.notice(), Some(Notice::Expired));
    /// ```
    #[must_use]
    pub fn notice(&self) -> Option<Notice> {
        self.notice
    }

    /// No stored record stood behind this visit when it was opened.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// assert!(state.is_fresh());
    /// ```
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// A read would now answer differently than when the visit opened.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
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

    /// A stored session got a new id in this visit.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// state.regenerate(|| Ok::<_, Infallible>("token".to_owned()))?;
    /// assert!(state.has_regenerated());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn has_regenerated(&self) -> bool {
        self.regenerated || (self.fate == Fate::Renew && self.base.is_some())
    }

    /// `destroy` was called, or a commit found the session gone.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// state.destroy();
    /// assert!(state.is_destroyed());
    /// ```
    #[must_use]
    pub fn is_destroyed(&self) -> bool {
        self.fate == Fate::Destroy || self.over.is_some()
    }

    /// The visitor's values.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// assert_eq!(state.data().get::<String>("theme")?.as_deref(), Some("dark"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn data(&self) -> &Values {
        &self.content.data
    }

    /// What the previous visit left in one of the three bags.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// assert!(state.flashed(FlashBag::Errors).is_empty());
    /// ```
    #[must_use]
    pub fn flashed(&self, bag: FlashBag) -> Snapshot {
        self.content.flash.shown().bag(bag).all()
    }

    /// Whose session it is.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// assert_eq!(state.owner(), Some("ada"));
    /// ```
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.content.owner.as_deref()
    }

    /// When the session began; `None` for one that is not written yet.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// assert_eq!(state.created(), Some(now));
    /// ```
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.base.as_ref().map(|record| record.created)
    }

    /// How long this session may lie unused.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// assert_eq!(state.age(&Policy::default()).as_secs(), 7_200);
    /// ```
    #[must_use]
    pub fn age(&self, policy: &Policy) -> Duration {
        self.content.age().unwrap_or(policy.age)
    }

    /// Whether its cookie outlives the browser.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// assert!(!state.is_persistent(&Policy::default()));
    /// ```
    #[must_use]
    pub fn is_persistent(&self, policy: &Policy) -> bool {
        self.content.persistent().unwrap_or(policy.persistent)
    }

    /// The key of the record this visit stands on, or of the tombstone it met.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// assert_eq!(state.key(), Some(SessionId::from_bytes([7; 32]).store_key()));
    /// assert_eq!(expired.key(), None);
    /// ```
    #[must_use]
    pub fn key(&self) -> Option<StoreKey> {
        self.id.as_ref().map(SessionId::store_key)
    }

    /// The record this visit stands on.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// assert_eq!(state.record().map(|record| record.etag), Some(Etag::new(1)));
    /// ```
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.base.as_ref()
    }

    /// What the response will say about the cookie, as far as commits have settled it.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// assert!(matches!(state.cookie(), CookieOrder::Keep));
    /// ```
    #[must_use]
    pub fn cookie(&self) -> &CookieOrder {
        self.cookie.as_deref().unwrap_or(&CookieOrder::Keep)
    }
}
