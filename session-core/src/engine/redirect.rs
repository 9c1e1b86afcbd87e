//! Where a handler sends the visitor next, and what goes along: a message, what was typed, what was wrong with it.
//!
//! One rule: a target that anybody but the developer had a hand in is checked, and one that leads elsewhere is never
//! sent. The checks are [`stays`] and nothing else.

use serde::Serialize;

use super::error::SessionError;
use super::finish::BoxFuture;
use super::head::RequestHead;
use super::rejection::Rejection;
use super::session::{Messages, Session};
use super::validation::ValidationErrors;
use super::visit::Visit;
use crate::value::path::Accepts;
use crate::value::url::{location, stays};

/// Makes redirects that know the session, and the page that this request came from.
///
/// An adapter's extractor of the same name makes one from a request.
///
/// ```
/// use session_core::{Session, adapter::Redirects};
///
/// let redirects = Redirects::new(Session::standalone(), Some(b"https://shop.example/cart"), Some(b"shop.example"));
/// let redirect = redirects.back("/").with("status", "Sold out").finish()?;
/// assert_eq!((redirect.status(), redirect.location()), (303, "/cart"));
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Redirects {
    session: Session,
    referer: Option<Box<str>>,
    host: Option<Box<str>>,
}

impl Redirects {
    /// For a request with this `Referer` and this host: the `Host` header or, in HTTP/2, the authority.
    ///
    /// ```
    /// # use session_core::{Session, adapter::Redirects};
    /// let referer = b"https://shop.example/cart?step=2";
    /// let redirects = Redirects::new(Session::standalone(), Some(referer), Some(b"shop.example"));
    /// assert_eq!(redirects.back("/").finish()?.location(), "/cart?step=2");
    /// // Of another host, the referrer is nothing to go back to.
    /// let redirects = Redirects::new(Session::standalone(), Some(referer), Some(b"bank.example"));
    /// assert_eq!(redirects.back("/").finish()?.location(), "/");
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[must_use]
    pub fn new(session: Session, referer: Option<&[u8]>, host: Option<&[u8]>) -> Self {
        let text = |bytes| std::str::from_utf8(bytes).ok().map(Into::into);
        Self { session, referer: referer.and_then(text), host: host.and_then(text) }
    }

    /// Opens the session of a request, and makes redirects for it. `found` is the visit in the request's extensions; the
    /// future owns what it needs, so the request may be taken apart while it runs.
    ///
    /// # Errors
    /// [`Rejection`]: the layer is missing, or the session cannot be opened.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::adapter::{CookieHeaders, Redirects, RequestHead};
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// let header = |name| (name == "referer").then_some(b"https://shop.example/cart".as_slice());
    /// let head = RequestHead { method: "POST", url: "/orders", authority: Some("shop.example"), header };
    /// let redirects = Redirects::of_request(Some(guard.visit()), &head).await?;
    /// assert_eq!(redirects.back("/").finish()?.location(), "/cart");
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_request<'r>(
        found: Option<&Visit>,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    ) -> BoxFuture<Result<Self, Rejection>> {
        let visit = Visit::found(found);
        let (referer, host) = ((head.header)("referer").map(<[u8]>::to_vec), head.host().map(<[u8]>::to_vec));
        Box::pin(async move { Ok(Self::new(visit?.session().await?, referer.as_deref(), host.as_deref())) })
    }

    /// To a path on this site, or to one of the allowed hosts
    /// ([`SessionsBuilder::redirect_hosts`](crate::SessionsBuilder::redirect_hosts)). Anything else is refused when the
    /// redirect is sent, so a path with something from a visitor in it cannot lead away.
    ///
    /// ```
    /// # use session_core::{Session, SessionError, adapter::Redirects};
    /// # let redirects = Redirects::new(Session::standalone(), None, None);
    /// assert_eq!(redirects.to("/cart").finish()?.location(), "/cart");
    /// assert!(matches!(redirects.to("//evil.example").finish(), Err(SessionError::RefusedUrl)));
    /// # Ok::<(), SessionError>(())
    /// ```
    pub fn to(&self, path: impl AsRef<str>) -> Redirect {
        let target = location(path.as_ref());
        let allowed = stays(&target, &self.session.shared.sessions.redirect_hosts);
        self.redirect(if allowed { Ok(target) } else { Err(SessionError::RefusedUrl) })
    }

    /// To anywhere.
    ///
    /// # Security
    /// Nothing is checked: never with anything that a visitor sent.
    ///
    /// ```
    /// # use session_core::{Session, adapter::Redirects};
    /// # let redirects = Redirects::new(Session::standalone(), None, None);
    /// let redirect = redirects.to_unchecked("https://pay.example/begin").finish()?;
    /// assert_eq!(redirect.location(), "https://pay.example/begin");
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn to_unchecked(&self, url: impl AsRef<str>) -> Redirect {
        self.redirect(Ok(location(url.as_ref())))
    }

    /// To the page that the visitor saw last: the previous page that the session knows, else a `Referer` on this very
    /// host, else the fallback, which is the developer's word and is not checked.
    ///
    /// ```
    /// # use session_core::{Session, adapter::Redirects};
    /// # let redirects = Redirects::new(Session::standalone(), Some(b"https://evil.example/"), Some(b"shop.example"));
    /// assert_eq!(redirects.back("/").finish()?.location(), "/");
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn back(&self, fallback: impl AsRef<str>) -> Redirect {
        let fallback = fallback.as_ref();
        let target = self.session.urls().back(self.referer.as_deref(), self.host.as_deref(), fallback);
        self.redirect(Ok(location(&target)))
    }

    /// To where the visitor wanted to go before they were sent to sign in, which is forgotten with this; else to the
    /// fallback.
    ///
    /// ```
    /// # use session_core::{Session, adapter::Redirects};
    /// let session = Session::standalone();
    /// session.urls().set_intended("/orders")?;
    /// let redirects = Redirects::new(session, None, None);
    /// assert_eq!(redirects.intended("/").finish()?.location(), "/orders");
    /// assert_eq!(redirects.intended("/").finish()?.location(), "/");
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn intended(&self, fallback: impl AsRef<str>) -> Redirect {
        let pulled = self.session.urls().pull_intended();
        self.redirect(pulled.map(|url| location(url.as_deref().unwrap_or(fallback.as_ref()))))
    }

    /// The session that messages are left in.
    ///
    /// ```
    /// # use session_core::{Session, adapter::Redirects};
    /// # let redirects = Redirects::new(Session::standalone(), None, None);
    /// redirects.session().put("user", "ada")?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    fn redirect(&self, target: Result<String, SessionError>) -> Redirect {
        Redirect { session: self.session.clone(), target, kind: Kind::SeeOther }
    }
}

/// A redirect in the making. What goes wrong on the way is kept to the end: [`finish`](Self::finish) tells it, and an
/// adapter that is given an unfinished one answers 500.
#[derive(Debug)]
#[must_use = "a redirect does nothing unless it is the response"]
pub struct Redirect {
    session: Session,
    target: Result<String, SessionError>,
    kind: Kind,
}

/// Which redirect it is.
///
/// ```
/// # use session_core::{Session, adapter::{RedirectKind, Redirects}};
/// let redirects = Redirects::new(Session::standalone(), None, None);
/// let statuses = [RedirectKind::SeeOther, RedirectKind::Found, RedirectKind::Temporary]
///     .map(|kind| redirects.to("/").of_kind(kind).finish().map(|redirect| redirect.status()).ok());
/// assert_eq!(statuses, [Some(303), Some(302), Some(307)]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// 303: get that page. What a form is answered with.
    SeeOther,
    /// 302: what servers sent before there was 303.
    Found,
    /// 307: send the same request, body and all, there.
    Temporary,
}

impl Redirect {
    /// Leaves a message for the page: [`Session::flash`].
    ///
    /// ```
    /// # use session_core::{Session, adapter::Redirects};
    /// # let redirects = Redirects::new(Session::standalone(), None, None);
    /// let redirect = redirects.to("/cart").with("status", "Saved");
    /// # redirect.finish()?; Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn with<V: Serialize>(self, key: impl Accepts<V>, value: V) -> Self {
        self.after(|session| session.flash(key, value))
    }

    /// Leaves what was typed, for `old`: [`Session::flash_all`]. Secrets stay out.
    ///
    /// ```
    /// # use session_core::{Session, adapter::Redirects};
    /// # let redirects = Redirects::new(Session::standalone(), None, None);
    /// let redirect = redirects.back("/").with_input();
    /// # redirect.finish()?; Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn with_input(self) -> Self {
        self.after(Session::flash_all)
    }

    /// Leaves errors: [`Session::with_errors`].
    ///
    /// ```
    /// # use session_core::{Session, adapter::Redirects};
    /// # let redirects = Redirects::new(Session::standalone(), None, None);
    /// let redirect = redirects.back("/").with_errors([("email", "is taken")]);
    /// # redirect.finish()?; Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn with_errors<F: AsRef<str>, M: Into<Messages>>(
        self,
        errors: impl IntoIterator<Item = (F, M)>,
    ) -> Self {
        self.after(|session| session.with_errors(errors))
    }

    /// Leaves a validation library's report as errors.
    ///
    /// ```
    /// # use session_core::{Session, validation::ValidationErrors, adapter::Redirects};
    /// # struct Mine;
    /// # impl ValidationErrors for Mine { fn messages(&self) -> Vec<(String, String)> { Vec::new() } }
    /// # let redirects = Redirects::new(Session::standalone(), None, None);
    /// let redirect = redirects.back("/").with_report(&Mine).with_input();
    /// # redirect.finish()?; Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn with_report(self, report: &impl ValidationErrors) -> Self {
        self.with_errors(report.messages())
    }

    /// Another kind than 303.
    ///
    /// ```
    /// # use session_core::{Session, adapter::{RedirectKind, Redirects}};
    /// # let redirects = Redirects::new(Session::standalone(), None, None);
    /// assert_eq!(redirects.to("/cart").of_kind(RedirectKind::Temporary).finish()?.status(), 307);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// What to answer.
    ///
    /// # Errors
    /// The first thing that went wrong: [`SessionError::RefusedUrl`] for a target that leads elsewhere, or what a change
    /// to the session may answer.
    ///
    /// ```
    /// # use session_core::{Session, SessionError, adapter::Redirects};
    /// let redirects = Redirects::new(Session::standalone(), None, None);
    /// let sent = redirects.to("/orders").with("status", "Ordered").finish()?;
    /// assert_eq!((sent.status(), sent.location()), (303, "/orders"));
    /// // The first thing that went wrong, wherever it was.
    /// let refused = redirects.to("javascript:alert(1)").with("status", "Ordered").finish();
    /// assert!(matches!(refused, Err(SessionError::RefusedUrl)));
    /// # Ok::<(), SessionError>(())
    /// ```
    pub fn finish(self) -> Result<Finished, SessionError> {
        Ok(Finished { location: self.target?, kind: self.kind })
    }

    fn after(mut self, change: impl FnOnce(&Session) -> Result<(), SessionError>) -> Self {
        // After an error nothing more is left behind.
        self.target = self.target.and_then(|target| change(&self.session).map(|()| target));
        self
    }
}

/// A redirect's status and `Location`, fit to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    location: String,
    kind: Kind,
}

impl Finished {
    /// The status.
    ///
    /// ```
    /// # use session_core::{Session, adapter::Redirects};
    /// let redirects = Redirects::new(Session::standalone(), None, None);
    /// assert_eq!(redirects.to("/").finish()?.status(), 303);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self.kind {
            Kind::SeeOther => 303,
            Kind::Found => 302,
            Kind::Temporary => 307,
        }
    }

    /// The `Location` header: visible ASCII.
    ///
    /// ```
    /// # use session_core::{Session, adapter::Redirects};
    /// let redirects = Redirects::new(Session::standalone(), None, None);
    /// assert_eq!(redirects.to("/straße").finish()?.location(), "/stra%C3%9Fe");
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    pub(crate) fn into_location(self) -> String {
        self.location
    }
}
