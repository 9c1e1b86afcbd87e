//! Pages for users only: the user's name, or where a stranger is sent.

use std::sync::Arc;
use std::time::Duration;

use super::head::RequestHead;
use super::redirect::Redirects;
use super::rejection::Rejection;
use super::session::Session;
use super::visit::Visit;
use crate::value::page::PageRequest;

/// Where a request goes that needs a user and has none: what adapters' `SignedIn` and `Recent` extractors ask.
///
/// A navigation (a `GET` by the browser itself) is redirected to the sign-in page, and its URL is kept as the intended one
/// for [`Redirects::intended`]. Everything else, such as forms and requests of scripts, is answered 401.
#[derive(Clone, Debug)]
pub struct SignIn {
    page: Arc<str>,
    intended: Option<Box<str>>,
}

impl SignIn {
    /// For a request with this head, in an application with this sign-in page.
    #[must_use]
    pub fn of_request<'r>(
        page: Arc<str>,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    ) -> Self {
        let navigation = PageRequest::new(head.method, head.url, &head.header);
        Self { page, intended: navigation.map(|page| page.url().into()) }
    }

    /// The name of the user who is signed in.
    ///
    /// # Errors
    /// [`Rejection::Redirect`] or [`Rejection::SignedOut`] for a stranger; [`Rejection::NoSignInPage`] if `found` is `None`;
    /// as for [`Visit::session`] if the session cannot be opened.
    pub async fn user(found: Option<&Self>, visit: &Visit) -> Result<String, Rejection> {
        Self::check(found, visit, |_| true).await
    }

    /// The name of the user who is signed in and has confirmed who they are within this time.
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
        let Some(intended) = &self.intended else { return Ok(Rejection::SignedOut) };
        let session = visit.session().await?;
        session.urls().set_intended(intended)?;
        // The redirect shows no message: they are for the sign-in page.
        session.reflash()?;
        Ok(Redirects::new(session, None, None).to(&self.page).into())
    }
}
