//! Redirects that carry messages, old input and errors to the next page.
//!
//! Security: every target that is not the developer's own text is checked by [`Urls::allows`](session_core::facet::Urls::allows), and one that leaves the site is
//! never sent.

mod finished;

pub use finished::{FinishedRedirect, RedirectKind};

use std::fmt;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use session_core::adapter::{BoxFuture, RequestHead, Visit};
use session_core::{Messages, Session, SessionError, path::Accepts};

use crate::rejection::Rejection;
use crate::validation::ValidationErrors;
use crate::visit::find_visit;

/// Creates redirects that know the session and the page that this request came from.
///
/// Each adapter has an extractor, or a function, that makes one from a request.
///
/// ```
/// use session_core::Session;
/// use session_web::Redirects;
///
/// let redirects = Redirects::new(Session::standalone(), Some(b"https://shop.example/cart"), Some(b"shop.example"));
/// let redirect = redirects.back("/").with("status", "Sold out").finish()?;
/// assert_eq!((redirect.status(), redirect.location()), (303, "/cart"));
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[derive(Clone)]
pub struct Redirects {
    session: Session,
    referer: Option<Box<str>>,
    host: Option<Box<str>>,
}

/// Not the `Referer`: its query may hold a token.
impl fmt::Debug for Redirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redirects").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Redirects {
    /// From a session, and the values of the request's `Referer` and `Host` headers.
    #[must_use]
    pub fn new(session: Session, referer: Option<&[u8]>, host: Option<&[u8]>) -> Self {
        let text = |bytes| std::str::from_utf8(bytes).ok().map(Into::into);
        Self { session, referer: referer.and_then(text), host: host.and_then(text) }
    }

    /// For a request with this head; `found` is the visit in its extensions. Opens the session.
    ///
    /// Where the browser says that a page of this origin sent the request (`Sec-Fetch-Site: same-origin`), its `Referer`
    /// counts for [`back`](Self::back) also behind a proxy that changes `Host`.
    ///
    /// # Errors
    /// [`Rejection`]: the layer is missing, or the session cannot be opened.
    pub fn of_request<'r>(
        found: Option<&Visit>,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    ) -> BoxFuture<Result<Self, Rejection>> {
        let visit = find_visit(found);
        let referer = (head.header)("referer");
        let is_own = (head.header)("sec-fetch-site") == Some(b"same-origin".as_slice());
        let host = if is_own { referer.and_then(authority) } else { head.host() };
        let (referer, host) = (referer.map(<[u8]>::to_vec), host.map(<[u8]>::to_vec));
        Box::pin(async move { Ok(Self::new(visit?.session().await?, referer.as_deref(), host.as_deref())) })
    }

    /// Redirects to a path on this site or to an allowed host. Any other target is refused when the redirect is
    /// finished.
    ///
    /// ```
    /// use session_core::{Session, SessionError};
    /// use session_web::Redirects;
    ///
    /// let redirects = Redirects::new(Session::standalone(), None, None);
    /// assert!(matches!(redirects.to("//evil.example").finish(), Err(SessionError::RefusedUrl)));
    /// ```
    pub fn to(&self, path: impl AsRef<str>) -> Redirect {
        let target = location(path.as_ref());
        let allowed = self.session.urls().allows(&target);
        self.redirect(if allowed { Ok(target) } else { Err(SessionError::RefusedUrl) })
    }

    /// Redirects to any URL, unchecked.
    ///
    /// # Security
    /// Never pass a URL from a request: that is an open redirect.
    pub fn to_unchecked(&self, url: impl AsRef<str>) -> Redirect {
        self.redirect(Ok(location(url.as_ref())))
    }

    /// Redirects to the previous page: a `Referer` on this host that has a path, else the page that the session
    /// remembers, else the fallback ([`Urls::back`](session_core::facet::Urls::back)).
    pub fn back(&self, fallback: impl AsRef<str>) -> Redirect {
        let fallback = fallback.as_ref();
        let target = self.session.urls().back(self.referer.as_deref(), self.host.as_deref(), fallback);
        self.redirect(Ok(location(&target)))
    }

    /// Redirects to the intended URL, which is removed, else to the fallback.
    pub fn intended(&self, fallback: impl AsRef<str>) -> Redirect {
        let pulled = match self.session.urls().pull_intended() {
            Err(SessionError::Destroyed) => Ok(None),
            pulled => pulled,
        };
        self.redirect(pulled.map(|url| location(url.as_deref().unwrap_or(fallback.as_ref()))))
    }

    /// Returns the value of a validation, or a redirect [`back`](Self::back) with the errors and the input.
    ///
    /// It takes the result of reading a form as a type, or of a validation library, and its error goes through `?`:
    /// each missing or invalid field becomes an error of that field on the page with the form.
    ///
    /// # Errors
    /// The redirect.
    ///
    /// ```
    /// use session_core::Session;
    /// use session_web::{ValidationErrors, Redirects, Rejection};
    ///
    /// struct Missing(&'static str);
    ///
    /// impl ValidationErrors for Missing {
    ///     fn messages(&self) -> Vec<(String, String)> {
    ///         vec![(self.0.to_owned(), "is missing".to_owned())]
    ///     }
    /// }
    ///
    /// fn order(redirects: &Redirects, count: Option<u32>) -> Result<u32, Rejection> {
    ///     Ok(redirects.or_back(count.ok_or(Missing("count")), "/order")?)
    /// }
    /// let redirects = Redirects::new(Session::standalone(), None, None);
    /// assert_eq!(order(&redirects, None).map_err(|rejection| rejection.status()), Err(303));
    /// ```
    #[expect(clippy::result_large_err, reason = "made for a form that is sent back, and moved once")]
    pub fn or_back<T>(
        &self,
        validated: Result<T, impl ValidationErrors>,
        fallback: impl AsRef<str>,
    ) -> Result<T, Redirect> {
        validated.map_err(|report| self.back(fallback).with_report(&report).with_input())
    }

    /// Returns the session that messages are left in.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    fn redirect(&self, target: Result<String, SessionError>) -> Redirect {
        Redirect { session: self.session.clone(), target, kind: RedirectKind::SeeOther }
    }
}

/// A redirect to be sent: 303 unless set otherwise.
///
/// After the session was destroyed there is nothing to leave a message in: it is dropped, with a line in the log. To say
/// goodbye, sign out with a message ([`sign_out_with`](crate::sign_out_with)).
///
/// ```
/// use session_core::Session;
/// use session_web::Redirects;
///
/// let redirects = Redirects::new(Session::standalone(), None, None);
/// let redirect = redirects.to("/cart").with("status", "Added").with_errors([("coupon", "has expired")]);
/// assert_eq!(redirect.finish()?.location(), "/cart");
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[must_use = "a redirect does nothing unless it is the response"]
pub struct Redirect {
    session: Session,
    target: Result<String, SessionError>,
    kind: RedirectKind,
}

/// Not where it leads: a query may hold a token.
impl fmt::Debug for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.target.as_ref().err();
        f.debug_struct("Redirect").field("kind", &self.kind).field("error", &error).finish_non_exhaustive()
    }
}

impl Redirect {
    /// Flashes a message for the next page.
    pub fn with<V: Serialize>(self, key: impl Accepts<V>, value: V) -> Self {
        self.after(|session| session.flash(key, value))
    }

    /// Leaves the request's form as old input, without secrets.
    pub fn with_input(self) -> Self {
        self.after(Session::flash_all)
    }

    /// Leaves errors: a field and its message, or messages.
    pub fn with_errors<F: AsRef<str>, M: Into<Messages>>(
        self,
        errors: impl IntoIterator<Item = (F, M)>,
    ) -> Self {
        self.after(|session| session.with_errors(errors))
    }

    /// Leaves the errors of one of several forms on the page, and its input, without secrets:
    /// [`Session::form`].
    pub fn with_errors_in<F: AsRef<str>, M: Into<Messages>>(
        self,
        form: impl AsRef<str>,
        errors: impl IntoIterator<Item = (F, M)>,
    ) -> Self {
        self.after(|session| session.form(form).with_errors(errors))
    }

    /// Leaves the errors of a validation library's report.
    pub fn with_report(self, report: &impl ValidationErrors) -> Self {
        self.with_errors(report.messages())
    }

    /// Sets another kind than 303.
    pub fn of_kind(mut self, kind: RedirectKind) -> Self {
        self.kind = kind;
        self
    }

    /// The response's status and location.
    ///
    /// # Errors
    /// [`SessionError::RefusedUrl`] for a target that leaves the site, or the error of the change that failed first.
    pub fn finish(self) -> Result<FinishedRedirect, SessionError> {
        Ok(FinishedRedirect::new(self.target?, self.kind))
    }

    fn after(mut self, change: impl FnOnce(&Session) -> Result<(), SessionError>) -> Self {
        // After an error nothing more is left behind.
        self.target = self.target.and_then(|target| match change(&self.session) {
            Err(SessionError::Destroyed) => {
                tracing::info!(target: "session", "a redirect's message was dropped: its session was destroyed");
                Ok(target)
            }
            changed => changed.map(|()| target),
        });
        self
    }
}

/// An unfinished redirect that cannot be sent is the error that it holds.
impl From<Redirect> for Rejection {
    fn from(redirect: Redirect) -> Self {
        redirect.finish().map_or_else(Self::Session, Self::Redirect)
    }
}

/// The host and port of a URL.
fn authority(url: &[u8]) -> Option<&[u8]> {
    let start = url.windows(3).position(|window| window == b"://")? + 3;
    url[start..].split(|byte| b"/?#".contains(byte)).next()
}

/// Makes any text a value of a `Location` header: whatever is not visible ASCII is percent-encoded as UTF-8.
fn location(target: &str) -> String {
    utf8_percent_encode(target, &INVISIBLE).to_string()
}

static INVISIBLE: AsciiSet = CONTROLS.add(b' ');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_one_authority() {
        for (url, found) in [
            ("https://shop.example/cart?next=https://evil.example/", Some("shop.example")),
            ("http://[::1]:3000?x", Some("[::1]:3000")),
            ("https://", Some("")),
            ("/cart", None),
        ] {
            assert_eq!(authority(url.as_bytes()), found.map(str::as_bytes), "{url}");
        }
    }

    #[test]
    fn a_location_carries_visible_ascii_only() {
        assert_eq!(location("/caf\u{e9} 1?x=a%20b"), "/caf%C3%A9%201?x=a%20b");
        assert_eq!(location("/a\r\nSet-Cookie: b"), "/a%0D%0ASet-Cookie:%20b");
    }
}
