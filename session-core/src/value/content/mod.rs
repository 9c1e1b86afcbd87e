//! The content of a session: the visitor's values, the library's own, flash, and the owner.

mod changes;
mod payload;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::device::Bond;
use super::error::ValueError;
use super::flash::{Entry, Flash};
use super::journal::Journal;
use super::path::Path;
use super::time::Timestamp;
use super::values::Values;

pub(crate) use changes::Changes;
use changes::HeadChanges;
pub(crate) use payload::Unreadable;

/// The content of a session as this visit sees it, together with the journal of what it changed.
#[derive(Clone, Default)]
pub(crate) struct Content {
    /// The visitor's values.
    pub(crate) data: Values,
    /// The library's own values: CSRF token, URLs, lifetimes, metadata.
    pub(crate) system: Values,
    pub(crate) flash: Flash,
    pub(crate) owner: Option<Arc<str>>,
    changes: HeadChanges,
    /// The limit of the record that it is written to, if that bounds what a visit holds.
    max_record: Option<usize>,
}

/// Leaves out the values and the owner.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("data", &self.data).finish_non_exhaustive()
    }
}

impl Content {
    /// Bounds what this visit may add, by the limit of the record.
    pub(crate) fn limit_to(&mut self, max_record: usize) {
        self.max_record = Some(max_record);
        self.data.limit_to(max_record);
        self.flash.limit_to(max_record);
    }

    /// Takes over other content, within the same bound.
    pub(crate) fn become_content(&mut self, other: Self) {
        let max_record = self.max_record;
        *self = other;
        if let Some(max_record) = max_record {
            self.limit_to(max_record);
        }
    }

    /// Returns whether the content differs from what was loaded.
    pub(crate) fn is_changed(&self) -> bool {
        self.data.is_changed()
            || self.system.is_changed()
            || self.flash.is_changed()
            || !self.changes.is_empty()
    }

    /// Returns whether there is any content to store.
    pub(crate) fn has_something(&self) -> bool {
        self.flash.has_outgoing() || self.has_more_than_flash()
    }

    fn has_more_than_flash(&self) -> bool {
        !self.data.is_empty()
            || self.owner.is_some()
            || [CSRF, INTENDED, PREVIOUS].iter().any(|key| self.system.exists(*key))
    }

    /// Returns whether a record written with these changes has any content.
    pub(crate) fn will_have_something(&self, changes: &Changes) -> bool {
        self.has_more_than_flash() || self.flash.leaves_something(&changes.flash)
    }

    /// Returns the session's own idle timeout, if it has one.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.system.get::<u64>(AGE).ok().flatten().map(Duration::from_secs)
    }

    /// Returns whether this session's cookie outlives the browser, if that was set for this session.
    pub(crate) fn persistent(&self) -> Option<bool> {
        self.system.get(PERSISTENT).ok().flatten()
    }

    /// Returns the metadata for the user's list of devices.
    pub(crate) fn meta(&self) -> Values {
        let mut meta = Values::default();
        if let Ok(Some(json)) = self.system.get::<Box<RawValue>>(META) {
            let merged = meta.merge(json);
            debug_assert!(merged.is_ok(), "metadata is put name by name, so it is an object");
        }
        meta
    }

    /// Sets a value of the metadata. The library's own values have no bound, since only this one has many names.
    pub(crate) fn set_meta(&mut self, name: &str, value: impl Serialize) -> Result<(), ValueError> {
        let put = |system: &mut Values| system.put(Path::segments(&[META, name]), value);
        match self.max_record {
            Some(max_record) => self.system.within(max_record, put),
            None => put(&mut self.system),
        }
    }

    /// Returns what the session remembers about its device; `None` if it is not bound, or if that cannot be read.
    pub(crate) fn bond(&self) -> Option<Bond> {
        self.system.get(DEVICE).ok().flatten()
    }

    /// Whether this visit changed how long the session, or its cookie, lives.
    pub(crate) fn lifetime_changed(&self) -> bool {
        self.changes.lifetime
    }

    /// Sets the user. A CSRF token from before a change of user is dropped: whoever planted the session knows it.
    pub(crate) fn set_owner(&mut self, owner: Option<Arc<str>>) {
        if self.owner != owner {
            self.forget_csrf();
            self.owner.clone_from(&owner);
            self.changes.owner = Some(owner);
        }
    }

    fn forget_csrf(&mut self) {
        for name in [CSRF, CSRF_BEFORE] {
            self.system.forget(name);
        }
    }

    pub(crate) fn set_absolute(&mut self, deadline: Option<Timestamp>) {
        self.changes.absolute = Some(deadline);
        self.changes.lifetime = true;
    }

    /// The absolute deadline that this visit set by hand.
    pub(crate) fn absolute_set(&self) -> Option<Option<Timestamp>> {
        self.changes.absolute
    }

    /// The session's own idle timeout, in whole seconds.
    pub(crate) fn set_age(&mut self, age: Duration) {
        if self.age().map(|own| own.as_secs()) != Some(age.as_secs()) {
            self.changes.lifetime = true;
            self.put_plain(AGE, age.as_secs());
        }
    }

    /// Whether the cookie outlives the browser.
    pub(crate) fn set_persistent(&mut self, persistent: bool) {
        if self.persistent() != Some(persistent) {
            self.changes.lifetime = true;
            self.put_plain(PERSISTENT, persistent);
        }
    }

    fn put_plain(&mut self, name: &'static str, value: impl Serialize) {
        let put = self.system.put(name, value);
        debug_assert!(put.is_ok(), "a plain value under a plain name can always be put");
    }

    /// Sets the new id that a sign-in gives the session, [wrapped](super::sibling) for requests with the old one.
    pub(crate) fn set_sibling(&mut self, wrapped: Option<&str>) {
        match wrapped {
            Some(wrapped) => self.put_plain(SIBLING, wrapped),
            None => self.system.forget(SIBLING),
        }
    }

    /// The new id that the last sign-in gave the session, wrapped for requests with the old one.
    pub(crate) fn sibling(&self) -> Option<String> {
        self.system.get(SIBLING).ok().flatten()
    }

    /// Returns whether this visit gives the session another user, and not none.
    pub(crate) fn signs_in(&self) -> bool {
        matches!(self.changes.owner, Some(Some(_)))
    }

    /// All content was discarded in this visit.
    pub(crate) fn is_wiped(&self) -> bool {
        self.changes.wiped
    }

    /// Discards all content, including what other requests write in the meantime.
    pub(crate) fn wipe(&mut self) {
        let changes = HeadChanges { wiped: true, ..HeadChanges::default() };
        self.become_content(Self { changes, ..Self::default() });
    }

    /// Takes the changes made so far; later changes go into a new journal.
    pub(crate) fn take_changes(&mut self) -> Changes {
        Changes {
            data: self.data.take_journal(),
            system: self.system.take_journal(),
            flash: self.flash.take_changes(),
            head: std::mem::take(&mut self.changes),
        }
    }

    /// Puts back changes that were not written, before those made since.
    pub(crate) fn put_back(&mut self, earlier: Changes) {
        if self.changes.wiped {
            return;
        }
        self.data.put_back(earlier.data);
        self.system.put_back(earlier.system);
        self.flash.put_back(earlier.flash);
        self.changes = earlier.head.and_then(std::mem::take(&mut self.changes));
    }

    /// Returns a newer record's content with `changes` replayed on it.
    pub(crate) fn replay(mut self, changes: &Changes) -> Self {
        if changes.head.wiped {
            self = Self::default();
        }
        if let Some(owner) = &changes.head.owner
            && self.owner != *owner
        {
            self.forget_csrf();
            self.owner.clone_from(owner);
        }
        self.data.rebase(self.data.bag().clone(), &changes.data);
        self.system.rebase(self.system.bag().clone(), &changes.system);
        self
    }

    /// Makes what was written the base of this visit: `entries` as its flash and, if the changes were replayed on those of
    /// another request, `written`.
    pub(crate) fn rebase(&mut self, written: Option<&Self>, entries: Vec<Entry>) {
        if self.changes.wiped {
            return;
        }
        self.flash.rebase(entries);
        let Some(written) = written else { return };
        self.data.rebase(written.data.bag().clone(), &Journal::default());
        self.system.rebase(written.system.bag().clone(), &Journal::default());
        if self.changes.owner.is_none() {
            self.owner.clone_from(&written.owner);
        }
    }
}

/// The names of the library's own values.
pub(crate) const CSRF: &str = "csrf";
pub(crate) const CSRF_BEFORE: &str = "csrf_before";
pub(crate) const INTENDED: &str = "intended";
pub(crate) const PREVIOUS: &str = "previous";
pub(crate) const AGE: &str = "age";
pub(crate) const PERSISTENT: &str = "persistent";
pub(crate) const AUTHENTICATED_AT: &str = "authenticated_at";
pub(crate) const STAMP: &str = "stamp";
pub(crate) const META: &str = "meta";
pub(crate) const DEVICE: &str = "device";
pub(crate) const SIBLING: &str = "sibling";
