//! Reads the outermost object of a payload in one pass: its version, and where the parts of a session begin.

use std::borrow::Cow;

use serde::Deserialize;

use super::bag::Bag;
use super::flash::Entry;
use super::json::scan::{Fields, blank};
use super::json::view::unescaped;
use super::json::{MAX_DEPTH, Malformed};
use super::record::Payload;

/// The parts of a payload, each of them as it may be left out.
#[derive(Default)]
pub(super) struct Wire {
    pub(super) version: Option<u32>,
    pub(super) data: Option<Bag>,
    pub(super) system: Option<Bag>,
    pub(super) flash: Option<Vec<Entry>>,
}

impl Wire {
    /// Reads what is known to be UTF-8. A part that stands there twice is refused, one with an unknown name ignored.
    pub(super) fn read(payload: &Payload) -> Result<Self, Malformed> {
        let mut wire = Self::default();
        // The outermost object, and the one that a bag is, stand around the values of a session.
        let mut fields = Fields::new(payload, blank(payload, 0), MAX_DEPTH + 2)?;
        while let Some((name, escaped)) = fields.next_name()? {
            let name = match name.of(payload) {
                name if escaped => Cow::Owned(unescaped(name).ok_or(Malformed)?.into_bytes()),
                name => Cow::Borrowed(name),
            };
            match &*name {
                b"v" => once(&mut wire.version, number(fields.value()?.of(payload))?)?,
                b"data" => once(&mut wire.data, bag(payload, &mut fields)?)?,
                b"system" => once(&mut wire.system, bag(payload, &mut fields)?)?,
                b"flash" => once(&mut wire.flash, json(fields.value()?.of(payload))?)?,
                _ => drop(fields.value()?),
            }
        }
        if blank(payload, fields.at) == payload.len() { Ok(wire) } else { Err(Malformed) }
    }
}

/// The version of a payload whose other parts may be anything.
pub(super) fn version(text: &str) -> Option<u32> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    serde_json::from_str(text).ok().map(|Version { v }| v)
}

fn once<T>(place: &mut Option<T>, part: T) -> Result<(), Malformed> {
    match place.replace(part) {
        None => Ok(()),
        Some(_) => Err(Malformed),
    }
}

/// Opened where it lies, so that its text is gone through once; null is as good as none.
fn bag(payload: &Payload, fields: &mut Fields<'_>) -> Result<Bag, Malformed> {
    if payload.get(fields.at) == Some(&b'n') {
        fields.value()?;
        return Ok(Bag::default());
    }
    let (bag, end) = Bag::open_until(payload, fields.at)?;
    fields.at = end;
    Ok(bag)
}

fn number(text: &[u8]) -> Result<u32, Malformed> {
    match text {
        [digit @ b'0'..=b'9'] => Ok(u32::from(digit - b'0')),
        _ => json(text),
    }
}

fn json<'p, T: Deserialize<'p>>(text: &'p [u8]) -> Result<T, Malformed> {
    // The message of `serde_json` quotes values, so it goes no further than this line.
    serde_json::from_slice(text).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Wire, Malformed> {
        Wire::read(&text.as_bytes().into())
    }

    #[test]
    fn parts_are_found_in_any_order_and_others_passed_over() {
        let wire =
            read(r#" { "data" : {"a":{"b":[1]}} , "x":[{"v":9}], "\u0076": 1, "system":null } "#).unwrap();
        assert_eq!((wire.version, wire.data.unwrap().len(), wire.system.unwrap().len()), (Some(1), 1, 0));
        assert!(wire.flash.is_none());
    }

    #[test]
    fn what_is_no_payload_is_refused() {
        for bad in [
            "",
            "null",
            "[]",
            "{\"v\":1",
            "{\"v\":1}x",
            "{\"v\":1,}",
            "{\"v\":1,\"v\":1}",
            "{\"data\":{},\"data\":{}}",
            "{\"v\":-1}",
            "{\"v\":\"1\"}",
            "{\"data\":[]}",
            "{\"data\":nul}",
            "{\"data\":{\"a\"}}",
            "{\"flash\":{}}",
            "{\"flash\":null}",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_version_is_read_whatever_stands_beside_it() {
        assert_eq!(version(r#"{"data":[],"v":7}"#), Some(7));
        assert_eq!(version("{}"), None);
    }
}
