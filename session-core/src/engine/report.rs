//! The headers that a closed visit adds to the response, as strings, independent of any HTTP crate.

use std::fmt;

use crate::decision::codec::{CookieCodec, SetCookies};
use crate::decision::commit::CommitError;
use crate::decision::decide::Fate;
use crate::decision::state::SessionState;
use crate::value::time::Timestamp;

/// The result of a visit. An adapter turns it into response headers, and an error into a failure response.
#[derive(Default)]
#[non_exhaustive]
pub struct VisitReport {
    /// Append this as a `Set-Cookie` header: the session's cookie.
    pub set_cookie: Option<String>,
    /// Append this as a `Set-Cookie` header, too: the short-lived cookie of a session that is bound to its device.
    pub set_bound: Option<String>,
    /// Append this as a `Secure-Session-Registration` header: the offer to bind a new session to the device.
    pub registration: Option<String>,
    /// Append this as another `Set-Cookie` header: the touch cookie of a session that is carried in its cookie.
    pub set_touch: Option<String>,
    /// Append this as another `Set-Cookie` header: it removes the cookie that the session came with, which is another
    /// library's ([`import_from`](crate::SessionsBuilder::import_from)) or has an earlier configuration
    /// ([`migrate_from_cookie`](crate::SessionsBuilder::migrate_from_cookie)).
    pub clear_old: Option<String>,
    /// Append this as another `Set-Cookie` header: it removes the touch cookie beside that one.
    pub clear_old_touch: Option<String>,
    /// Append this as another `Set-Cookie` header: it removes the cookie `XSRF-TOKEN` beside that one.
    pub clear_old_xsrf: Option<String>,
    /// With [`TokenFrom::Header`](crate::TokenFrom::Header), in place of cookies: set the header of this name, in lower
    /// case, to this value. It is empty after a sign-out.
    pub set_token: Option<(&'static str, String)>,
    /// Whether a handler opened the session, so that the response varies by [`vary`](Self::vary).
    pub looked: bool,
    /// Append this as a `Set-Cookie` header: the cookie `XSRF-TOKEN`, which scripts read
    /// ([`xsrf_cookie`](crate::SessionsBuilder::xsrf_cookie)).
    pub xsrf_cookie: Option<String>,
    /// Whether the response must stay out of every cache ([`private_pages`](crate::SessionsBuilder::private_pages)).
    pub private: bool,
    /// Whether the response tells the browser to drop what it has cached and stored of this site
    /// ([`Visit::clear_site_data`](crate::adapter::Visit::clear_site_data)).
    pub clear_site_data: bool,
    /// The error of the commit. [`VisitReport::failure`] says how to respond.
    pub error: Option<CommitError>,
    /// The header that tokens come in, if they do not come in a cookie.
    pub(super) header: Option<&'static str>,
}

/// Shows which headers there are, and not their values: a cookie is a secret.
impl fmt::Debug for VisitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = [
            ("set_cookie", self.set_cookie.is_some()),
            ("set_bound", self.set_bound.is_some()),
            ("registration", self.registration.is_some()),
            ("set_touch", self.set_touch.is_some()),
            ("clear_old", self.clear_old.is_some()),
            ("set_token", self.set_token.is_some()),
            ("looked", self.looked),
            ("xsrf_cookie", self.xsrf_cookie.is_some()),
            ("private", self.private),
            ("clear_site_data", self.clear_site_data),
        ];
        let mut report = f.debug_struct("VisitReport");
        headers.iter().filter(|(_, is_there)| *is_there).for_each(|(name, is_there)| {
            report.field(name, is_there);
        });
        report.field("error", &self.error).finish_non_exhaustive()
    }
}

/// How a failed commit changes the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: an adapter matches them all")]
pub enum Failure {
    /// 503: the store failed, or too many requests wrote the session concurrently. A retry may succeed.
    Unavailable,
    /// 500: the session is too large, or the random generator failed.
    Internal,
}

impl Failure {
    /// Returns the status of the response.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// One change to the headers of a response. Names are in lower case.
///
/// ```
/// use session_core::adapter::HeaderChange;
///
/// /// As an adapter does it, on whatever header map its framework has.
/// fn apply(change: HeaderChange<'_>, headers: &mut Vec<(String, String)>) {
///     if change.replaces() {
///         headers.retain(|(there, _)| there != change.name());
///     }
///     headers.push((change.name().to_owned(), change.value().to_owned()));
/// }
///
/// let mut headers = vec![("cache-control".to_owned(), "public".to_owned())];
/// apply(HeaderChange::Replace("cache-control", "no-store"), &mut headers);
/// assert_eq!(headers, [("cache-control".to_owned(), "no-store".to_owned())]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: an adapter matches both")]
pub enum HeaderChange<'r> {
    /// Add this header to those of the same name.
    Append(&'static str, &'r str),
    /// Replace all headers of this name.
    Replace(&'static str, &'r str),
}

/// Shows the name, and not the value: it may be a cookie.
impl fmt::Debug for HeaderChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variant = if self.replaces() { "Replace" } else { "Append" };
        f.debug_tuple(variant).field(&self.name()).finish_non_exhaustive()
    }
}

impl<'r> HeaderChange<'r> {
    /// Returns the name, in lower case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        let (Self::Append(name, _) | Self::Replace(name, _)) = self;
        name
    }

    /// Returns the value: visible ASCII.
    #[must_use]
    pub const fn value(&self) -> &'r str {
        let (Self::Append(_, value) | Self::Replace(_, value)) = self;
        value
    }

    /// Returns whether the existing headers of this name must be removed.
    #[must_use]
    pub const fn replaces(&self) -> bool {
        matches!(self, Self::Replace(..))
    }
}

impl VisitReport {
    /// The value of the header `Clear-Site-Data` where [`clear_site_data`](Self::clear_site_data) is set.
    pub const CLEAR_SITE_DATA: &'static str = r#""cache", "storage""#;

    /// Builds the report of a closed visit.
    ///
    /// If the last commit failed, an earlier commit of the same visit may still have a cookie to set. The handler was
    /// told that the earlier one succeeded, so the browser must get its cookie; otherwise a new or renewed session
    /// would be unreachable. A session that was to be destroyed gets no cookie.
    pub(crate) fn settled(
        codec: &CookieCodec,
        state: &SessionState,
        result: Result<(), CommitError>,
        now: impl FnOnce() -> Timestamp,
    ) -> Self {
        let (cookies, error) = match (result, codec.encode(state, now)) {
            (Ok(()), Ok(cookies)) => (cookies, None),
            (Ok(()), Err(error)) => (SetCookies::default(), Some(error)),
            (Err(error), Ok(cookies)) if state.fate() != Fate::Destroy => (cookies, Some(error)),
            (Err(error), _) => (SetCookies::default(), Some(error)),
        };
        let (set_cookie, set_token) = match (codec.header(), cookies.session) {
            (Some(name), token) => (None, token.map(|token| (name, token))),
            (None, cookie) => (cookie, None),
        };
        let (set_touch, header) = (cookies.touch, codec.header());
        Self { set_cookie, set_touch, set_token, header, error, ..Self::default() }
    }

    /// Returns the changes to the response's headers. `present` returns the existing values of a header by its name.
    /// Existing headers are kept, except a `Cache-Control` that would allow a response with a cookie to be cached.
    ///
    /// ```
    /// use session_core::adapter::{HeaderChange, VisitReport};
    ///
    /// let mut report = VisitReport::default();
    /// report.looked = true;
    /// let response = [("vary", b"accept-encoding".as_slice())];
    /// let present = |name| response.iter().filter(move |header| header.0 == name).map(|header| header.1);
    /// let changes: Vec<_> = report.headers(present).into_iter().flatten().collect();
    /// assert_eq!(changes, [HeaderChange::Append("vary", "Cookie")]);
    /// ```
    pub fn headers<'a, V: IntoIterator<Item = &'a [u8]>>(
        &self,
        present: impl Fn(&'static str) -> V,
    ) -> [Option<HeaderChange<'_>>; 12] {
        let set_cookie = |cookie| HeaderChange::Append(SET_COOKIE, cookie);
        [
            self.needs_vary(present(VARY)).then_some(HeaderChange::Append(VARY, self.vary())),
            self.cache_control(present(CACHE_CONTROL))
                .map(|directives| HeaderChange::Replace(CACHE_CONTROL, directives)),
            self.set_cookie.as_deref().map(set_cookie),
            self.set_touch.as_deref().map(set_cookie),
            self.xsrf_cookie.as_deref().map(set_cookie),
            self.set_token.as_ref().map(|(name, token)| HeaderChange::Replace(name, token)),
            self.set_bound.as_deref().map(set_cookie),
            self.clear_old.as_deref().map(set_cookie),
            self.clear_old_touch.as_deref().map(set_cookie),
            self.clear_old_xsrf.as_deref().map(set_cookie),
            self.registration.as_deref().map(|offer| HeaderChange::Append(REGISTRATION, offer)),
            self.clear_site_data.then_some(HeaderChange::Replace("clear-site-data", Self::CLEAR_SITE_DATA)),
        ]
    }

    /// Returns the values of the `Set-Cookie` headers, which [`headers`](Self::headers) has among others.
    pub fn set_cookies(&self) -> impl Iterator<Item = &str> {
        let set = [&self.set_cookie, &self.set_touch, &self.set_bound, &self.xsrf_cookie];
        let cleared = [&self.clear_old, &self.clear_old_touch, &self.clear_old_xsrf];
        set.into_iter().chain(cleared).flatten().map(String::as_str)
    }

    /// Returns the failure to respond with instead of the handler's response, if any. A session that ended meanwhile is
    /// not a failure: the handler's response is sent without a cookie.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        self.error.as_ref()?.failure()
    }

    /// Returns the `Cache-Control` that the response needs: `no-store, private` if it is private, `no-store` if it sets a
    /// cookie, or `None` if the existing header suffices.
    ///
    /// ```
    /// use session_core::adapter::VisitReport;
    ///
    /// let mut report = VisitReport::default();
    /// assert_eq!(report.cache_control([]), None);
    /// report.set_cookie = Some("sid=1".to_owned());
    /// assert_eq!(report.cache_control([b"public, max-age=60".as_slice()]), Some("no-store"));
    /// assert_eq!(report.cache_control([b"private, No-Store".as_slice()]), None);
    /// report.private = true;
    /// assert_eq!(report.cache_control([b"no-store".as_slice()]), Some("no-store, private"));
    /// ```
    #[must_use]
    pub fn cache_control<'a>(&self, present: impl IntoIterator<Item = &'a [u8]>) -> Option<&'static str> {
        let needed = match self.private {
            true => "no-store, private",
            false if self.sets() => "no-store",
            false => return None,
        };
        let directives: Vec<&[u8]> = present.into_iter().flat_map(elements).collect();
        let has = |name: &[u8]| {
            directives.iter().any(|directive| directive_name(directive).eq_ignore_ascii_case(name))
        };
        let suffices = has(b"no-store") && (has(b"private") || !self.private);
        (!suffices || has(b"public") || has(b"s-maxage")).then_some(needed)
    }

    /// Returns the request header that the session came in: `Cookie`, or the one of
    /// [`TokenFrom::Header`](crate::TokenFrom::Header).
    #[must_use]
    pub fn vary(&self) -> &'static str {
        self.header.unwrap_or("Cookie")
    }

    fn sets(&self) -> bool {
        self.set_cookies().next().is_some() || self.set_token.is_some()
    }

    /// Returns whether [`vary`](Self::vary) must be added to the existing `Vary` headers.
    ///
    /// ```
    /// use session_core::adapter::VisitReport;
    ///
    /// let mut report = VisitReport::default();
    /// assert!(!report.needs_vary([]));
    /// report.looked = true;
    /// assert!(report.needs_vary([b"Accept-Encoding".as_slice()]));
    /// assert!(!report.needs_vary([b"accept-encoding, cookie".as_slice()]) && !report.needs_vary([b"*".as_slice()]));
    /// ```
    #[must_use]
    pub fn needs_vary<'a>(&self, present: impl IntoIterator<Item = &'a [u8]>) -> bool {
        let name = self.vary().as_bytes();
        let covered = |field: &[u8]| field == b"*" || field.eq_ignore_ascii_case(name);
        (self.looked || self.sets()) && !present.into_iter().flat_map(elements).any(covered)
    }
}

impl CommitError {
    /// Returns the failure to respond with instead of the handler's response, or `None` if that response is sent.
    #[must_use]
    pub const fn failure(&self) -> Option<Failure> {
        match self {
            // The handler's response is sent, or was never this commit's to change.
            Self::Gone | Self::Closed | Self::ReadOnly => None,
            Self::Contended | Self::Store(_) | Self::Newer(_) => Some(Failure::Unavailable),
            Self::TooLarge { .. } | Self::Entropy | Self::NoResponse | Self::Unseen | Self::Unproven => {
                Some(Failure::Internal)
            }
        }
    }
}

fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

fn directive_name(directive: &[u8]) -> &[u8] {
    directive.split(|byte| *byte == b'=').next().unwrap_or(directive).trim_ascii()
}

const VARY: &str = "vary";
const CACHE_CONTROL: &str = "cache-control";
const SET_COOKIE: &str = "set-cookie";
const REGISTRATION: &str = "secure-session-registration";
