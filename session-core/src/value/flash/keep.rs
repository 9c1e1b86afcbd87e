//! Keeping what a visit shows for one visit more: everything, some keys, or all but some.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Flash;
use super::entry::{Entry, FlashBag};
use super::fields::{field_path, form_of, names, whole};
use crate::value::error::ValueError;
use crate::value::form;
use crate::value::path::Path;
use crate::value::secret::SecretFields;

impl Flash {
    /// Keeps what is shown under these keys, in any of the three bags, for the next visit.
    pub(crate) fn keep(&mut self, keys: &[Path<'_>]) -> Result<(), ValueError> {
        self.has_seen();
        for path in keys {
            let messages = &self.shown().messages;
            if messages.exists(*path) {
                let value = messages.get::<Box<RawValue>>(*path)?.unwrap_or_else(null);
                let key = messages.segments(*path)?;
                self.keep_message(key, value);
            }
            self.keep_errors(|field| is_at_or_below(field, *path))?;
        }
        self.keep_input(|input| {
            let named: Vec<_> = keys.iter().map(|path| names(&input, *path)).collect();
            // A secret that was shown was named when it was flashed.
            form::only(&input, &named, &SecretFields::only([""; 0]))
        })
    }

    /// Keeps everything that is shown for the next visit, except these keys.
    pub(crate) fn keep_all_but(&mut self, except: &[Path<'_>]) -> Result<(), ValueError> {
        self.has_seen();
        self.keep_errors(|field| !except.iter().any(|path| is_at_or_below(field, *path)))?;
        self.keep_input(|input| {
            let named: Vec<_> = except.iter().map(|path| names(&input, *path)).collect();
            form::except(input, &named, &SecretFields::only([""; 0]))
        })?;
        let mut left = self.shown().messages.clone();
        except.iter().for_each(|path| left.forget(*path));
        for name in left.keys() {
            let key = vec![name];
            let value = left.get::<Box<RawValue>>(&key)?.unwrap_or_else(null);
            self.keep_message(key, value);
        }
        Ok(())
    }

    /// A list that was pushed is kept item by item, so that what other visits push stands beside it.
    fn keep_message(&mut self, key: Vec<String>, value: Box<RawValue>) {
        if !self.kept.insert((FlashBag::Messages, String::new(), key.clone())) {
            return;
        }
        let items =
            self.shown().pushed.contains(&key).then(|| serde_json::from_str(value.get()).ok()).flatten();
        match items {
            Some(items) => {
                let items: Vec<Box<RawValue>> = items;
                let entry = |item| Entry { push: true, ..Entry::new(FlashBag::Messages, key.clone(), item) };
                self.changes.kept.extend(items.into_iter().map(entry));
            }
            None => self.changes.kept.push(Entry::new(FlashBag::Messages, key, value)),
        }
    }

    fn keep_errors(&mut self, wanted: impl Fn(&str) -> bool) -> Result<(), ValueError> {
        for form in self.shown().forms() {
            let Some(view) = self.shown().form(&form) else { continue };
            let errors = view.errors.clone();
            for field in errors.keys().into_iter().filter(|field| wanted(field)) {
                let key = vec![field];
                let value = errors.get::<Box<RawValue>>(&key)?.unwrap_or_else(null);
                if self.kept.insert((FlashBag::Errors, form.clone(), key.clone())) {
                    let entry = Entry::new(FlashBag::Errors, key, value);
                    self.changes.kept.push(Entry { form: form.clone(), ..entry });
                }
            }
        }
        Ok(())
    }

    /// Keeps a part of each form's input: one entry for a form, to which several calls add.
    fn keep_input(
        &mut self,
        part: impl Fn(Map<String, Value>) -> Map<String, Value>,
    ) -> Result<(), ValueError> {
        for name in self.shown().forms() {
            let Some(view) = self.shown().form(&name) else { continue };
            let more = part(view.input.extract()?);
            if more.is_empty() {
                continue;
            }
            let at = self.changes.kept.iter().position(|entry| entry.is_form(&name));
            let mut fields = at.map(|at| form_of(&self.changes.kept.remove(at).value)).unwrap_or_default();
            form::merge(&mut fields, more);
            let entry = Entry::new(FlashBag::Input, Vec::new(), whole(&fields)?);
            self.changes.kept.push(Entry { form: name, ..entry });
        }
        Ok(())
    }
}

fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

/// Returns whether a field of the errors is this one, or a part of it.
fn is_at_or_below(field: &str, path: Path<'_>) -> bool {
    let path = field_path(&path.to_string()).join(".");
    field.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
