//! Splitting JSON text: the names and values of an object, or the items of an array, each still text.
//!
//! `serde_json` does the reading. Two things that it does not check in values which it skips are checked here, once for
//! each text from outside: the nesting depth, and that surrogates come in pairs.

use std::borrow::Cow;
use std::fmt;

use memchr::{memchr, memchr2, memchr2_iter};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Malformed;

/// The fields of an object in the order in which they are written; a name may come twice.
pub(crate) struct Fields<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    pub(crate) fn of(text: &'a [u8]) -> Result<Self, Malformed> {
        Ok(serde_json::from_slice(text)?)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// A type of its own, because serde borrows the text of a `Cow` only with an attribute.
        #[derive(serde::Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some((Name(name), value)) = map.next_entry()? {
                    fields.push((name, value));
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(All).map(Fields)
    }
}

/// The items of an array.
pub(crate) fn items(text: &[u8]) -> Result<Vec<&RawValue>, Malformed> {
    Ok(serde_json::from_slice(text)?)
}

/// Checks that text is one JSON value of at most `depth` levels.
pub(crate) fn check(text: &[u8], depth: usize) -> Result<(), Malformed> {
    std::str::from_utf8(text).map_err(|_| Malformed)?;
    serde_json::from_slice::<IgnoredAny>(text)?;
    check_valid(text, depth)
}

/// Does the same for text that `serde_json` has read or written in full.
pub(crate) fn check_valid(text: &[u8], depth: usize) -> Result<(), Malformed> {
    let may_be_too_deep = memchr2_iter(b'[', b'{', text).nth(depth).is_some();
    if may_be_too_deep && levels(text) > depth {
        return Err(Malformed);
    }
    if memchr(b'\\', text).is_some() && text.windows(3).any(|three| matches!(three, b"\\ud" | b"\\uD")) {
        // In a skipped value, `serde_json` accepts a surrogate without its pair; in one that it reads, it does not.
        serde_json::from_slice::<serde_json::Value>(text)?;
    }
    Ok(())
}

/// Returns the nesting depth of valid JSON.
fn levels(text: &[u8]) -> usize {
    let (mut depth, mut most, mut at) = (0_usize, 0, 0);
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'[' | b'{' => {
                depth += 1;
                most = most.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                // Skips to the closing quote, and over each escape as a whole.
                while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
                    at += found + 1;
                    if text[at - 1] == b'"' {
                        break;
                    }
                    at += 1;
                }
            }
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(text: &str) -> bool {
        check(text.as_bytes(), 64).is_ok()
    }

    #[test]
    fn json_and_only_json_passes() {
        for text in [
            "0",
            "-1.5e+9",
            "\"a\\u00e9\\ud83d\\ude00\\n\"",
            "[ 1 , [ ] ]",
            "{\"a\" : {} }",
            "null",
            "\"\\\\ud800 is no escape\"",
            "1e999",
            "340282366920938463463374607431768211455",
        ] {
            assert!(good(text), "{text}");
        }
        for text in [
            "",
            "01",
            "[1 2]",
            "[1,]",
            "{\"a\"}",
            "{a:1}",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "{\"a\":\"\\uD800\\u0041\"}",
            "1 2",
            "nan",
        ] {
            assert!(!good(text), "{text}");
        }
    }

    #[test]
    fn nesting_is_counted_outside_of_strings_only() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(good(&nested(64)) && !good(&nested(65)));
        assert!(!good(&nested(1_000_000)));
        assert!(good(&format!("[\"{}\",\"\\\"{}\"]", "[".repeat(500), "{".repeat(500))));
        assert!(good(&format!("[{}[]]", "[],".repeat(500))));
    }

    proptest::proptest! {
        #[test]
        fn levels_are_those_of_a_tree(text in "[\\[\\]{}\",:\\\\a1]{0,40}") {
            fn depth(value: &serde_json::Value) -> usize {
                match value {
                    serde_json::Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
                    serde_json::Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
                    _ => 0,
                }
            }
            // A tree has only the last of equal names.
            if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
                proptest::prop_assert!(levels(text.as_bytes()) >= depth(&value));
            }
            let _ = levels(text.as_bytes());
        }
    }
}
