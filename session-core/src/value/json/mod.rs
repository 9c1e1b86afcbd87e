//! JSON as text: scanned where it lies, opened one level at a time, and written back as it came.
//!
//! Numbers stay the digits they are, so that 128-bit integers are exact whatever features of `serde_json` an
//! application turns on. `serde_json` itself only turns text into somebody's `T`, and `T` into text.

pub(crate) mod equal;
pub(crate) mod number;
pub(crate) mod object;
pub(crate) mod scan;
pub(crate) mod tree;
pub(crate) mod view;

pub use number::{Number, NumberTooWide};

use super::record::Payload;

/// The bytes are not JSON, not UTF-8, nest too deeply, or exceed 4 GiB.
///
/// ```
/// use session_core::machine::{Bag, Malformed};
///
/// assert_eq!(Bag::decode(b"[1, 2".as_slice().into()).unwrap_err(), Malformed);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not a JSON object this library can have written")]
pub struct Malformed;

/// Where in its source a piece of text lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Fails beyond 4 GiB.
    pub(crate) fn new(start: usize, end: usize) -> Result<Self, Malformed> {
        let small = |at: usize| u32::try_from(at).map_err(|_| Malformed);
        Ok(Self { start: small(start)?, end: small(end)? })
    }

    /// The bytes it means.
    pub(crate) fn of(self, source: &[u8]) -> &[u8] {
        &source[self.start as usize..self.end as usize]
    }
}

/// One JSON value as text inside of a shared buffer; known to be well-formed.
#[derive(Clone)]
pub(crate) struct Text {
    source: Payload,
    span: Span,
}

impl Text {
    /// Takes a part of a buffer that has been scanned.
    pub(crate) fn part(source: &Payload, span: Span) -> Self {
        Self { source: source.clone(), span }
    }

    /// Checks bytes that hold one value of at most `depth` levels.
    pub(crate) fn checked(bytes: Vec<u8>, depth: usize) -> Result<Self, Malformed> {
        std::str::from_utf8(&bytes).map_err(|_| Malformed)?;
        let start = scan::blank(&bytes, 0);
        let end = scan::value(&bytes, start, depth)?;
        if scan::blank(&bytes, end) != bytes.len() {
            return Err(Malformed);
        }
        Ok(Self { span: Span::new(start, end)?, source: bytes.into() })
    }

    /// Takes a word of our own: `null`, `[]`, digits.
    pub(crate) fn word(word: &str) -> Self {
        let end = u32::try_from(word.len()).expect("a word of our own is short");
        Self { source: word.as_bytes().into(), span: Span { start: 0, end } }
    }

    /// The digits of a number.
    pub(crate) fn number(number: Number) -> Self {
        use std::io::Write as _;
        let mut digits = [0; 48];
        let mut rest = &mut digits[..];
        if write!(rest, "{number}").is_err() {
            return Self::word(&number.to_string());
        }
        let len = 48 - rest.len();
        let end = u32::try_from(len).expect("48 is a short number");
        Self { source: digits[..len].into(), span: Span { start: 0, end } }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.span.of(&self.source)
    }

    pub(crate) fn source(&self) -> &Payload {
        &self.source
    }

    pub(crate) fn start(&self) -> usize {
        self.span.start as usize
    }
}

/// Levels of arrays and objects a value may have.
pub(crate) const MAX_DEPTH: usize = 64;
