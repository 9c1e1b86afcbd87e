//! Pages that require a signed-in user: returns the user's name, or a redirect to the sign-in page.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use session_core::Session;
use session_core::adapter::{PageRequest, RequestHead, Visit};

use crate::redirect::Redirects;
use crate::rejection::Rejection;

/// The sign-in requirement of a request, for the `SignedIn` and `Recent` extractors of the adapters.
///
/// Without a user, a navigation (a `GET` of a page by the browser itself, [`PageRequest::new`]) is redirected to the
/// sign-in page, and its URL is kept as the intended one for [`Redirects::intended`]. Every other request, such as a
/// form, a script's request, a WebSocket, or one whose session is in a header, is rejected with 401.
#[derive(Clone)]
pub struct SignIn {
    page: Arc<str>,
    intended: Option<Box<str>>,
}

/// Not the URL of the request: its query may hold a token.
impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sign_in = f.debug_struct("SignIn");
        sign_in.field("page", &self.page).field("is_navigation", &self.intended.is_some()).finish()
    }
}

impl SignIn {
    /// Makes the requirement for a request with this head, in an application with this sign-in page.
    #[must_use]
    pub fn of_request<'r>(
        page: Arc<str>,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    ) -> Self {
        let navigation = PageRequest::new(head.method, head.url, &head.header);
        Self { page, intended: navigation.map(|page| page.url().into()) }
    }

    /// Returns the name of the signed-in user.
    ///
    /// # Errors
    /// [`Rejection::Redirect`] or [`Rejection::SignedOut`] without a user, [`Rejection::NoSignInPage`] if `found` is
    /// `None`, and the errors of [`Visit::session`].
    pub async fn user(found: Option<&Self>, visit: &Visit) -> Result<String, Rejection> {
        Self::check(found, visit, |_| true).await
    }

    /// Returns the name of the signed-in user, if the user authenticated within this time.
    ///
    /// # Errors
    /// As for [`user`](Self::user).
    pub async fn recent(found: Option<&Self>, visit: &Visit, within: Duration) -> Result<String, Rejection> {
        Self::check(found, visit, |session| session.user().confirmed_within(within)).await
    }

    async fn check(
        found: Option<&Self>,
        visit: &Visit,
        accepts: impl Fn(&Session) -> bool,
    ) -> Result<String, Rejection> {
        let sign_in = found.ok_or(Rejection::NoSignInPage)?;
        let session = visit.read_only().await?;
        match session.user().name().filter(|_| accepts(&session)) {
            Some(name) => Ok(name),
            None => Err(sign_in.turn_away(visit).await?),
        }
    }

    async fn turn_away(&self, visit: &Visit) -> Result<Rejection, Rejection> {
        // A client that keeps its token in a header is no browser, and goes to no page.
        let Some(intended) = self.intended.as_deref().filter(|_| !visit.takes_header()) else {
            return Ok(Rejection::SignedOut);
        };
        let session = visit.session().await?;
        session.urls().set_intended(intended)?;
        // The redirect shows no message: they are for the sign-in page.
        session.reflash()?;
        Ok(Redirects::new(session, None, None).to(&self.page).into())
    }
}
