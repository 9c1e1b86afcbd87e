//! The responses that the library makes itself: a status, at most one header, and no body.

use super::report::Failure;

/// A response without a body, which an adapter converts into its framework's type: a status and at most one header.
///
/// ```
/// use session_core::adapter::{BareResponse, Failure};
///
/// let answer = BareResponse::from(Failure::Unavailable);
/// assert_eq!((answer.status(), answer.header()), (503, Some(("cache-control", "no-store"))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BareResponse {
    status: u16,
    header: Header,
}

#[derive(Clone, Debug, PartialEq, Eq)]
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
