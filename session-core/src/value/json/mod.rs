//! JSON values as text that `serde_json` reads: split one level at a time, and written back unchanged.
//!
//! A value stays text until something inside of it is changed. Numbers are kept as their digits, so that 128-bit integers
//! are exact whichever features of `serde_json` an application enables.

pub(crate) mod change;
pub(crate) mod equal;
mod error;
pub(crate) mod index;
pub(crate) mod node;
pub(crate) mod number;
pub(crate) mod split;
pub(crate) mod strict;
pub(crate) mod view;

pub use error::JsonError;
pub use number::{Number, NumberTooWide};

/// The bytes are not JSON, not UTF-8, or nest too deeply.
///
/// ```
/// use session_core::{machine::Bag, error::Malformed};
///
/// assert_eq!(Bag::decode(b"[1, 2".as_slice().into()).unwrap_err(), Malformed);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not a JSON object this library can have written")]
pub struct Malformed;

/// The message of `serde_json` quotes values, so it is dropped here.
impl From<serde_json::Error> for Malformed {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

/// The maximum nesting depth of arrays and objects in a value.
pub(crate) const MAX_DEPTH: usize = 64;

const _: () = assert!(MAX_DEPTH < 128, "serde_json reads no deeper than 128 levels");
