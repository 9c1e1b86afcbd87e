//! Flash: what one visit leaves for the next visit that opens the session and shows something, and only for that one.
//!
//! Three bags that cannot be confused: messages, form input, errors. In a record they are a list of entries, each with
//! an id of its own, so that a visit takes away exactly the entries it has shown and never one that a parallel request
//! has left meanwhile. Taking, keeping and flashing are journalled like every other change and replayed on conflict.

mod entry;
mod fields;
mod keep;
mod limit;
mod view;

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::bound::Bound;
use super::error::ValueError;
use super::form;
use super::id::Etag;
use super::path::Path;
use super::values::Values;

pub use entry::FlashBag;
pub(crate) use entry::{Entry, FlashChanges, give_way};
pub(crate) use fields::{field_path, names};
pub(crate) use view::{FlashView, FormView};

use fields::{form_of, whole};

/// The flash of one visit: what it shows, and what it leaves for the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flash {
    /// In the record this visit stands on.
    stored: Vec<Entry>,
    /// None where there is nothing to show, which is most of the time.
    shown: Option<Box<FlashView>>,
    /// Whether anybody has looked at what is shown, or decided what becomes of it.
    seen: Seen,
    changes: FlashChanges,
    /// What is taken once the response shows something, unless it was taken before.
    held: Vec<u64>,
    /// Keys kept already, so that two calls add up and do not double.
    kept: BTreeSet<(FlashBag, String, Vec<String>)>,
    /// For what this visit leaves, and separately for the messages that only it shows.
    bound: Bound,
    now: Bound,
    /// The bags that were dropped because of the bound, since this was last told.
    gave_way: Vec<FlashBag>,
}

/// Set through a shared reference, since looking is not a change.
#[derive(Debug, Default)]
struct Seen(AtomicBool);

impl Clone for Seen {
    fn clone(&self) -> Self {
        Self(AtomicBool::new(self.0.load(Ordering::Relaxed)))
    }
}

impl Flash {
    pub(crate) fn new(stored: Vec<Entry>) -> Self {
        Self { stored, ..Self::default() }
    }

    /// Shows what the previous visit left without removing it, for read-only access.
    pub(crate) fn show(&mut self) {
        self.shown = (!self.stored.is_empty()).then(|| Box::new(FlashView::of(&self.stored)));
    }

    /// Removes what is shown, so that the next visit does not show it.
    pub(crate) fn take(&mut self) {
        self.changes.take.extend(self.stored.iter().map(|entry| entry.id));
    }

    /// Puts off the removal until the response is known: a commit in the middle of a visit does not tell whether the
    /// visit will show anything. What was seen already is removed now, unless nothing that this visit answers is shown.
    pub(crate) fn hold(&mut self, shows_nothing: bool) {
        if shows_nothing || !self.seen.0.load(Ordering::Relaxed) {
            self.held.append(&mut self.changes.take);
        }
    }

    /// Removes what was put off.
    pub(crate) fn release(&mut self) {
        self.changes.take.append(&mut self.held);
    }

    /// Passes what is shown on to the next visit, because this one shows nothing. `at_all`: whatever a handler has read.
    pub(crate) fn pass_on(&mut self, at_all: bool) {
        if at_all || !self.seen.0.load(Ordering::Relaxed) {
            self.held.clear();
            self.changes.take.clear();
            self.changes.kept.clear();
        }
    }

    /// Returns what this visit shows, to somebody who shows it.
    pub(crate) fn see(&self) -> &FlashView {
        self.has_seen();
        self.shown()
    }

    fn has_seen(&self) {
        self.seen.0.store(true, Ordering::Relaxed);
    }

    fn shown(&self) -> &FlashView {
        self.shown.as_deref().unwrap_or(&NOTHING_SHOWN)
    }

    /// Returns whether anything is left for the next visit.
    pub(crate) fn has_outgoing(&self) -> bool {
        self.leaves_something(&self.changes)
    }

    /// Leaves a value under these segments.
    pub(crate) fn flash(
        &mut self,
        bag: FlashBag,
        key: Vec<String>,
        value: Box<RawValue>,
    ) -> Result<(), ValueError> {
        if bag != FlashBag::Errors {
            check(&key, &value)?;
        }
        self.leave(Entry::new(bag, key, value))
    }

    /// Leaves a value at a path; a literal name takes precedence.
    pub(crate) fn flash_at(
        &mut self,
        bag: FlashBag,
        path: Path<'_>,
        value: Box<RawValue>,
    ) -> Result<(), ValueError> {
        let key = self.shown().bag(bag).segments(path)?;
        self.flash(bag, key, value)
    }

    /// Leaves a value at the end of the list at a path.
    pub(crate) fn push_at(&mut self, path: Path<'_>, value: Box<RawValue>) -> Result<(), ValueError> {
        let key = self.shown().messages.segments(path)?;
        check(&key, &value)?;
        let entry = Entry::new(FlashBag::Messages, key, value);
        self.leave(Entry { push: true, ..entry })
    }

    /// Leaves the messages for a field of a form.
    pub(crate) fn flash_errors(
        &mut self,
        form: &str,
        field: Vec<String>,
        messages: Box<RawValue>,
    ) -> Result<(), ValueError> {
        let entry = Entry::new(FlashBag::Errors, field, messages);
        self.leave(Entry { form: form.to_owned(), ..entry })
    }

    /// Leaves the fields of a form, beside those that this visit has left already: one entry for all of them, so that a
    /// field costs little more than its bytes. A field that was left before is replaced.
    pub(crate) fn flash_form(&mut self, form: &str, fields: Map<String, Value>) -> Result<(), ValueError> {
        let mut all = self.outgoing_form(form);
        all.extend(fields);
        self.replace_form(form, &all)
    }

    /// Adds parts of a form's fields to those that this visit has left already.
    pub(crate) fn flash_parts(&mut self, form: &str, parts: Map<String, Value>) -> Result<(), ValueError> {
        let mut all = self.outgoing_form(form);
        form::merge(&mut all, parts);
        self.replace_form(form, &all)
    }

    fn replace_form(&mut self, form: &str, fields: &Map<String, Value>) -> Result<(), ValueError> {
        let entry = Entry::new(FlashBag::Input, Vec::new(), whole(fields)?);
        self.leave(Entry { form: form.to_owned(), ..entry })
    }

    fn outgoing_form(&self, form: &str) -> Map<String, Value> {
        let left = self.changes.outgoing.iter().find(|entry| entry.is_form(form));
        left.map(|entry| form_of(&entry.value)).unwrap_or_default()
    }

    /// Adds a value for this visit only, unless it is kept.
    pub(crate) fn now_at(&mut self, path: Path<'_>, value: Box<RawValue>) -> Result<(), ValueError> {
        let key = self.shown().messages.segments(path)?;
        check(&key, &value)?;
        self.add_now(&Entry::new(FlashBag::Messages, key, value))
    }

    pub(crate) fn is_changed(&self) -> bool {
        !self.changes.is_empty() || !self.held.is_empty()
    }

    pub(crate) fn take_changes(&mut self) -> FlashChanges {
        std::mem::take(&mut self.changes)
    }

    /// Puts back earlier changes that were not written, before the later ones.
    pub(crate) fn put_back(&mut self, earlier: FlashChanges) {
        let later = std::mem::take(&mut self.changes);
        self.changes = earlier.and_then(later);
    }

    /// Replaces the base by a newer record. What this visit shows does not change.
    pub(crate) fn rebase(&mut self, stored: Vec<Entry>) {
        self.stored = stored;
    }

    /// Returns whether a record written now has flash entries.
    pub(crate) fn leaves_something(&self, changes: &FlashChanges) -> bool {
        !changes.kept.is_empty()
            || !changes.outgoing.is_empty()
            || self.stored.iter().any(|entry| !changes.take.contains(&entry.id))
    }

    /// Returns the entries of a record that is written now with this etag, after these changes.
    pub(crate) fn written(&self, changes: &FlashChanges, etag: Etag) -> Vec<Entry> {
        let standing = self.stored.iter().filter(|entry| !changes.take.contains(&entry.id)).cloned();
        let new = changes.kept.iter().chain(&changes.outgoing).zip(0_u64..).map(|(entry, nth)| Entry {
            // An etag is random, so these never meet another record's numbers.
            id: etag.get().wrapping_add(nth),
            ..entry.clone()
        });
        standing.chain(new).collect()
    }
}

/// A value that the next visit could not show is refused now.
fn check(key: &[String], value: &RawValue) -> Result<(), ValueError> {
    Values::default().put_by_names(key, value)
}

/// An empty bag.
static NOTHING_SHOWN: LazyLock<FlashView> = LazyLock::new(FlashView::default);
