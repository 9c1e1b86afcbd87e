//! Flash: what one visit leaves for the next visit that opens the session, and only for that one.
//!
//! Three bags that cannot be confused: messages, form input, errors. In a record they are a list of entries, each with
//! an id of its own, so that a visit takes away exactly the entries it has shown and never one that a parallel request
//! has left meanwhile. Taking, keeping and flashing are journalled like every other change and replayed on conflict.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::error::ValueError;
use super::id::Etag;
use super::json::strict::to_raw;
use super::path::Path;
use super::values::Values;

/// Which of the three bags an entry is in.
///
/// ```
/// use session_core::machine::FlashBag;
///
/// // Their names in a record.
/// assert_eq!(serde_json::to_string(&FlashBag::Input)?, "\"input\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the bags there are")]
pub enum FlashBag {
    /// Messages for the person: `flash("status", "Saved")`.
    Messages,
    /// Old input: the fields of a rejected form.
    Input,
    /// Validation errors: fields, each with a list of messages.
    Errors,
}

/// One flashed value. In a record it has an id; a value flashed by this visit has none until it is written.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(default)]
    id: u64,
    #[serde(rename = "in")]
    bag: FlashBag,
    key: Vec<String>,
    value: Box<RawValue>,
}

/// Leaves out key and value, since they are a visitor's data.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?})", self.bag)
    }
}

/// The flash of one visit: what it shows, and what it leaves for the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flash {
    /// In the record this visit stands on.
    stored: Vec<Entry>,
    /// None where there is nothing to show, which is most of the time.
    shown: Option<Box<FlashView>>,
    changes: FlashChanges,
    /// Keys kept already, so that two calls add up and do not double.
    kept: BTreeSet<(FlashBag, Vec<String>)>,
}

/// The changes of this visit, replayed on a newer record.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlashChanges {
    take: Vec<u64>,
    kept: Vec<Entry>,
    outgoing: Vec<Entry>,
}

impl FlashChanges {
    pub(crate) fn is_empty(&self) -> bool {
        self.take.is_empty() && self.kept.is_empty() && self.outgoing.is_empty()
    }

    /// `self` happened before `later`.
    pub(crate) fn and_then(mut self, later: Self) -> Self {
        self.take.extend(later.take);
        self.kept.extend(later.kept);
        later.outgoing.into_iter().for_each(|entry| add(&mut self.outgoing, entry));
        self
    }
}

/// What the previous visit left: three bags, read like any other values.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlashView {
    /// Messages.
    pub(crate) messages: Values,
    /// Old form input.
    pub(crate) input: Values,
    /// Field, its name written with dots, to list of messages. Flat: `tags` and `tags.0` may both have some.
    pub(crate) errors: Values,
}

impl FlashView {
    fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut view = Self::default();
        entries.into_iter().for_each(|entry| view.add(entry));
        view
    }

    pub(crate) fn bag(&self, bag: FlashBag) -> &Values {
        match bag {
            FlashBag::Messages => &self.messages,
            FlashBag::Input => &self.input,
            FlashBag::Errors => &self.errors,
        }
    }

    /// The messages for a field, `profile.email` or `profile[email]`.
    pub(crate) fn errors_at(&self, field: Path<'_>) -> Vec<String> {
        self.errors_of(&field_path(&field.to_string()).join("."))
    }

    fn errors_of(&self, field: &str) -> Vec<String> {
        self.errors.get(field).ok().flatten().unwrap_or_default()
    }

    fn add(&mut self, entry: &Entry) {
        match entry.bag {
            FlashBag::Messages => put(&mut self.messages, &entry.key, &entry.value),
            FlashBag::Input if entry.key.is_empty() => {
                for (name, value) in form_of(&entry.value) {
                    put(&mut self.input, &[name], &value);
                }
            }
            FlashBag::Input => put(&mut self.input, &entry.key, &entry.value),
            FlashBag::Errors => {
                let field = entry.key.join(".");
                let mut all = self.errors_of(&field);
                all.extend(serde_json::from_str::<Vec<String>>(entry.value.get()).unwrap_or_default());
                // The names of a merged object are literal, dots and all; its arrays replace.
                let merged = self.errors.merge(BTreeMap::from([(field, all)]));
                debug_assert!(merged.is_ok(), "an object of lists of text can always be merged");
            }
        }
    }
}

/// The last one wins: what stands in the way goes. A name that is a number makes no array.
fn put<V: Serialize>(values: &mut Values, key: &[String], value: V) {
    // What cannot be put was not written by this library: it was put once when it was flashed.
    let _ = values.put_by_names(key, value);
}

/// The fields of a form that was flashed.
fn form_of(json: &RawValue) -> Map<String, Value> {
    serde_json::from_str(json.get()).unwrap_or_default()
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

    /// Returns what this visit shows.
    pub(crate) fn shown(&self) -> &FlashView {
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
            // A value that the next visit could not show is refused now.
            Values::default().put_by_names(&key, &value)?;
        }
        add(&mut self.changes.outgoing, Entry { id: 0, bag, key, value });
        Ok(())
    }

    /// Leaves the fields of a form, beside those that this visit has left already: one entry for all of them, so that a
    /// field costs little more than its bytes.
    pub(crate) fn flash_form(&mut self, fields: Map<String, Value>) -> Result<(), ValueError> {
        let mut form = self.outgoing_form();
        form.extend(fields);
        let not_json = |source| ValueError::NotJson { key: "the form".to_owned(), source };
        let value = to_raw(&form).map_err(not_json)?;
        add(&mut self.changes.outgoing, Entry { id: 0, bag: FlashBag::Input, key: Vec::new(), value });
        Ok(())
    }

    /// The fields that this visit has left with [`flash_form`](Self::flash_form).
    pub(crate) fn outgoing_form(&self) -> Map<String, Value> {
        let left = |entry: &&Entry| entry.bag == FlashBag::Input && entry.key.is_empty();
        self.changes.outgoing.iter().find(left).map(|entry| form_of(&entry.value)).unwrap_or_default()
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

    /// Adds a value for this visit only, unless it is kept.
    pub(crate) fn now_at(&mut self, path: Path<'_>, value: Box<RawValue>) -> Result<(), ValueError> {
        let key = self.shown().messages.segments(path)?;
        Values::default().put_by_names(&key, &value)?;
        self.shown.get_or_insert_default().add(&Entry { id: 0, bag: FlashBag::Messages, key, value });
        Ok(())
    }

    /// Keeps what is shown under these keys, in any of the three bags, for the next visit.
    pub(crate) fn keep(&mut self, keys: &[Path<'_>]) -> Result<(), ValueError> {
        for path in keys {
            for bag in [FlashBag::Messages, FlashBag::Input] {
                let shown = self.shown().bag(bag);
                if shown.exists(*path) {
                    let value = shown.get::<Box<RawValue>>(*path)?.unwrap_or_else(null);
                    let key = shown.segments(*path)?;
                    self.keep_one(bag, key, value);
                }
            }
            self.keep_errors(|field| is_at_or_below(field, *path))?;
        }
        Ok(())
    }

    /// Keeps everything that is shown for the next visit, except these keys.
    pub(crate) fn keep_all_but(&mut self, except: &[Path<'_>]) -> Result<(), ValueError> {
        self.keep_errors(|field| !except.iter().any(|path| is_at_or_below(field, *path)))?;
        for bag in [FlashBag::Messages, FlashBag::Input] {
            let mut left = self.shown().bag(bag).clone();
            for path in except {
                left.forget(*path);
            }
            for name in left.keys() {
                let key = vec![name];
                let value = left.get::<Box<RawValue>>(&key)?.unwrap_or_else(null);
                self.keep_one(bag, key, value);
            }
        }
        Ok(())
    }

    fn keep_errors(&mut self, wanted: impl Fn(&str) -> bool) -> Result<(), ValueError> {
        for field in self.shown().errors.keys().into_iter().filter(|field| wanted(field)) {
            let key = vec![field];
            let value = self.shown().errors.get::<Box<RawValue>>(&key)?.unwrap_or_else(null);
            self.keep_one(FlashBag::Errors, key, value);
        }
        Ok(())
    }

    fn keep_one(&mut self, bag: FlashBag, key: Vec<String>, value: Box<RawValue>) {
        if self.kept.insert((bag, key.clone())) {
            self.changes.kept.push(Entry { id: 0, bag, key, value });
        }
    }

    pub(crate) fn is_changed(&self) -> bool {
        !self.changes.is_empty()
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

/// Folds: a message or input of the same name replaces the earlier one; errors add up.
fn add(entries: &mut Vec<Entry>, new: Entry) {
    if new.bag != FlashBag::Errors {
        entries.retain(|old| (old.bag, &old.key) != (new.bag, &new.key));
    }
    entries.push(new);
}

/// The segments of a form field's name: `profile[email]` and `profile.email` are the same field; a name that is no path
/// is one segment.
pub(crate) fn field_path(name: &str) -> Vec<String> {
    Values::default().segments(Path::text(name)).unwrap_or_else(|_| vec![name.to_owned()])
}

/// An empty bag.
static NOTHING_SHOWN: LazyLock<FlashView> = LazyLock::new(FlashView::default);

fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

/// Returns whether a field of the errors is this one, or a part of it.
fn is_at_or_below(field: &str, path: Path<'_>) -> bool {
    let path = field_path(&path.to_string()).join(".");
    field.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
