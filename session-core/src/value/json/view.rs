//! Reading JSON, parsed or not, without changing it: kinds, children, deserializing, writing.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::Malformed;
use super::error::JsonError;
use super::index::index_of;
use super::node::{Node, Object};
use super::number::{Number, Parsed};
use super::split::{Fields, check, items};

/// One value, borrowed.
#[derive(Clone, Copy)]
pub(crate) enum View<'a> {
    Text(&'a [u8]),
    Array(&'a [Node]),
    Object(&'a Object),
}

impl Node {
    pub(crate) fn view(&self) -> View<'_> {
        match self {
            Self::Text(text) => View::Text(text),
            Self::Array(items) => View::Array(items),
            Self::Object(object) => View::Object(object),
        }
    }

    /// Returns an owned copy of a value with at most this nesting depth.
    pub(crate) fn copy(view: View<'_>, depth: usize) -> Result<Self, Malformed> {
        let text = view.to_vec();
        check(&text, depth)?;
        Ok(Self::Text(text.into()))
    }
}

impl Object {
    pub(crate) fn view(&self, name: &str) -> Option<View<'_>> {
        self.get(name).map(Node::view)
    }

    /// Iterates over names and values in insertion order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, View<'_>)> {
        self.iter().map(|(name, node)| (name, node.view()))
    }
}

/// The six types of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// Returns the name with its article, for messages.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

impl<'a> View<'a> {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Array(_) => Kind::Array,
            Self::Object(_) => Kind::Object,
            Self::Text(text) => match text.first() {
                Some(b'{') => Kind::Object,
                Some(b'[') => Kind::Array,
                Some(b'"') => Kind::String,
                Some(b't' | b'f') => Kind::Boolean,
                Some(b'n') | None => Kind::Null,
                Some(_) => Kind::Number,
            },
        }
    }

    pub(crate) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    pub(crate) fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// Returns the value under a name of this object, or at an index of this array.
    pub(crate) fn child(self, segment: &str) -> Option<Self> {
        match self {
            Self::Object(object) => object.view(segment),
            Self::Array(items) => items.get(usize::try_from(index_of(segment)?).ok()?).map(Node::view),
            Self::Text(text) => match self.kind() {
                Kind::Object => {
                    let Fields(fields) = Fields::of(text).ok()?;
                    let (_, value) = fields.into_iter().rev().find(|(name, _)| name == segment)?;
                    Some(Self::Text(value.get().as_bytes()))
                }
                Kind::Array => {
                    let index = usize::try_from(index_of(segment)?).ok()?;
                    items(text).ok()?.get(index).map(|item| Self::Text(item.get().as_bytes()))
                }
                Kind::Null | Kind::Boolean | Kind::Number | Kind::String => None,
            },
        }
    }

    /// Returns the value at a path below this one.
    pub(crate) fn at<'s>(self, path: impl IntoIterator<Item = &'s str>) -> Option<Self> {
        path.into_iter().try_fold(self, Self::child)
    }

    /// Returns the number of items of this array, or `None` if it is not an array.
    pub(crate) fn items_len(self) -> Option<usize> {
        match self {
            Self::Array(items) => Some(items.len()),
            Self::Object(_) => None,
            Self::Text(text) if self.kind() == Kind::Array => items(text).ok().map(|items| items.len()),
            Self::Text(_) => None,
        }
    }

    /// Returns the items of this array; empty for other values.
    pub(crate) fn items(self) -> Vec<Self> {
        match self {
            Self::Array(items) => items.iter().map(Node::view).collect(),
            Self::Object(_) => Vec::new(),
            Self::Text(text) => {
                let items = items(text).unwrap_or_default();
                items.into_iter().map(|item| Self::Text(item.get().as_bytes())).collect()
            }
        }
    }

    /// Returns the names and values of this object in the order in which they are written; empty for other values. If a
    /// name occurs twice, the last value counts.
    pub(crate) fn fields(self) -> IndexMap<Cow<'a, str>, Self> {
        match self {
            Self::Object(object) => object.fields().map(|(name, view)| (Cow::Borrowed(name), view)).collect(),
            Self::Array(_) => IndexMap::new(),
            Self::Text(text) => {
                let fields = Fields::of(text).map(|Fields(fields)| fields).unwrap_or_default();
                fields.into_iter().map(|(name, value)| (name, Self::Text(value.get().as_bytes()))).collect()
            }
        }
    }

    /// Deserializes the value. Null has no special meaning here.
    ///
    /// The error message quotes values. For one without values, use [`why`](Self::why).
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, serde_json::Error> {
        match self {
            Self::Text(text) => serde_json::from_slice(text),
            Self::Array(_) | Self::Object(_) => serde_json::from_slice(&self.to_vec()),
        }
    }

    /// Returns why the value cannot be read as this type.
    pub(crate) fn why<T: DeserializeOwned>(self) -> JsonError {
        JsonError::of_reading::<T>(&self.to_vec())
    }

    /// Returns the length of the JSON text, without the escapes of names. Does not write it.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Array(items) => 2 + items.iter().map(|item| 1 + item.view().size()).sum::<usize>(),
            Self::Object(object) => {
                2 + object.fields().map(|(name, value)| NAMED + name.len() + value.size()).sum::<usize>()
            }
        }
    }

    pub(crate) fn to_vec(self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// Appends the JSON text. Unparsed parts are copied unchanged.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text),
            Self::Array(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    item.view().write(out);
                }
                out.push(b']');
            }
            Self::Object(object) => {
                out.push(b'{');
                for (at, (name, value)) in object.fields().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    write_name(name, out);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }
}

/// Returns the float closest to these digits, or infinity if they exceed its range.
fn nearest(digits: &[u8]) -> f64 {
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(f64::NAN)
}

fn write_name(name: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, name).expect("a string is always JSON");
}

/// Serializes field by field, for any format and any template engine.
impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.kind() {
            Kind::Null => serializer.serialize_unit(),
            Kind::Boolean => {
                serializer.serialize_bool(matches!(self, View::Text(text) if text.first() == Some(&b't')))
            }
            Kind::Number => match self {
                View::Text(text) => match Number::parse(text) {
                    Parsed::Number(number) => number.serialize(serializer),
                    // Only digits that a client sent are wider than any type: the closest float.
                    Parsed::TooWide | Parsed::NotANumber => serializer.serialize_f64(nearest(text)),
                },
                View::Array(_) | View::Object(_) => Err(S::Error::custom("a container is no number")),
            },
            Kind::String => match self.read::<String>() {
                Ok(string) => serializer.serialize_str(&string),
                Err(_) => Err(S::Error::custom("a string is malformed")),
            },
            Kind::Array => {
                let items = self.items();
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(&item)?;
                }
                seq.end()
            }
            Kind::Object => {
                let fields = self.fields();
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(&name, &value)?;
                }
                map.end()
            }
        }
    }
}

/// The bytes around a name in an object: `"":,`.
pub(crate) const NAMED: usize = 4;
