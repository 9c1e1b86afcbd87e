//! Finds a cookie's values in the `Cookie` headers of a request: on bytes, in one pass, without allocating.
//!
//! The rules are those by which browsers write the header: `;` separates, the first `=` ends the name, spaces and tabs
//! around name and value are removed. Names are compared byte for byte. Quotes, `$Version`, backslashes and percent
//! signs have no meaning. A pair without `=` or without a name is ignored.

use memchr::memchr;

/// The values of one cookie name in the headers of a request.
///
/// ```
/// use session_core::machine::cookie::Candidates;
///
/// let headers: [&[u8]; 2] = [b"theme=dark; sid=one", b"sid=two"];
/// let found = Candidates::find(headers, "sid");
/// assert_eq!(found.values(), [b"one", b"two"]);
/// assert_eq!(found.ignored(), 0);
/// ```
#[derive(Clone)]
pub struct Candidates<'h> {
    values: [&'h [u8]; MOST_CANDIDATES],
    kept: usize,
    ignored: usize,
}

impl<'h> Candidates<'h> {
    /// Searches the headers, in order, from beginning to end: the HTTP server has bounded them.
    ///
    /// Keeps the first eight values; further ones are counted and ignored.
    #[must_use]
    pub fn find(headers: impl IntoIterator<Item = &'h [u8]>, name: &str) -> Self {
        let mut found = Self { values: [&[]; MOST_CANDIDATES], kept: 0, ignored: 0 };
        for header in headers {
            let mut rest = header;
            while !rest.is_empty() {
                let end = memchr(b';', rest).unwrap_or(rest.len());
                found.consider(&rest[..end], name.as_bytes());
                rest = &rest[rest.len().min(end + 1)..];
            }
        }
        found
    }

    /// Takes whole header values, for a token that comes in a header of its own.
    pub(crate) fn whole(headers: impl IntoIterator<Item = &'h [u8]>) -> Self {
        let mut found = Self { values: [&[]; MOST_CANDIDATES], kept: 0, ignored: 0 };
        headers.into_iter().for_each(|value| found.keep(value));
        found
    }

    /// Returns the values, in their order in the request, as bytes.
    #[must_use]
    pub fn values(&self) -> &[&'h [u8]] {
        &self.values[..self.kept]
    }

    /// Returns the number of further values that were ignored.
    #[must_use]
    pub fn ignored(&self) -> usize {
        self.ignored
    }

    fn consider(&mut self, pair: &'h [u8], name: &[u8]) {
        // Most pairs are other cookies: their first letters say so before anything else is looked at.
        let pair = trim_start(pair);
        let Some(after) = pair.strip_prefix(name).map(trim_start) else { return };
        let Some((b'=', value)) = after.split_first() else { return };
        if name.is_empty() {
            return;
        }
        self.keep(value);
    }

    fn keep(&mut self, value: &'h [u8]) {
        match self.values.get_mut(self.kept) {
            Some(place) => {
                *place = trim_end(trim_start(value));
                self.kept += 1;
            }
            None => self.ignored += 1,
        }
    }
}

/// Shows only the number of values, since they are secrets.
impl std::fmt::Debug for Candidates<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidates").field("kept", &self.kept).field("ignored", &self.ignored).finish()
    }
}

fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The maximum number of values of one name that are read.
///
/// ```
/// use session_core::machine::cookie::{Candidates, MOST_CANDIDATES};
///
/// let header = ["sid=x; "; 10].concat();
/// let found = Candidates::find([header.as_bytes()], "sid");
/// assert_eq!((found.values().len(), found.ignored()), (MOST_CANDIDATES, 2));
/// ```
pub const MOST_CANDIDATES: usize = 8;
