//! The URLs that a session remembers, as a facet of [`Session`]: the intended page and the previous page.

use super::Session;
use crate::decision::state::SessionState;
use crate::engine::error::SessionError;
use crate::value::content::{INTENDED, PREVIOUS};
use crate::value::url::{path_on, stays};

/// The URLs that a session remembers: where the visitor was going when sign-in interrupted, and the page before this
/// one. From [`Session::urls`].
///
/// Only paths on this site are accepted, and absolute URLs of the hosts given to
/// [`SessionsBuilder::redirect_hosts`](crate::SessionsBuilder::redirect_hosts); anything else would be an open redirect.
///
/// ```
/// # use session_core::{Session, SessionError};
/// let session = Session::standalone();
/// session.urls().set_intended("/orders?page=2")?;
/// assert_eq!(session.urls().pull_intended()?.as_deref(), Some("/orders?page=2"));
/// assert!(matches!(session.urls().set_intended("//evil.example"), Err(SessionError::RefusedUrl)));
/// # Ok::<(), SessionError>(())
/// ```
#[derive(Debug)]
pub struct Urls<'s>(&'s Session);

impl Session {
    /// Returns the facet for the URLs that the session remembers: the intended page and the previous page.
    #[must_use]
    pub fn urls(&self) -> Urls<'_> {
        Urls(self)
    }
}

impl Urls<'_> {
    /// Remembers where the visitor was going, for the time after sign-in.
    ///
    /// # Errors
    /// [`SessionError::RefusedUrl`] if the URL leads to another site, and the [errors of every
    /// change](Session#errors-of-every-change).
    #[doc(alias = "set_intended_url")]
    pub fn set_intended(&self, url: impl AsRef<str>) -> Result<(), SessionError> {
        self.set(INTENDED, url.as_ref())
    }

    /// Returns the intended URL.
    #[must_use]
    #[doc(alias = "intended_url")]
    pub fn intended(&self) -> Option<String> {
        self.get(INTENDED)
    }

    /// Returns the intended URL and removes it.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    #[doc(alias = "pull_intended_url")]
    pub fn pull_intended(&self) -> Result<Option<String>, SessionError> {
        let url = self.find(INTENDED)?;
        self.clear_intended()?;
        Ok(url)
    }

    /// Removes the intended URL.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    #[doc(alias = "clear_intended_url")]
    pub fn clear_intended(&self) -> Result<(), SessionError> {
        self.0.edit(|state| {
            state.content.system.forget(INTENDED);
            Ok::<_, SessionError>(())
        })
    }

    /// Remembers the page that the visitor sees now. The middleware does this where page tracking is on.
    ///
    /// # Errors
    /// [`SessionError::RefusedUrl`] if the URL leads to another site, and the [errors of every
    /// change](Session#errors-of-every-change).
    #[doc(alias = "set_previous_url")]
    pub fn set_previous(&self, url: impl AsRef<str>) -> Result<(), SessionError> {
        self.set(PREVIOUS, url.as_ref())
    }

    /// Returns the previous page.
    #[must_use]
    #[doc(alias = "previous_url")]
    pub fn previous(&self) -> Option<String> {
        self.get(PREVIOUS)
    }

    /// Returns where "back" leads: the path of a `Referer` of the same host, else the previous page, else `fallback`.
    ///
    /// A `Referer` belongs to the tab that sent the request, while the previous page may be that of another tab. A
    /// `Referer` without a path comes from a page that reveals only its origin; it counts if there is no previous page.
    ///
    /// ```
    /// # use session_core::{Session, SessionError};
    /// let session = Session::standalone();
    /// session.urls().set_previous("/other-tab")?;
    /// let back = |referer| session.urls().back(Some(referer), Some("shop.example"), "/");
    /// assert_eq!(back("https://shop.example/cart"), "/cart");
    /// assert_eq!(back("https://shop.example/"), "/other-tab");
    /// assert_eq!(back("https://search.example/?q=shop"), "/other-tab");
    /// # Ok::<(), SessionError>(())
    /// ```
    #[must_use]
    pub fn back(&self, referer: Option<&str>, host: Option<&str>, fallback: &str) -> String {
        let referer = referer.zip(host).and_then(|(referer, host)| path_on(referer, host));
        let with_path = referer.filter(|path| *path != "/").map(str::to_owned);
        with_path
            .or_else(|| self.previous())
            .or_else(|| referer.map(str::to_owned))
            .unwrap_or_else(|| fallback.to_owned())
    }

    /// Returns whether a redirect to this URL is safe: a path on this site, or an absolute URL whose host the application
    /// allows ([`redirect_hosts`](crate::SessionsBuilder::redirect_hosts)).
    #[must_use]
    pub fn allows(&self, url: &str) -> bool {
        stays(url, &self.0.shared.engine.redirect_hosts)
    }

    fn set(&self, key: &str, url: &str) -> Result<(), SessionError> {
        let allowed = self.allows(url);
        self.0.edit(|state| {
            if !allowed {
                return Err(SessionError::RefusedUrl);
            }
            Ok(state.content.system.put(key, url)?)
        })
    }

    fn get(&self, key: &str) -> Option<String> {
        self.kept(self.0.read(|state| url(state, key)))
    }

    fn find(&self, key: &str) -> Result<Option<String>, SessionError> {
        Ok(self.kept(self.0.try_read(|state| Ok::<_, SessionError>(url(state, key)))?))
    }

    fn kept(&self, url: Option<String>) -> Option<String> {
        url.filter(|url| self.allows(url))
    }
}

fn url(state: &SessionState, key: &str) -> Option<String> {
    state.content.system.get(key).ok().flatten()
}
