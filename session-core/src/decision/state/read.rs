//! What a visit can be asked about its session. Nothing here changes anything.

use std::time::Duration;

use super::{Access, Notice, SessionState};
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
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What the request has ordered so far.
    #[must_use]
    pub fn fate(&self) -> Fate {
        self.fate
    }

    /// What the session was opened for.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    /// What an operator wants to hear about the opening.
    #[must_use]
    pub fn notice(&self) -> Option<Notice> {
        self.notice
    }

    /// No stored record stood behind this visit when it was opened.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// A read would now answer differently than when the visit opened.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.content.is_changed()
    }

    /// A stored session got a new id in this visit.
    #[must_use]
    pub fn has_regenerated(&self) -> bool {
        self.regenerated || (self.fate == Fate::Renew && self.base.is_some())
    }

    /// `destroy` was called, or a commit found the session gone.
    #[must_use]
    pub fn is_destroyed(&self) -> bool {
        self.fate == Fate::Destroy || self.over.is_some()
    }

    /// The visitor's values.
    #[must_use]
    pub fn data(&self) -> &Values {
        &self.content.data
    }

    /// What the previous visit left in one of the three bags.
    #[must_use]
    pub fn flashed(&self, bag: FlashBag) -> Snapshot {
        self.content.flash.shown().bag(bag).all()
    }

    /// Whose session it is.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.content.owner.as_deref()
    }

    /// When the session began; `None` for one that is not written yet.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.base.as_ref().map(|record| record.created)
    }

    /// How long this session may lie unused.
    #[must_use]
    pub fn age(&self, policy: &Policy) -> Duration {
        self.content.age().unwrap_or(policy.age)
    }

    /// Whether its cookie outlives the browser.
    #[must_use]
    pub fn is_persistent(&self, policy: &Policy) -> bool {
        self.content.persistent().unwrap_or(policy.persistent)
    }

    /// The key of the record this visit stands on, or of the tombstone it met.
    #[must_use]
    pub fn key(&self) -> Option<StoreKey> {
        self.id.as_ref().map(SessionId::store_key)
    }

    /// The record this visit stands on.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.base.as_ref()
    }

    /// What the response will say about the cookie, as far as commits have settled it.
    #[must_use]
    pub fn cookie(&self) -> &CookieOrder {
        self.cookie.as_deref().unwrap_or(&CookieOrder::Keep)
    }
}
