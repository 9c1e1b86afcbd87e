//! What a closed visit asks of the response: headers, in words that every HTTP library understands.

use crate::decision::codec::CookieCodec;
use crate::decision::commit::CommitError;
use crate::decision::decide::Fate;
use crate::decision::state::SessionState;
use crate::value::time::Timestamp;

/// What became of a visit. An adapter turns it into headers, and an error into a failure response.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct VisitReport {
    /// Append this as a `Set-Cookie` header.
    pub set_cookie: Option<String>,
    /// A handler looked at the session, so the response is one visitor's own: it varies by `Cookie`.
    pub looked: bool,
    /// Why the changes were not written. [`VisitReport::failure`] says what to answer.
    pub error: Option<CommitError>,
}

/// What a failed commit makes of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: an adapter matches them all")]
pub enum Failure {
    /// 503: the store, or too many at once. Trying again may help.
    Unavailable,
    /// 500: the session has grown too large, or there is no randomness.
    Internal,
}

impl Failure {
    /// The status to answer with.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: an adapter matches both")]
pub enum HeaderChange<'r> {
    /// Add this one beside what is there.
    Append(&'static str, &'r str),
    /// This one, and no other of its name.
    Replace(&'static str, &'r str),
}

impl<'r> HeaderChange<'r> {
    /// Its name, in lower case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        let (Self::Append(name, _) | Self::Replace(name, _)) = self;
        name
    }

    /// The value to add: visible ASCII.
    #[must_use]
    pub const fn value(&self) -> &'r str {
        let (Self::Append(_, value) | Self::Replace(_, value)) = self;
        value
    }

    /// Whether what the response has of this name goes first.
    #[must_use]
    pub const fn replaces(&self) -> bool {
        matches!(self, Self::Replace(..))
    }
}

impl VisitReport {
    /// What a closed visit asks of its response.
    ///
    /// If the last commit failed, an earlier one of the same visit may still have a cookie for the browser. The handler was
    /// told that it succeeded, so the visitor must be able to come back to its session: without that cookie a new session
    /// would be nobody's, and a renewed one would have died with its old id. What was to be destroyed is not handed out.
    pub(crate) fn settled(
        codec: &CookieCodec,
        state: &SessionState,
        result: Result<(), CommitError>,
        now: impl FnOnce() -> Timestamp,
    ) -> Self {
        let (set_cookie, error) = match (result, codec.encode(state.cookie(), now)) {
            (Ok(()), Ok(header)) => (header, None),
            (Ok(()), Err(error)) => (None, Some(error)),
            (Err(error), header) => {
                (header.ok().flatten().filter(|_| state.fate() != Fate::Destroy), Some(error))
            }
        };
        Self { set_cookie, error, looked: false }
    }

    /// All that must be done to the response's headers, given what it has: `present` gives the values of a header by
    /// its name. What others have set stays, but for a `Cache-Control` that would let somebody keep a cookie.
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
    ) -> [Option<HeaderChange<'_>>; 3] {
        [
            self.needs_vary(present(VARY)).then_some(HeaderChange::Append(VARY, "Cookie")),
            self.cache_control(present(CACHE_CONTROL))
                .map(|directives| HeaderChange::Replace(CACHE_CONTROL, directives)),
            self.set_cookie.as_deref().map(|cookie| HeaderChange::Append(SET_COOKIE, cookie)),
        ]
    }

    /// What to answer instead of the handler's response, if anything. A session that ended meanwhile is no failure: the
    /// handler's response goes out as it is, without a cookie.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        failure(self.error.as_ref()?)
    }

    /// The `Cache-Control` that the response must have, given what it has: a response that sets a cookie is nobody
    /// else's (`no-store`); `None` where what is there will do.
    ///
    /// ```
    /// use session_core::adapter::VisitReport;
    ///
    /// let mut report = VisitReport::default();
    /// assert_eq!(report.cache_control([]), None);
    /// report.set_cookie = Some("sid=1".to_owned());
    /// assert_eq!(report.cache_control([b"public, max-age=60".as_slice()]), Some("no-store"));
    /// assert_eq!(report.cache_control([b"private, No-Store".as_slice()]), None);
    /// ```
    #[must_use]
    pub fn cache_control<'a>(&self, present: impl IntoIterator<Item = &'a [u8]>) -> Option<&'static str> {
        self.set_cookie.as_ref()?;
        let directives: Vec<&[u8]> = present.into_iter().flat_map(elements).collect();
        let has = |name: &[u8]| {
            directives.iter().any(|directive| directive_name(directive).eq_ignore_ascii_case(name))
        };
        (!has(b"no-store") || has(b"public") || has(b"s-maxage")).then_some("no-store")
    }

    /// Whether `Vary: Cookie` must be added, given what is there.
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
        let covered = |field: &[u8]| field == b"*" || field.eq_ignore_ascii_case(b"cookie");
        (self.looked || self.set_cookie.is_some()) && !present.into_iter().flat_map(elements).any(covered)
    }
}

/// What a commit's error makes of a response; `None` for [`CommitError::Gone`].
#[must_use]
pub fn failure(error: &CommitError) -> Option<Failure> {
    match error {
        // The handler's response is sent, or was never this commit's to change.
        CommitError::Gone | CommitError::Closed | CommitError::ReadOnly => None,
        CommitError::Contended | CommitError::Store(_) | CommitError::Newer(_) => Some(Failure::Unavailable),
        CommitError::TooLarge { .. }
        | CommitError::Entropy
        | CommitError::NoResponse
        | CommitError::Unseen => Some(Failure::Internal),
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
