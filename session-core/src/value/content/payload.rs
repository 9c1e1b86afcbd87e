//! The JSON of a content: `{"v":1,"data":{…},"flash":[…],"system":{…}}`, with empty parts left out.
//!
//! A person can read it in redis-cli or psql. Unchanged keys are copied as they stand and never parsed.

use std::sync::Arc;

use serde::Deserialize;

use super::Content;
use super::changes::{Changes, HeadChanges};
use crate::value::bag::Bag;
use crate::value::flash::{Entry, Flash};
use crate::value::id::Etag;
use crate::value::json::MAX_DEPTH;
use crate::value::json::split::{Fields, check_valid};
use crate::value::record::Payload;
use crate::value::values::Values;

/// Why a payload could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Not written by any version of this library.
    Corrupt,
    /// Written by a newer version.
    Newer,
}

impl Content {
    /// Reads a payload. Returns for any input, and allocates in proportion to it.
    pub(crate) fn decode(payload: &Payload, owner: Option<Arc<str>>) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(payload).map_err(|_| Unreadable::Corrupt)?;
        let parts: Parts<'_> = serde_json::from_str(text).map_err(|_| unreadable(text))?;
        // The values of a session are nested in two objects: the payload, and its bag.
        check_valid(payload, MAX_DEPTH + 2).map_err(|_| unreadable(text))?;
        if parts.v != FORMAT {
            return Err(unreadable(text));
        }
        let values = |fields: Option<Fields<'_>>| {
            Values::new(fields.map(|fields| Bag::of(payload, fields)).unwrap_or_default())
        };
        Ok(Self {
            data: values(parts.data),
            system: values(parts.system),
            flash: Flash::new(parts.flash),
            owner,
            changes: HeadChanges::default(),
            max_record: None,
        })
    }

    /// Writes the payload of a record with this etag; `changes` are the changes of the visit that are being written.
    pub(crate) fn encode(&self, changes: &Changes, etag: Etag) -> (Payload, Vec<Entry>) {
        // A payload rarely grows by more than this in one visit.
        let mut json = Vec::with_capacity(self.data.source_len().max(64) + 128);
        json.extend_from_slice(b"{\"v\":1");
        if !self.data.is_empty() {
            json.extend_from_slice(b",\"data\":");
            self.data.encode_into(&mut json);
        }
        let entries = self.flash.written(&changes.flash, etag);
        if !entries.is_empty() {
            json.extend_from_slice(b",\"flash\":");
            serde_json::to_writer(&mut json, &entries)
                .expect("strings, numbers and raw JSON always serialise");
        }
        if !self.system.is_empty() {
            json.extend_from_slice(b",\"system\":");
            self.system.encode_into(&mut json);
        }
        json.push(b'}');
        (json.into(), entries)
    }
}

/// The parts of a payload. Empty parts may be missing; unknown parts are ignored.
#[derive(Deserialize)]
struct Parts<'p> {
    v: u32,
    #[serde(borrow, default)]
    data: Option<Fields<'p>>,
    #[serde(default)]
    flash: Vec<Entry>,
    #[serde(borrow, default)]
    system: Option<Fields<'p>>,
}

/// Reads only the version of a payload, since other versions may have other parts.
fn unreadable(text: &str) -> Unreadable {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    match serde_json::from_str(text) {
        Ok(Version { v }) if v > FORMAT => Unreadable::Newer,
        Ok(_) | Err(_) => Unreadable::Corrupt,
    }
}

/// The version of the payload format.
const FORMAT: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Content, Unreadable> {
        Content::decode(&text.as_bytes().into(), None)
    }

    #[test]
    fn parts_are_found_in_any_order_and_others_passed_over() {
        let text = r#" { "data" : {"a":{"b":[1]}} , "x":[{"v":9}], "\u0076": 1, "system":null } "#;
        let content = read(text).unwrap();
        assert_eq!((content.data.len(), content.system.len()), (1, 0));
        assert!(!content.flash.has_outgoing());
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
            "{\"v\":1,\"data\":{},\"data\":{}}",
            "{\"v\":-1}",
            "{\"v\":\"1\"}",
            "{\"v\":1,\"data\":[]}",
            "{\"v\":1,\"data\":nul}",
            "{\"v\":1,\"data\":{\"a\"}}",
            "{\"v\":1,\"flash\":{}}",
            "{\"v\":1,\"flash\":null}",
        ] {
            assert_eq!(read(bad).err(), Some(Unreadable::Corrupt), "{bad}");
        }
    }

    #[test]
    fn a_newer_version_is_known_whatever_stands_beside_it() {
        assert_eq!(read(r#"{"data":[],"v":7}"#).err(), Some(Unreadable::Newer));
        assert_eq!(read("{}").err(), Some(Unreadable::Corrupt));
    }
}
