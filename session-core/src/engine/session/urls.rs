//! Where to go next: the page that sign-in interrupted, and the page before this one.

use super::Session;
use crate::engine::error::SessionError;
use crate::value::content::{INTENDED, PREVIOUS};
use crate::value::url::{path_on, stays};

impl Session {
    /// Notes where the visitor wanted to go, before they are sent to sign in.
    ///
    /// # Errors
    /// [`SessionError::RefusedUrl`] for anything but a path on this site, or a URL on a host that was allowed with
    /// [`SessionsBuilder::redirect_hosts`](crate::SessionsBuilder::redirect_hosts); and what every change may answer.
    ///
    /// ```
    /// # use session_core::{Session, SessionError};
    /// let session = Session::standalone();
    /// session.urls().set_intended("/orders?open=1")?;
    /// assert!(matches!(session.urls().set_intended("//evil.example"), Err(SessionError::RefusedUrl)));
    /// assert_eq!(session.urls().pull_intended()?.as_deref(), Some("/orders?open=1"));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn set_intended_url(&self, url: impl AsRef<str>) -> Result<(), SessionError> {
        self.set_url(INTENDED, url.as_ref())
    }

    /// Where the visitor wanted to go.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert_eq!(Session::standalone().urls().intended(), None);
    /// ```
    #[must_use]
    pub fn intended_url(&self) -> Option<String> {
        self.url(INTENDED)
    }

    /// Where the visitor wanted to go; it is forgotten with this.
    ///
    /// # Errors
    /// What every change may answer.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert_eq!(Session::standalone().urls().pull_intended()?, None);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn pull_intended_url(&self) -> Result<Option<String>, SessionError> {
        let url = self.intended_url();
        self.clear_intended_url()?;
        Ok(url)
    }

    /// Forgets where the visitor wanted to go.
    ///
    /// # Errors
    /// What every change may answer.
    ///
    /// ```
    /// # use session_core::Session;
    /// Session::standalone().urls().clear_intended()?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn clear_intended_url(&self) -> Result<(), SessionError> {
        self.edit(|state| {
            state.content.system.forget(INTENDED);
            Ok::<_, SessionError>(())
        })
    }

    /// Notes the page that the visitor sees now, as the one to come back to. An adapter's layer does it for pages when
    /// it is told to; each new page is then a write.
    ///
    /// # Errors
    /// As for [`set_intended_url`](Self::set_intended_url).
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.urls().set_previous("/cart")?;
    /// assert_eq!(session.urls().previous().as_deref(), Some("/cart"));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn set_previous_url(&self, url: impl AsRef<str>) -> Result<(), SessionError> {
        self.set_url(PREVIOUS, url.as_ref())
    }

    /// The page that the visitor saw last.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert_eq!(Session::standalone().urls().previous(), None);
    /// ```
    #[must_use]
    pub fn previous_url(&self) -> Option<String> {
        self.url(PREVIOUS)
    }

    /// Where "back" leads: the previous page, else a `Referer` on this very `host`, else the fallback. What an adapter's
    /// `Redirect::back` asks.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// assert_eq!(session.urls().back(Some("https://shop.example/cart"), Some("shop.example"), "/"), "/cart");
    /// assert_eq!(session.urls().back(Some("https://evil.example/"), Some("shop.example"), "/"), "/");
    /// ```
    #[must_use]
    pub fn back_url(&self, referer: Option<&str>, host: Option<&str>, fallback: &str) -> String {
        self.previous_url()
            .or_else(|| path_on(referer?, host?).map(str::to_owned))
            .unwrap_or_else(|| fallback.to_owned())
    }

    fn set_url(&self, key: &str, url: &str) -> Result<(), SessionError> {
        let allowed = stays(url, &self.shared.sessions.redirect_hosts);
        self.edit(|state| {
            if !allowed {
                return Err(SessionError::RefusedUrl);
            }
            Ok(state.content.system.put(key, url)?)
        })
    }

    /// What is stored was checked when it was put; it is checked again, since the list of hosts may have changed.
    fn url(&self, key: &str) -> Option<String> {
        let url: String = self.read(|state| state.content.system.get(key).ok().flatten())?;
        stays(&url, &self.shared.sessions.redirect_hosts).then_some(url)
    }
}
