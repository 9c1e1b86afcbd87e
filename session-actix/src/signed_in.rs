//! Extractors for pages that need a user: who is signed in, and who has confirmed it a short time ago.

use std::ops::Deref;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use session_web::SignIn;

use crate::extract::{Extracting, extract};
use crate::rejection::SessionRejection;

/// The name of the user who is signed in (the session's [`tag`](session_core::Session::tag)).
///
/// A navigation of a stranger is redirected to the SessionMiddleware's [`sign_in_page`](crate::SessionMiddleware::sign_in_page), and
/// its URL is kept for [`Redirects::intended`](crate::Redirects::intended). Everything else (forms, scripts) is answered 401.
///
/// ```
/// use actix_web::{App, web};
/// use session_actix::{SecretKey, SessionMiddleware, Sessions, SignedIn};
///
/// async fn account(user: SignedIn) -> String {
///     format!("Hello, {}", &*user)
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
/// let sessions = SessionMiddleware::new(sessions).sign_in_page("/sign-in");
/// let app = App::new().wrap(sessions).route("/account", web::get().to(account));
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn(String);

/// The name of a user who has confirmed who they are ([`User::confirm`](session_core::facet::User::confirm)) within so many minutes.
/// Other requests are answered as by [`SignedIn`]: `Recent<15>` guards a page that asks for the password again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent<const MINUTES: u64>(String);

impl SignedIn {
    /// The name, to keep.
    #[must_use]
    pub fn into_name(self) -> String {
        self.0
    }
}

impl<const MINUTES: u64> Recent<MINUTES> {
    /// The name, to keep.
    #[must_use]
    pub fn into_name(self) -> String {
        self.0
    }
}

impl Deref for SignedIn {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MINUTES: u64> Deref for Recent<MINUTES> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl FromRequest for SignedIn {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sign_in: Option<SignIn> = request.extensions().get().cloned();
        extract(request, async move |visit| Ok(Self(SignIn::user(sign_in.as_ref(), &visit).await?)))
    }
}

impl<const MINUTES: u64> FromRequest for Recent<MINUTES> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sign_in: Option<SignIn> = request.extensions().get().cloned();
        let within = Duration::from_secs(60 * MINUTES);
        extract(request, async move |visit| Ok(Self(SignIn::recent(sign_in.as_ref(), &visit, within).await?)))
    }
}
