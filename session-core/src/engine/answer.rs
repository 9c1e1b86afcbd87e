//! The responses that the library gives by itself: a status, at most one header, and never a body.

use super::report::Failure;

/// A response without a body, for an adapter to make one of its framework's of. It tells a client nothing but its status
/// and, if it is a redirect, where to go.
///
/// ```
/// use session_core::{Session, adapter::{BareResponse, Failure, Redirects}};
///
/// let answer = BareResponse::from(Failure::Unavailable);
/// assert_eq!((answer.status(), answer.header()), (503, Some(("cache-control", "no-store"))));
///
/// let redirects = Redirects::new(Session::standalone(), None, None);
/// let answer = BareResponse::from(redirects.to("/cart").finish()?);
/// assert_eq!((answer.status(), answer.header()), (303, Some(("location", "/cart"))));
/// # Ok::<(), session_core::SessionError>(())
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
    /// A status and nothing else: for a request that is wrong in itself, which any cache may know.
    ///
    /// ```
    /// # use session_core::adapter::BareResponse;
    /// let answer = BareResponse::bare(415);
    /// assert_eq!((answer.status(), answer.header()), (415, None));
    /// ```
    #[must_use]
    pub const fn bare(status: u16) -> Self {
        Self { status, header: Header::None }
    }

    /// The status: of three digits.
    ///
    /// ```
    /// # use session_core::adapter::{BareResponse, Failure};
    /// assert_eq!(BareResponse::from(Failure::Internal).status(), 500);
    /// ```
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The header that goes with it, if one does: a name in lower case and visible ASCII.
    ///
    /// ```
    /// # use session_core::adapter::{BareResponse, CsrfFailure};
    /// let answer = BareResponse::from(&CsrfFailure::default());
    /// assert_eq!((answer.status(), answer.header()), (419, Some(("cache-control", "no-store"))));
    /// ```
    #[must_use]
    pub fn header(&self) -> Option<(&'static str, &str)> {
        match &self.header {
            Header::None => None,
            Header::NoStore => Some(("cache-control", "no-store")),
            Header::Location(url) => Some(("location", url)),
        }
    }

    /// A response to one visitor at one moment, which no cache may keep.
    pub(super) const fn of_the_moment(status: u16) -> Self {
        Self { status, header: Header::NoStore }
    }

    /// A response that sends the browser to another page; `location` is visible ASCII.
    pub(super) const fn with_location(status: u16, location: String) -> Self {
        Self { status, header: Header::Location(location) }
    }
}

impl From<Failure> for BareResponse {
    fn from(failure: Failure) -> Self {
        Self::of_the_moment(failure.status())
    }
}
