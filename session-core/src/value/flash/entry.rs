//! One flashed value, as it stands in a record, and the changes that a visit makes to the list of them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

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

impl FlashBag {
    /// The order in which the bags give way where a record is too large: a person misses typed fields least of all.
    pub(crate) const GIVING_WAY: [Self; 3] = [Self::Input, Self::Errors, Self::Messages];
}

/// One flashed value. In a record it has an id; a value flashed by this visit has none until it is written.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(default)]
    pub(super) id: u64,
    #[serde(rename = "in")]
    pub(crate) bag: FlashBag,
    /// The form that input and errors belong to, where a page has several; empty for the page's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) form: String,
    pub(super) key: Vec<String>,
    pub(super) value: Box<RawValue>,
    /// Appended to the list under its key, instead of put there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) push: bool,
}

impl Entry {
    pub(super) fn new(bag: FlashBag, key: Vec<String>, value: Box<RawValue>) -> Self {
        Self { id: 0, bag, form: String::new(), key, value, push: false }
    }

    /// All fields of a form together, which have no key.
    pub(super) fn is_form(&self, form: &str) -> bool {
        self.bag == FlashBag::Input && self.key.is_empty() && self.form == form
    }

    /// Returns the number of bytes that the entry adds to a record, approximately.
    pub(super) fn size(&self) -> usize {
        let key = self.key.iter().map(|segment| segment.len() + 3).sum::<usize>();
        FRAMING + self.form.len() + key + self.value.get().len()
    }

    pub(super) fn replaces(&self, old: &Self) -> bool {
        (self.bag, &self.form, &self.key) == (old.bag, &old.form, &old.key)
    }
}

/// Leaves out key and value, since they are a visitor's data.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?})", self.bag)
    }
}

/// The changes of this visit, replayed on a newer record.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlashChanges {
    pub(super) take: Vec<u64>,
    pub(super) kept: Vec<Entry>,
    pub(super) outgoing: Vec<Entry>,
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

/// Folds: a message or input of the same name replaces the earlier one; errors and pushed messages add up.
pub(super) fn add(entries: &mut Vec<Entry>, new: Entry) {
    if new.bag != FlashBag::Errors && !new.push {
        entries.retain(|old| !new.replaces(old));
    }
    entries.push(new);
}

/// The names of an entry's parts, and its id.
const FRAMING: usize = 32;

/// Takes the entries of one bag out, the next in the order of giving way. `None` if there are none of any.
pub(crate) fn give_way(entries: &mut Vec<Entry>) -> Option<FlashBag> {
    let next = |bag: &FlashBag| entries.iter().any(|entry| entry.bag == *bag);
    let bag = FlashBag::GIVING_WAY.into_iter().find(next)?;
    entries.retain(|entry| entry.bag != bag);
    Some(bag)
}
