//! The head of a request as strings and bytes, independent of any HTTP crate.

use std::fmt;

use crate::value::page::is_ahead_of_time;

/// The parts of a request's head that the library uses, for redirects, CSRF checks and forms. An adapter builds it from
/// its framework's types.
///
/// ```
/// use session_core::adapter::{PageRequest, RequestHead};
///
/// let headers = [("host", "shop.example"), ("content-length", "12")];
/// let header = |name| headers.iter().find(|(there, _)| *there == name).map(|(_, value)| value.as_bytes());
/// let head = RequestHead { method: "GET", url: "/cart?step=2", authority: None, header };
/// assert_eq!((head.path(), head.query()), ("/cart", Some("step=2")));
/// ```
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a promise: an adapter gives all four")]
pub struct RequestHead<'r, H> {
    /// The method, as received.
    pub method: &'r str,
    /// The path and query.
    pub url: &'r str,
    /// The host of the request target. HTTP/2 sends it in place of a `Host` header.
    pub authority: Option<&'r str>,
    /// Returns the first value of a header by its lower-case name.
    pub header: H,
}

/// Shows the method, and neither the URL nor a header: a query may hold a token, and a header a cookie.
impl<H> fmt::Debug for RequestHead<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead").field("method", &self.method).finish_non_exhaustive()
    }
}

impl<'r, H> RequestHead<'r, H>
where
    H: Fn(&'static str) -> Option<&'r [u8]>,
{
    /// Returns the path without the query.
    #[must_use]
    pub fn path(&self) -> &'r str {
        self.url.split_once('?').map_or(self.url, |(path, _)| path)
    }

    /// Returns the query: the part after the first `?`, if there is one.
    #[must_use]
    pub fn query(&self) -> Option<&'r str> {
        self.url.split_once('?').map(|(_, query)| query)
    }

    /// Returns the requested host: the authority or, without one, the `Host` header.
    ///
    /// ```
    /// # use session_core::adapter::RequestHead;
    /// let header = |name| (name == "host").then_some(b"old.example".as_slice());
    /// let head = RequestHead { method: "GET", url: "/", authority: Some("shop.example"), header };
    /// assert_eq!(head.host(), Some(b"shop.example".as_slice()));
    /// assert_eq!(RequestHead { authority: None, ..head }.host(), Some(b"old.example".as_slice()));
    /// ```
    #[must_use]
    pub fn host(&self) -> Option<&'r [u8]> {
        self.authority.map(str::as_bytes).or_else(|| (self.header)("host"))
    }

    /// Returns whether the visitor sees nothing of the response: a `HEAD`, or a page that is loaded ahead of time.
    #[must_use]
    pub fn shows_nothing(&self) -> bool {
        self.method == "HEAD" || is_ahead_of_time(&self.header)
    }

    /// Returns the declared length of the body, if there is one.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        std::str::from_utf8((self.header)("content-length")?).ok()?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(length: &'static str) -> Option<u64> {
        let header = |name| (name == "content-length").then_some(length.as_bytes());
        RequestHead { method: "POST", url: "/", authority: None, header }.content_length()
    }

    #[test]
    fn a_length_that_is_no_number_is_not_said() {
        for odd in ["", "-1", "1e3", "0x10", "1, 2", "99999999999999999999"] {
            assert_eq!(said(odd), None, "{odd:?}");
        }
        assert_eq!(said("17"), Some(17));
    }

    #[test]
    fn a_second_question_mark_belongs_to_the_query() {
        let head = RequestHead { method: "GET", url: "/a?b=c?d", authority: None, header: |_| None };
        assert_eq!((head.path(), head.query()), ("/a", Some("b=c?d")));
        let head = RequestHead { url: "/a?", ..head };
        assert_eq!((head.path(), head.query()), ("/a", Some("")));
    }
}
