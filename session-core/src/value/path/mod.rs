//! The path of a value in a session: dots, brackets, or separate segments; and the types that can be used as keys.
//!
//! A literal top-level name that equals the whole string takes precedence over its dots.

mod keys;

use std::fmt;

pub use keys::{Accepts, AnyKey, Key, Paths, ToPath, ToPaths};

use super::error::ValueError;
use super::json::node::Object;
use super::json::view::View;

/// A borrowed path.
///
/// ```
/// use session_core::path::Path;
///
/// assert_eq!(Path::text("cart.items[0].sku").to_string(), "cart.items[0].sku");
/// assert_eq!(Path::segments(&["user", "a.b"]).to_string(), "user.a.b");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Path<'a>(Form<'a>);

#[derive(Debug, Clone, Copy)]
enum Form<'a> {
    Text(&'a str),
    Strs(&'a [&'a str]),
    Strings(&'a [String]),
}

impl<'a> Path<'a> {
    /// Makes a path from text with dots and brackets: `user.name`, `items.0.sku`, `items[0].sku`.
    #[must_use]
    pub const fn text(text: &'a str) -> Self {
        Self(Form::Text(text))
    }

    /// Makes a path from segments, which are not split at dots.
    #[must_use]
    pub const fn segments(segments: &'a [&'a str]) -> Self {
        Self(Form::Strs(segments))
    }

    /// Makes a path from owned segments, which are not split at dots.
    #[must_use]
    pub const fn owned_segments(segments: &'a [String]) -> Self {
        Self(Form::Strings(segments))
    }

    /// Returns the value at this path in `root`, or `None` if it is missing or the path is malformed.
    pub(crate) fn find(self, root: &Object) -> Option<View<'_>> {
        match self.0 {
            Form::Text(text) => root.view(text).or_else(|| {
                if !text.contains(['.', '[']) {
                    return None;
                }
                let segments = split(text)?;
                let (first, rest) = segments.split_first()?;
                root.view(first)?.at(rest.iter().copied())
            }),
            Form::Strs(segments) => {
                let (first, rest) = segments.split_first()?;
                root.view(first)?.at(rest.iter().copied())
            }
            Form::Strings(segments) => {
                let (first, rest) = segments.split_first()?;
                root.view(first)?.at(rest.iter().map(String::as_str))
            }
        }
    }

    /// Its segments, if they are given one by one or `is_literal` says that the text is one name; else the text.
    pub(crate) fn names(self, is_literal: impl FnOnce(&str) -> bool) -> Result<Vec<String>, &'a str> {
        match self.0 {
            Form::Text(text) if is_literal(text) => Ok(vec![text.to_owned()]),
            Form::Text(text) => Err(text),
            Form::Strs(segments) => Ok(segments.iter().map(|segment| (*segment).to_owned()).collect()),
            Form::Strings(segments) => Ok(segments.to_vec()),
        }
    }

    /// Its segments, the literal name decided once and for all; an error where it is no path.
    pub(crate) fn steps(self, root: &Object) -> Result<Steps, ValueError> {
        let segments: Option<Vec<&str>> = match self.0 {
            Form::Text(text) if root.view(text).is_some() => Some(vec![text]),
            Form::Text(text) => split(text),
            Form::Strs(segments) => Some(segments.to_vec()),
            Form::Strings(segments) => Some(segments.iter().map(String::as_str).collect()),
        };
        let literal = matches!(self.0, Form::Text(_));
        segments
            .filter(|segments| !segments.is_empty() && segments.len() <= MAX_SEGMENTS)
            .filter(|segments| literal || segments.iter().all(|segment| !segment.is_empty()))
            .map(|segments| segments.into_iter().map(Box::from).collect())
            .ok_or_else(|| ValueError::BadPath { key: self.to_string() })
    }
}

/// Formats with dots.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Form::Text(text) => f.write_str(text),
            Form::Strs(segments) => f.write_str(&segments.join(".")),
            Form::Strings(segments) => f.write_str(&segments.join(".")),
        }
    }
}

/// Segments with every question answered: what the journal keeps.
pub(crate) type Steps = Vec<Box<str>>;

/// Takes dots and brackets apart; none when a segment is empty, a bracket is alone, or there are too many.
fn split(text: &str) -> Option<Vec<&str>> {
    let mut segments = Vec::with_capacity(4);
    let mut rest = text;
    let mut bracket = rest.starts_with('[');
    loop {
        let segment;
        if bracket {
            (segment, rest) = rest.get(1..)?.split_once(']')?;
        } else {
            (segment, rest) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
        }
        if segment.is_empty() || segment.contains(['[', ']']) || segments.len() == MAX_SEGMENTS {
            return None;
        }
        segments.push(segment);
        bracket = match rest.as_bytes().first() {
            None => return Some(segments),
            Some(b'[') => true,
            Some(b'.') => {
                rest = &rest[1..];
                false
            }
            Some(_) => return None,
        };
    }
}

/// Segments a path may have.
const MAX_SEGMENTS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_and_brackets_say_the_same() {
        for (text, segments) in [
            ("a", &["a"][..]),
            ("a[0].b", &["a", "0", "b"]),
            ("a.0.b", &["a", "0", "b"]),
            ("profile[email]", &["profile", "email"]),
            ("a[b.c][d]", &["a", "b.c", "d"]),
            ("[a].b", &["a", "b"]),
            ("a.-1", &["a", "-1"]),
        ] {
            assert_eq!(split(text).as_deref(), Some(segments), "{text}");
        }
        for bad in ["", ".", "a.", ".a", "a..b", "a[]", "a[0", "a]", "a[0]b", "a.[0]", "a[[0]]"] {
            assert_eq!(split(bad), None, "{bad}");
        }
        assert_eq!(split(&"a.".repeat(64)), None);
        assert_eq!(split(&["a"; 64].join(".")).map(|segments| segments.len()), Some(64));
        assert_eq!(split(&["a"; 65].join(".")), None);
    }
}
