//! The values of a request's `Cookie` headers, kept until the session is opened.

use std::fmt;

use crate::engine::head::RequestHead;
use crate::value::cookie::parse::Candidates;
use crate::value::cookie::same_site::SameSite;

/// The values of the `Cookie` headers of one request, as bytes, and whether the request is cross-site.
///
/// ```
/// use session_core::adapter::CookieHeaders;
///
/// let cookies: CookieHeaders = ["theme=dark", "__Host-sid=secret"].into_iter().collect();
/// // `Debug` tells how many headers, never what is in them.
/// assert_eq!(format!("{cookies:?}"), "CookieHeaders(2)");
/// ```
#[derive(Clone, Default)]
pub struct CookieHeaders {
    headers: Headers,
    sender: Sender,
    host: Option<Box<[u8]>>,
    shows_nothing: bool,
    /// The request need not prove its device.
    #[cfg(feature = "dbsc")]
    exempt: bool,
}

#[derive(Clone, Default)]
enum Headers {
    #[default]
    None,
    One(Box<[u8]>),
    Many(Vec<Box<[u8]>>),
}

/// The origin of a request, as far as it decides which cookies browsers send.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Sender {
    /// Same site, no site (a bookmark), or a browser that does not say.
    #[default]
    Unsaid,
    /// Another site, by a link or a form whose method is safe and whose answer is the page: `SameSite=Lax` lets it pass.
    OtherSiteByNavigation,
    /// Another site, by any other request.
    OtherSite,
}

impl Sender {
    fn of<'r>(head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>) -> Self {
        let says = |name, value: &[u8]| (head.header)(name) == Some(value);
        let is_safe = matches!(head.method, "GET" | "HEAD" | "OPTIONS" | "TRACE");
        if !says("sec-fetch-site", b"cross-site") {
            Self::Unsaid
        } else if is_safe && says("sec-fetch-mode", b"navigate") && says("sec-fetch-dest", b"document") {
            Self::OtherSiteByNavigation
        } else {
            Self::OtherSite
        }
    }
}

impl<B: AsRef<[u8]>> FromIterator<B> for CookieHeaders {
    fn from_iter<I: IntoIterator<Item = B>>(values: I) -> Self {
        let mut values = values.into_iter();
        let Some(first) = values.next() else { return Self::default() };
        let first = Box::from(first.as_ref());
        let Some(second) = values.next() else { return Headers::One(first).into() };
        let rest = values.map(|value| Box::from(value.as_ref()));
        Headers::Many([first, Box::from(second.as_ref())].into_iter().chain(rest).collect()).into()
    }
}

impl From<Headers> for CookieHeaders {
    fn from(headers: Headers) -> Self {
        Self { headers, ..Self::default() }
    }
}

impl CookieHeaders {
    /// Collects the cookies of a request with this head, which says whether the request is cross-site, so that the
    /// browser may have withheld the session's cookie ([`Status::unseen`](crate::facet::Status::unseen)), and whether its
    /// response is shown to anybody.
    pub fn of<'r, C: AsRef<[u8]>>(
        cookies: impl IntoIterator<Item = C>,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    ) -> Self {
        Self {
            sender: Sender::of(head),
            shows_nothing: head.shows_nothing(),
            ..cookies.into_iter().collect()
        }
    }

    /// The token of a request whose session is in a header: no browser sends or withholds it by itself. An empty one is
    /// that of a client which was told to forget it.
    pub(crate) fn in_header<'r>(
        token: Option<&'r [u8]>,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    ) -> Self {
        Self {
            shows_nothing: head.shows_nothing(),
            ..token.into_iter().filter(|token| !token.is_empty()).collect()
        }
    }

    /// Whether the visitor sees nothing of the response, whatever it is.
    pub(crate) fn shows_nothing(&self) -> bool {
        self.shows_nothing
    }

    /// The cookies of a request that may, or may not, be unproven.
    #[cfg(feature = "dbsc")]
    pub(crate) fn exempt(self, exempt: bool) -> Self {
        Self { exempt, ..self }
    }

    #[cfg(feature = "dbsc")]
    pub(crate) fn is_exempt(&self) -> bool {
        self.exempt
    }

    /// Adds the host of the request, for [`Cookie::domains`](crate::Cookie::domains). The adapters' middleware does it if
    /// it is needed.
    #[must_use]
    pub fn with_host(mut self, host: Option<&[u8]>) -> Self {
        self.host = host.map(Box::from);
        self
    }

    pub(crate) fn host(&self) -> Option<&[u8]> {
        self.host.as_deref()
    }

    /// Whether a browser sends no cookie like this along with the request.
    pub(crate) fn withhold(&self, cookie: SameSite) -> bool {
        match cookie {
            SameSite::Strict => self.sender != Sender::Unsaid,
            SameSite::Lax => self.sender == Sender::OtherSite,
            SameSite::None => false,
        }
    }

    /// Returns the first value of a cookie.
    ///
    /// ```
    /// # use session_core::import::CookieHeaders;
    /// let cookies: CookieHeaders = ["theme=dark; old=7f"].into_iter().collect();
    /// assert_eq!(cookies.get("old"), Some(b"7f".as_slice()));
    /// assert_eq!(cookies.get("new"), None);
    /// ```
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        Candidates::find(self.iter(), name).values().first().copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let slice = match &self.headers {
            Headers::None => [].as_slice(),
            Headers::One(one) => std::slice::from_ref(one),
            Headers::Many(many) => many,
        };
        slice.iter().map(AsRef::as_ref)
    }
}

/// Leaves out their content, since cookies are secrets.
impl fmt::Debug for CookieHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CookieHeaders({})", self.iter().count())
    }
}
