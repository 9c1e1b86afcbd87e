//! A strict reader of what PHP's `serialize` writes.
//!
//! Nothing is ever instantiated: an object is its class and its fields, and is no value of a session. Depth is bounded, lengths are
//! checked against the text, and nothing is allocated by a length that the text claims. The crates for this format read into
//! types that are known beforehand, allocate by the claimed length, and refuse arrays whose keys are of both kinds.

use serde_json::{Map, Number, Value};

/// A value of PHP.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Php<'t> {
    /// Null, a boolean, or a number that JSON has.
    Scalar(Value),
    Text(&'t [u8]),
    Array(Vec<(Key<'t>, Php<'t>)>),
    Object {
        class: &'t [u8],
        fields: Vec<(Key<'t>, Php<'t>)>,
    },
    /// A reference, an enum's case, an object that serializes itself, a number that JSON has not.
    Other,
}

/// The key of an array, or the name of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Key<'t> {
    Number(i64),
    Text(&'t [u8]),
}

/// The text is not what `serialize` writes, or is nested too deeply.
#[derive(Debug, PartialEq)]
pub(super) struct Malformed;

/// Reads one value, and nothing behind it.
pub(super) fn read(text: &[u8]) -> Result<Php<'_>, Malformed> {
    let mut reader = Reader { rest: text };
    let value = reader.value(MOST_DEPTH)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(Malformed) }
}

/// The content of a text that is one serialized string.
pub(super) fn text_of(text: &[u8]) -> Option<&[u8]> {
    match text.starts_with(b"s:").then(|| read(text))? {
        Ok(Php::Text(inner)) => Some(inner),
        _ => None,
    }
}

impl<'t> Php<'t> {
    /// The value in JSON: an array with the keys 0, 1, 2, … is a list, every other one an object. `None` if an object or a text
    /// that is not UTF-8 is in it.
    pub(super) fn json(&self) -> Option<Value> {
        match self {
            Self::Scalar(value) => Some(value.clone()),
            Self::Text(text) => Some(str::from_utf8(text).ok()?.into()),
            Self::Array(items) if is_list(items) => items.iter().map(|(_, item)| item.json()).collect(),
            Self::Array(items) => {
                let fields = items.iter().map(|(key, item)| Some((key.name()?, item.json()?)));
                fields.collect::<Option<Map<_, _>>>().map(Value::Object)
            }
            Self::Object { .. } | Self::Other => None,
        }
    }

    /// The items of an array.
    pub(super) fn items(&self) -> &[(Key<'t>, Self)] {
        match self {
            Self::Array(items) => items,
            Self::Scalar(_) | Self::Text(_) | Self::Object { .. } | Self::Other => &[],
        }
    }

    /// A protected field of an object of this class.
    pub(super) fn protected(&self, of: &str, name: &str) -> Option<&Self> {
        let Self::Object { class, fields } = self else { return None };
        let stored = format!("\0*\0{name}");
        let is_it = |key: &Key<'_>| *key == Key::Text(stored.as_bytes());
        fields.iter().find(|(key, _)| *class == of.as_bytes() && is_it(key)).map(|(_, field)| field)
    }
}

impl Key<'_> {
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => str::from_utf8(text).ok().map(str::to_owned),
        }
    }
}

fn is_list(items: &[(Key<'_>, Php<'_>)]) -> bool {
    (0..).zip(items).all(|(at, (key, _))| *key == Key::Number(at))
}

struct Reader<'t> {
    rest: &'t [u8],
}

impl<'t> Reader<'t> {
    fn value(&mut self, depth: usize) -> Result<Php<'t>, Malformed> {
        let depth = depth.checked_sub(1).ok_or(Malformed)?;
        let kind = self.byte()?;
        if kind == b'N' {
            self.expect(b";")?;
            return Ok(Php::Scalar(Value::Null));
        }
        self.expect(b":")?;
        Ok(match kind {
            b'b' => match self.until(b';')? {
                b"0" => Php::Scalar(false.into()),
                b"1" => Php::Scalar(true.into()),
                _ => return Err(Malformed),
            },
            b'i' => Php::Scalar(self.number(b';')?.into()),
            b'd' => {
                let text = str::from_utf8(self.until(b';')?).map_err(|_| Malformed)?;
                let number: f64 = text.parse().map_err(|_| Malformed)?;
                Number::from_f64(number).map_or(Php::Other, |number| Php::Scalar(number.into()))
            }
            b's' => {
                let text = self.quoted(b'"', b'"')?;
                self.expect(b";")?;
                Php::Text(text)
            }
            b'a' => Php::Array(self.items(depth)?),
            b'O' => {
                let class = self.quoted(b'"', b'"')?;
                self.expect(b":")?;
                Php::Object { class, fields: self.items(depth)? }
            }
            b'C' => {
                self.quoted(b'"', b'"')?;
                self.expect(b":")?;
                self.quoted(b'{', b'}')?;
                Php::Other
            }
            b'E' => {
                self.quoted(b'"', b'"')?;
                self.expect(b";")?;
                Php::Other
            }
            b'r' | b'R' => {
                self.number(b';')?;
                Php::Other
            }
            _ => return Err(Malformed),
        })
    }

    /// `2:{…}`: as many pairs of key and value.
    fn items(&mut self, depth: usize) -> Result<Vec<(Key<'t>, Php<'t>)>, Malformed> {
        let count = self.number(b':')?;
        self.expect(b"{")?;
        let mut items = Vec::new();
        for _ in 0..count {
            let key = self.key()?;
            items.push((key, self.value(depth)?));
        }
        self.expect(b"}")?;
        Ok(items)
    }

    /// A number or a text, and never a value that could be nested.
    fn key(&mut self) -> Result<Key<'t>, Malformed> {
        let kind = self.byte()?;
        self.expect(b":")?;
        match kind {
            b'i' => self.number(b';').map(Key::Number),
            b's' => {
                let text = self.quoted(b'"', b'"')?;
                self.expect(b";")?;
                Ok(Key::Text(text))
            }
            _ => Err(Malformed),
        }
    }

    /// `5:"hello"`: as many bytes between two marks.
    fn quoted(&mut self, open: u8, close: u8) -> Result<&'t [u8], Malformed> {
        let length = usize::try_from(self.number(b':')?).map_err(|_| Malformed)?;
        self.expect(&[open])?;
        let (text, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        self.expect(&[close])?;
        Ok(text)
    }

    fn number(&mut self, end: u8) -> Result<i64, Malformed> {
        let text = str::from_utf8(self.until(end)?).map_err(|_| Malformed)?;
        text.parse().map_err(|_| Malformed)
    }

    /// What comes before a mark, which is within reach of the longest number.
    fn until(&mut self, end: u8) -> Result<&'t [u8], Malformed> {
        let reach = &self.rest[..self.rest.len().min(MOST_DIGITS)];
        let at = reach.iter().position(|byte| *byte == end).ok_or(Malformed)?;
        let text = &self.rest[..at];
        self.rest = &self.rest[at + 1..];
        Ok(text)
    }

    fn expect(&mut self, text: &[u8]) -> Result<(), Malformed> {
        self.rest = self.rest.strip_prefix(text).ok_or(Malformed)?;
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        let (byte, rest) = self.rest.split_first().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*byte)
    }
}

/// As deep as a session's values may be nested.
const MOST_DEPTH: usize = 64;
/// The longest number, with its mark: `serialize_precision` is 17 at most, or as many digits as tell it from its neighbours.
const MOST_DIGITS: usize = 32;

#[cfg(test)]
mod tests;
