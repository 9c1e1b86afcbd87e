//! Reading the state of a visit's session.

use std::time::Duration;

use super::{Access, Notice, SessionState};
use crate::decision::commit::CookieOrder;
use crate::decision::decide::{Fate, Origin};
use crate::decision::policy::Policy;
use crate::value::content;
use crate::value::flash::FlashBag;
use crate::value::id::{SessionId, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;
use crate::value::values::{Snapshot, Values};

impl SessionState {
    /// Returns where the session came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Returns what the request has ordered so far.
    #[must_use]
    pub fn fate(&self) -> Fate {
        self.fate
    }

    /// Returns the access with which the session was opened.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    /// Returns what opening the session found out, for logs and metrics.
    #[must_use]
    pub fn notice(&self) -> Option<Notice> {
        self.notice
    }

    /// Returns whether the session was new when this visit opened it.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Returns whether the content differs from what was loaded.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.content.is_changed()
    }

    /// Returns whether a stored session got a new id in this visit.
    #[must_use]
    pub fn has_regenerated(&self) -> bool {
        self.regenerated || (self.fate == Fate::Renew && self.base.is_some())
    }

    /// Returns whether `destroy` was called, or a commit found that the session had ended.
    #[must_use]
    pub fn is_destroyed(&self) -> bool {
        self.fate == Fate::Destroy || self.over.is_some()
    }

    /// Whether this visit has signed somebody in, as far as can be told: it wrote a new id or another user.
    #[cfg(feature = "dbsc")]
    pub(crate) fn signed_in(&self) -> bool {
        self.signed_in
    }

    /// Whether the session is bound to a device. A bond that cannot be read is one.
    pub(crate) fn is_bound(&self) -> bool {
        self.content.system.has(content::DEVICE)
    }

    /// Returns the visitor's values.
    #[must_use]
    pub fn data(&self) -> &Values {
        &self.content.data
    }

    /// Returns what the previous visit left in one of the three flash bags.
    #[must_use]
    pub fn flashed(&self, bag: FlashBag) -> Snapshot {
        self.content.flash.see().bag(bag).all()
    }

    /// Returns the user that the session is tagged with.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.content.owner.as_deref()
    }

    /// Returns when the session was created, or `None` if it has not been written yet.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.base.as_ref().map(|record| record.created)
    }

    /// Returns the idle timeout of this session.
    #[must_use]
    pub fn age(&self, policy: &Policy) -> Duration {
        self.content.age().unwrap_or(policy.age)
    }

    /// Returns whether the cookie outlives the browser.
    #[must_use]
    pub fn is_persistent(&self, policy: &Policy) -> bool {
        self.content.persistent().unwrap_or(policy.persistent)
    }

    /// Returns the key of the loaded record, or of the tombstone that was found; once a commit has followed the session
    /// to another key, that one.
    #[must_use]
    pub fn key(&self) -> Option<StoreKey> {
        self.moved.as_deref().copied().or_else(|| self.id.as_ref().map(SessionId::store_key))
    }

    /// Returns the key that a commit has followed the session to, unless it is to get a new id again.
    pub(crate) fn moved_to(&self) -> Option<StoreKey> {
        self.moved.as_deref().copied().filter(|_| self.fate != Fate::Renew)
    }

    /// Returns the record that was loaded or last written.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.base.as_ref()
    }

    /// Returns the instruction about the cookie in the response, from the commits so far.
    #[must_use]
    pub fn cookie(&self) -> &CookieOrder {
        self.cookie.as_deref().unwrap_or(&CookieOrder::Keep)
    }
}
