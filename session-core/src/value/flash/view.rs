//! What the previous visit left, read like any other values: messages, and for each form its input and errors.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::value::RawValue;

use super::entry::{Entry, FlashBag};
use super::fields::{field_path, form_of};
use crate::value::path::Path;
use crate::value::values::Values;

/// What the previous visit left.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlashView {
    /// Messages.
    pub(crate) messages: Values,
    /// The form that has no name.
    pub(crate) form: FormView,
    /// Forms that stand side by side, by their names.
    pub(crate) named: BTreeMap<String, FormView>,
    /// The keys of messages that were pushed: lists that grow.
    pub(super) pushed: BTreeSet<Vec<String>>,
}

/// What the previous visit left of one form.
#[derive(Clone, Debug, Default)]
pub(crate) struct FormView {
    /// Old input.
    pub(crate) input: Values,
    /// Field, its name written with dots, to list of messages. Flat: `tags` and `tags.0` may both have some.
    pub(crate) errors: Values,
}

impl FlashView {
    pub(super) fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut view = Self::default();
        entries.into_iter().for_each(|entry| view.add(entry));
        view
    }

    pub(crate) fn bag(&self, bag: FlashBag) -> &Values {
        match bag {
            FlashBag::Messages => &self.messages,
            FlashBag::Input => &self.form.input,
            FlashBag::Errors => &self.form.errors,
        }
    }

    /// The form of this name; the empty name is the form without one.
    pub(crate) fn form(&self, name: &str) -> Option<&FormView> {
        if name.is_empty() { Some(&self.form) } else { self.named.get(name) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let is_empty = |form: &FormView| form.input.is_empty() && form.errors.is_empty();
        self.messages.is_empty() && is_empty(&self.form) && self.named.values().all(is_empty)
    }

    /// The names of all forms that something was left of.
    pub(super) fn forms(&self) -> Vec<String> {
        std::iter::once(String::new()).chain(self.named.keys().cloned()).collect()
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        if entry.bag == FlashBag::Messages {
            return match entry.push {
                true => self.push(entry),
                false => {
                    self.pushed.remove(&entry.key);
                    put(&mut self.messages, &entry.key, &entry.value);
                }
            };
        }
        let form = match entry.form.is_empty() {
            true => &mut self.form,
            false => self.named.entry(entry.form.clone()).or_default(),
        };
        match entry.bag {
            FlashBag::Input if entry.key.is_empty() => {
                for (name, value) in form_of(&entry.value) {
                    put(&mut form.input, &[name], &value);
                }
            }
            FlashBag::Input => put(&mut form.input, &entry.key, &entry.value),
            FlashBag::Errors => form.add_errors(&entry.key.join("."), &entry.value),
            FlashBag::Messages => {}
        }
    }

    /// A message that is there already becomes the first of the list.
    fn push(&mut self, entry: &Entry) {
        let mut list = match self.messages.get::<Vec<Box<RawValue>>>(&entry.key) {
            Ok(Some(list)) => list,
            Ok(None) => Vec::new(),
            Err(_) => self.messages.get(&entry.key).ok().flatten().into_iter().collect(),
        };
        list.push(entry.value.clone());
        self.pushed.insert(entry.key.clone());
        put(&mut self.messages, &entry.key, list);
    }
}

impl FormView {
    /// The messages for a field, `profile.email` or `profile[email]`.
    pub(crate) fn errors_at(&self, field: Path<'_>) -> Vec<String> {
        self.errors_of(&field_path(&field.to_string()).join("."))
    }

    fn errors_of(&self, field: &str) -> Vec<String> {
        self.errors.get(field).ok().flatten().unwrap_or_default()
    }

    fn add_errors(&mut self, field: &str, messages: &RawValue) {
        let mut all = self.errors_of(field);
        all.extend(serde_json::from_str::<Vec<String>>(messages.get()).unwrap_or_default());
        // The names of a merged object are literal, dots and all; its arrays replace.
        let merged = self.errors.merge(BTreeMap::from([(field, all)]));
        debug_assert!(merged.is_ok(), "an object of lists of text can always be merged");
    }
}

/// The last one wins: what stands in the way goes. A name that is a number makes no array.
fn put<V: Serialize>(values: &mut Values, key: &[String], value: V) {
    // What cannot be put was not written by this library: it was put once when it was flashed.
    let _ = values.put_by_names(key, value);
}
