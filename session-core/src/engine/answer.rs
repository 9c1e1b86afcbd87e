//! The responses that the library makes itself: a status, at most one header, and no body.

use std::fmt;

use super::report::Failure;

/// A response without a body, which an adapter converts into its framework's type: a status and at most one header.
///
/// ```
/// use session_core::adapter::{BareResponse, Failure};
///
/// let answer = BareResponse::from(Failure::Unavailable);
/// assert_eq!((answer.status(), answer.header()), (503, Some(("cache-control", "no-store"))));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BareResponse {
    status: u16,
    header: Header,
}

/// Shows the header's name, and not its value: the query of a URL may hold a token.
impl fmt::Debug for BareResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.header().map(|(name, _)| name);
        f.debug_struct("BareResponse").field("status", &self.status).field("header", &header).finish()
    }
}

#[derive(Clone, PartialEq, Eq)]
enum Header {
    None,
    NoStore,
    Location(String),
}

impl BareResponse {
    /// Makes a response with a status only, for a malformed request. It may be cached.
    #[must_use]
    pub const fn bare(status: u16) -> Self {
        Self { status, header: Header::None }
    }

    /// Returns the status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the header, if there is one: a lower-case name and a value of visible ASCII.
    #[must_use]
    pub fn header(&self) -> Option<(&'static str, &str)> {
        match &self.header {
            Header::None => None,
            Header::NoStore => Some(("cache-control", "no-store")),
            Header::Location(url) => Some(("location", url)),
        }
    }

    /// Makes a response with a status only, which must not be cached.
    #[must_use]
    pub const fn uncached(status: u16) -> Self {
        Self { status, header: Header::NoStore }
    }

    /// Makes a redirect. `location` is visible ASCII.
    #[must_use]
    pub const fn redirect(status: u16, location: String) -> Self {
        Self { status, header: Header::Location(location) }
    }
}

impl From<Failure> for BareResponse {
    fn from(failure: Failure) -> Self {
        Self::uncached(failure.status())
    }
}

/// A whole response that the middleware makes itself, instead of asking a handler. An adapter converts it into its
/// framework's type: the body is JSON or empty, and headers of one name may come twice.
#[derive(Clone)]
pub struct OwnResponse {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// Shows the names of the headers, and not their values: one may be a cookie.
impl fmt::Debug for OwnResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| *name).collect();
        let mut own = f.debug_struct("OwnResponse");
        own.field("status", &self.status).field("headers", &headers).finish_non_exhaustive()
    }
}

impl OwnResponse {
    /// Returns the status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the headers: lower-case names, and values of visible ASCII.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Returns the body by value.
    #[must_use]
    pub fn into_body(self) -> String {
        self.body
    }

    /// Makes a response without a body, for nobody's cache and no other origin.
    #[cfg(feature = "dbsc")]
    pub(super) fn bare(status: u16) -> Self {
        let headers = [("cache-control", "no-store"), ("cross-origin-resource-policy", "same-origin")];
        let headers = headers.map(|(name, value)| (name, value.to_owned())).to_vec();
        Self { status, headers, body: String::new() }
    }

    #[cfg(feature = "dbsc")]
    pub(super) fn json(status: u16, body: String) -> Self {
        Self { body, ..Self::bare(status) }.with("content-type", "application/json".to_owned())
    }

    #[cfg(feature = "dbsc")]
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}
