//! One JSON value: text, or a container of which one level is parsed because something in it changes.

use bytes::Bytes;
use indexmap::IndexMap;

use super::Malformed;
use super::number::Number;
use super::split::{Fields, check_valid};

/// An owned value. Text is a slice of the buffer that it was read from.
#[derive(Clone)]
pub(crate) enum Node {
    Text(Bytes),
    Array(Vec<Node>),
    Object(Box<Object>),
}

impl Node {
    pub(crate) fn null() -> Self {
        Self::Text(Bytes::from_static(b"null"))
    }

    pub(crate) fn number(number: Number) -> Self {
        Self::Text(number.to_string().into())
    }

    /// Creates a value from text that `serde_json` has written, of at most `depth` levels.
    pub(crate) fn written(text: Vec<u8>, depth: usize) -> Result<Self, Malformed> {
        check_valid(&text, depth)?;
        Ok(Self::Text(text.into()))
    }

    /// Writes a parsed container as text again, which releases the text that it was parsed from.
    pub(crate) fn compact(&mut self) {
        match self {
            Self::Text(_) => {}
            Self::Array(_) | Self::Object(_) => *self = Self::Text(self.view().to_vec().into()),
        }
    }
}

/// A parsed object: UTF-8 names and their values, in insertion order. If a name occurs twice, the last value counts.
#[derive(Clone, Default)]
pub(crate) struct Object(IndexMap<Bytes, Node>);

impl Object {
    /// Parses text that is an object.
    pub(crate) fn open(text: &Bytes) -> Result<Self, Malformed> {
        Ok(Self::of(text, Fields::of(text)?))
    }

    /// Creates an object from fields that were read from this text.
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

    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.0.get(name.as_bytes())
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.0.get_mut(name.as_bytes())
    }

    /// Iterates over names and values in insertion order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(name, node)| (std::str::from_utf8(name).unwrap_or_default(), node))
    }

    /// Returns the value under `name`, which is created as null if it is missing.
    pub(crate) fn place(&mut self, name: &str) -> &mut Node {
        let at = self
            .0
            .get_index_of(name.as_bytes())
            .unwrap_or_else(|| self.0.insert_full(Bytes::copy_from_slice(name.as_bytes()), Node::null()).0);
        &mut self.0[at]
    }

    /// Removes one name. In a large object, the last name takes its place, because moving all later names would cost too
    /// much.
    pub(super) fn remove(&mut self, name: &str) {
        if self.0.len() <= FEW {
            self.0.shift_remove(name.as_bytes());
        } else {
            self.0.swap_remove(name.as_bytes());
        }
    }

    /// Removes everything.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Writes the fields of which a part was changed as text again.
    pub(crate) fn compact(&mut self) {
        self.0.values_mut().for_each(Node::compact);
    }
}

/// The largest object in which a removal keeps the order of the other names.
const FEW: usize = 16;
