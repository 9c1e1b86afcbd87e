//! Looking at JSON, opened or not, without changing it: kinds, children, reading into a type, writing.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::super::path::index_of;
use super::number::{Number, Parsed};
use super::object::Object;
use super::scan::{Fields, Items};
use super::tree::Array;
use super::{MAX_DEPTH, Malformed, Span};

/// One value, borrowed.
#[derive(Clone, Copy)]
pub(crate) enum View<'a> {
    Text(&'a [u8]),
    Array(&'a Array),
    Object(&'a Object),
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
    /// With its article, for messages.
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

    /// The value under a name of this object, or at an index of this array.
    pub(crate) fn child(self, segment: &str) -> Option<Self> {
        match self {
            Self::Object(object) => object.view(segment),
            Self::Array(array) => array.view(usize::try_from(index_of(segment)?).ok()?),
            Self::Text(text) => match self.kind() {
                Kind::Object => {
                    let mut fields = Fields::new(text, 0, MAX_DEPTH).ok()?;
                    let mut found = None;
                    while let Ok(Some(field)) = fields.next() {
                        let name = field.name.of(text);
                        if name == segment.as_bytes()
                            || field.escaped && unescaped(name).is_some_and(|name| name == segment)
                        {
                            found = Some(Self::Text(field.value.of(text)));
                        }
                    }
                    found
                }
                Kind::Array => {
                    let index = index_of(segment)?;
                    let mut items = Items::new(text, 0, MAX_DEPTH).ok()?;
                    for _ in 0..index {
                        items.next().ok()??;
                    }
                    items.next().ok()?.map(|span| Self::Text(span.of(text)))
                }
                Kind::Null | Kind::Boolean | Kind::Number | Kind::String => None,
            },
        }
    }

    /// The value that a path means below this one.
    pub(crate) fn at<'s>(self, path: impl IntoIterator<Item = &'s str>) -> Option<Self> {
        path.into_iter().try_fold(self, Self::child)
    }

    /// How many items this array has; none when it is no array.
    pub(crate) fn items_len(self) -> Option<usize> {
        match self {
            Self::Array(array) => Some(array.len()),
            Self::Object(_) => None,
            Self::Text(text) => {
                let mut items = Items::new(text, 0, MAX_DEPTH).ok()?;
                let mut len = 0;
                while items.next().ok()?.is_some() {
                    len += 1;
                }
                Some(len)
            }
        }
    }

    /// The items of this array; none of anything else.
    pub(crate) fn items(self) -> Vec<Self> {
        match self {
            Self::Array(array) => (0..array.len()).filter_map(|at| array.view(at)).collect(),
            Self::Object(_) => Vec::new(),
            Self::Text(text) => {
                let mut found = Vec::new();
                if let Ok(mut items) = Items::new(text, 0, MAX_DEPTH) {
                    while let Ok(Some(span)) = items.next() {
                        found.push(Self::Text(span.of(text)));
                    }
                }
                found
            }
        }
    }

    /// The names and values of this object in the order they are written, of equal names the last; none of anything
    /// else.
    pub(crate) fn fields(self) -> Vec<(Cow<'a, str>, Self)> {
        match self {
            Self::Object(object) => object.fields().map(|(name, view)| (Cow::Borrowed(name), view)).collect(),
            Self::Array(_) => Vec::new(),
            Self::Text(text) => {
                let mut found = Vec::new();
                if let Ok(mut fields) = Fields::new(text, 0, MAX_DEPTH) {
                    while let Ok(Some(field)) = fields.next() {
                        if let Some(name) = name_of(text, field.name, field.escaped) {
                            found.push((name, Self::Text(field.value.of(text))));
                        }
                    }
                }
                last_of_each(found)
            }
        }
    }

    /// Reads it as a type. Null is read as any other value here.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, Malformed> {
        // The message of `serde_json` quotes values, so it goes no further than this line.
        match self {
            Self::Text(text) => serde_json::from_slice(text).map_err(|_| Malformed),
            Self::Array(_) | Self::Object(_) => serde_json::from_slice(&self.to_vec()).map_err(|_| Malformed),
        }
    }

    pub(crate) fn to_vec(self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// Appends the JSON text; what is still text is copied as it is.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text),
            Self::Array(array) => {
                out.push(b'[');
                for at in 0..array.len() {
                    if at > 0 {
                        out.push(b',');
                    }
                    if let Some(item) = array.view(at) {
                        item.write(out);
                    }
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

/// What a name of JSON text means.
fn name_of(text: &[u8], name: Span, escaped: bool) -> Option<Cow<'_, str>> {
    let name = name.of(text);
    if escaped { unescaped(name).map(Cow::Owned) } else { std::str::from_utf8(name).ok().map(Cow::Borrowed) }
}

/// Drops all but the last of equal names, without comparing each with each.
fn last_of_each<'a>(mut fields: Vec<(Cow<'a, str>, View<'a>)>) -> Vec<(Cow<'a, str>, View<'a>)> {
    let mut order: Vec<usize> = (0..fields.len()).collect();
    order.sort_by(|one, two| fields[*one].0.cmp(&fields[*two].0));
    let mut last = vec![true; fields.len()];
    for pair in order.windows(2) {
        last[pair[0]] = fields[pair[0]].0 != fields[pair[1]].0;
    }
    let mut last = last.into_iter();
    fields.retain(|_| last.next().unwrap_or(true));
    fields
}

/// The string that the inside of a JSON string means.
pub(crate) fn unescaped(inside: &[u8]) -> Option<String> {
    let mut quoted = Vec::with_capacity(inside.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(inside);
    quoted.push(b'"');
    serde_json::from_slice(&quoted).ok()
}

/// The float closest to these digits; infinite beyond all floats.
fn nearest(digits: &[u8]) -> f64 {
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(f64::NAN)
}

fn write_name(name: &str, out: &mut Vec<u8>) {
    if name.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        let quoted = serde_json::to_vec(name).expect("a string is always JSON");
        out.extend_from_slice(&quoted);
    } else {
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.push(b'"');
    }
}

/// Field by field in the words of `serde`, so that any format and any template engine can take it.
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
                    // Only a client's own digits, passed on as they came, are wider than any type; as close as a float is.
                    Parsed::TooWide | Parsed::NotANumber => serializer.serialize_f64(nearest(text)),
                },
                View::Array(_) | View::Object(_) => Err(S::Error::custom("a container is no number")),
            },
            Kind::String => match self.read::<String>() {
                Ok(string) => serializer.serialize_str(&string),
                Err(Malformed) => Err(S::Error::custom("a string is malformed")),
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
