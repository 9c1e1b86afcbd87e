//! An object that was opened one level: names in the order they came, values still the text they came in.

use bytes::Bytes;
use indexmap::IndexMap;

use super::Malformed;
use super::node::{Forgot, Node};
use super::split::Fields;
use super::view::View;

/// Names, as UTF-8, to values. Of a name written twice the last value counts.
#[derive(Clone, Default)]
pub(crate) struct Object(IndexMap<Bytes, Node>);

impl Object {
    /// Opens text that is an object.
    pub(crate) fn open(text: &Bytes) -> Result<Self, Malformed> {
        Ok(Self::of(text, Fields::of(text)?))
    }

    /// Takes fields that were read from this text.
    pub(crate) fn of(text: &Bytes, fields: Fields<'_>) -> Self {
        let name = |name| match name {
            std::borrow::Cow::Borrowed(name) => text.slice_ref(str::as_bytes(name)),
            std::borrow::Cow::Owned(name) => Bytes::from(name),
        };
        let value = |raw: &serde_json::value::RawValue| Node::Text(text.slice_ref(raw.get().as_bytes()));
        Self(fields.0.into_iter().map(|(key, raw)| (name(key), value(raw))).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn view(&self, name: &str) -> Option<View<'_>> {
        self.0.get(name.as_bytes()).map(Node::view)
    }

    /// Names and values in the order they came.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, View<'_>)> {
        self.0.iter().map(|(name, node)| (std::str::from_utf8(name).unwrap_or_default(), node.view()))
    }

    /// The value under `name`, null when it is new.
    pub(crate) fn place(&mut self, name: &str) -> &mut Node {
        let at = self
            .0
            .get_index_of(name.as_bytes())
            .unwrap_or_else(|| self.0.insert_full(Bytes::copy_from_slice(name.as_bytes()), Node::null()).0);
        &mut self.0[at]
    }

    /// Removes what `name` and then `rest` mean, and every parent that becomes empty thereby, but not this object.
    pub(crate) fn forget(&mut self, name: &str, rest: &[Box<str>]) -> Forgot {
        let Some(node) = self.0.get_mut(name.as_bytes()) else { return Forgot::Nothing };
        let forgot = if rest.is_empty() { Forgot::Emptied } else { node.forget(rest) };
        if forgot == Forgot::Emptied {
            if self.0.len() <= FEW {
                self.0.shift_remove(name.as_bytes());
            } else {
                // Among many, the last one takes the place that became free: to move all of them up would cost too much.
                self.0.swap_remove(name.as_bytes());
            }
        }
        forgot.unless(!self.0.is_empty())
    }

    /// Removes everything.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Up to so many names, a removal keeps the order of the others.
const FEW: usize = 16;
