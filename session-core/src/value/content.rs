//! The content of a session and its JSON: the visitor's values, the library's own, flash, and the owner.
//!
//! The payload of a record is `{"v":1,"data":{…},"flash":[…],"system":{…}}`, with empty parts left out, so that a
//! person can read it in redis-cli or psql. Unchanged keys are copied as they stand and never parsed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::bag::Bag;
use super::device::Bond;
use super::flash::{Entry, Flash, FlashChanges};
use super::id::Etag;
use super::journal::Journal;
use super::json::MAX_DEPTH;
use super::json::split::{Fields, check_valid};
use super::record::Payload;
use super::time::Timestamp;
use super::values::Values;

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
}

/// The changes of a visit, which can be replayed on a newer record.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    data: Journal,
    system: Journal,
    flash: FlashChanges,
    head: HeadChanges,
}

#[derive(Clone, Default)]
struct HeadChanges {
    /// Whether all content was removed first: replay then starts from an empty record.
    wiped: bool,
    owner: Option<Option<Arc<str>>>,
    absolute: Option<Option<Timestamp>>,
    /// Age, absolute deadline or persistence was set explicitly, so the cookie must be issued again.
    lifetime: bool,
}

impl HeadChanges {
    fn is_empty(&self) -> bool {
        !self.wiped && self.owner.is_none() && self.absolute.is_none() && !self.lifetime
    }

    fn and_then(self, later: Self) -> Self {
        if later.wiped {
            return later;
        }
        Self {
            wiped: self.wiped,
            owner: later.owner.or(self.owner),
            absolute: later.absolute.or(self.absolute),
            lifetime: self.lifetime || later.lifetime,
        }
    }
}

impl Changes {
    /// All content was discarded first.
    pub(crate) fn wiped(&self) -> bool {
        self.head.wiped
    }

    /// The user that the session has got, if it has got another one and not none.
    pub(crate) fn signs_in(&self) -> Option<&str> {
        self.head.owner.as_ref()?.as_deref()
    }

    /// Whether replaying them runs closures of the application.
    pub(crate) fn run_closures(&self) -> bool {
        self.data.runs_closures() || self.system.runs_closures()
    }

    /// The absolute deadline that this visit set explicitly.
    pub(crate) fn absolute(&self) -> Option<Option<Timestamp>> {
        self.head.absolute
    }
}

/// Leaves out the values and the owner.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("data", &self.data).finish_non_exhaustive()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("data", &self.data).finish_non_exhaustive()
    }
}

/// Why a payload could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Not written by any version of this library.
    Corrupt,
    /// Written by a newer version.
    Newer,
}

impl Content {
    /// Reads a payload. Returns for any input, and allocates in proportion to it.
    pub(crate) fn decode(payload: &Payload, owner: Option<Arc<str>>) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(payload).map_err(|_| Unreadable::Corrupt)?;
        let parts: Parts<'_> = serde_json::from_str(text).map_err(|_| unreadable(text))?;
        // The values of a session are nested in two objects: the payload, and its bag.
        check_valid(payload, MAX_DEPTH + 2).map_err(|_| unreadable(text))?;
        if parts.v != FORMAT {
            return Err(unreadable(text));
        }
        let values = |fields: Option<Fields<'_>>| {
            Values::new(fields.map(|fields| Bag::of(payload, fields)).unwrap_or_default())
        };
        Ok(Self {
            data: values(parts.data),
            system: values(parts.system),
            flash: Flash::new(parts.flash),
            owner,
            changes: HeadChanges::default(),
        })
    }

    /// Writes the payload of a record with this etag; `changes` are the changes of the visit that are being written.
    pub(crate) fn encode(&self, changes: &Changes, etag: Etag) -> (Payload, Vec<Entry>) {
        // A payload rarely grows by more than this in one visit.
        let mut json = Vec::with_capacity(self.data.source_len().max(64) + 128);
        json.extend_from_slice(b"{\"v\":1");
        if !self.data.is_empty() {
            json.extend_from_slice(b",\"data\":");
            self.data.encode_into(&mut json);
        }
        let entries = self.flash.written(&changes.flash, etag);
        if !entries.is_empty() {
            json.extend_from_slice(b",\"flash\":");
            serde_json::to_writer(&mut json, &entries)
                .expect("strings, numbers and raw JSON always serialise");
        }
        if !self.system.is_empty() {
            json.extend_from_slice(b",\"system\":");
            self.system.encode_into(&mut json);
        }
        json.push(b'}');
        (json.into(), entries)
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
        *self = Self { changes: HeadChanges { wiped: true, ..HeadChanges::default() }, ..Self::default() };
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

/// The parts of a payload. Empty parts may be missing; unknown parts are ignored.
#[derive(Deserialize)]
struct Parts<'p> {
    v: u32,
    #[serde(borrow, default)]
    data: Option<Fields<'p>>,
    #[serde(default)]
    flash: Vec<Entry>,
    #[serde(borrow, default)]
    system: Option<Fields<'p>>,
}

/// Reads only the version of a payload, since other versions may have other parts.
fn unreadable(text: &str) -> Unreadable {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    match serde_json::from_str(text) {
        Ok(Version { v }) if v > FORMAT => Unreadable::Newer,
        Ok(_) | Err(_) => Unreadable::Corrupt,
    }
}

/// The version of the payload format.
const FORMAT: u32 = 1;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Content, Unreadable> {
        Content::decode(&text.as_bytes().into(), None)
    }

    #[test]
    fn parts_are_found_in_any_order_and_others_passed_over() {
        let text = r#" { "data" : {"a":{"b":[1]}} , "x":[{"v":9}], "\u0076": 1, "system":null } "#;
        let content = read(text).unwrap();
        assert_eq!((content.data.len(), content.system.len()), (1, 0));
        assert!(!content.flash.has_outgoing());
    }

    #[test]
    fn what_is_no_payload_is_refused() {
        for bad in [
            "",
            "null",
            "[]",
            "{\"v\":1",
            "{\"v\":1}x",
            "{\"v\":1,}",
            "{\"v\":1,\"v\":1}",
            "{\"v\":1,\"data\":{},\"data\":{}}",
            "{\"v\":-1}",
            "{\"v\":\"1\"}",
            "{\"v\":1,\"data\":[]}",
            "{\"v\":1,\"data\":nul}",
            "{\"v\":1,\"data\":{\"a\"}}",
            "{\"v\":1,\"flash\":{}}",
            "{\"v\":1,\"flash\":null}",
        ] {
            assert_eq!(read(bad).err(), Some(Unreadable::Corrupt), "{bad}");
        }
    }

    #[test]
    fn a_newer_version_is_known_whatever_stands_beside_it() {
        assert_eq!(read(r#"{"data":[],"v":7}"#).err(), Some(Unreadable::Newer));
        assert_eq!(read("{}").err(), Some(Unreadable::Corrupt));
    }
}
