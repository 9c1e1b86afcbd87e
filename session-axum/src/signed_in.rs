//! Extractors for pages that need a user: who is signed in, and who has confirmed it a short time ago.

use std::ops::Deref;
use std::time::Duration;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use session_web::SignIn;
use session_web::find_visit;

use crate::rejection::SessionRejection;

/// The name of the user who is signed in (the session's [`tag`](session_core::Session::tag)).
///
/// A navigation of a stranger is redirected to the SessionLayer's [`sign_in_page`](crate::SessionLayer::sign_in_page), and
/// its URL is kept for [`Redirects::intended`](crate::Redirects::intended). Everything else (forms, scripts) is answered 401.
///
/// ```
/// use axum::{Router, routing::get};
/// use session_axum::{SecretKey, SessionLayer, Sessions, SignedIn};
///
/// async fn account(user: SignedIn) -> String {
///     format!("Hello, {}", &*user)
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
/// let app: Router = Router::new()
///     .route("/account", get(account))
///     .layer(SessionLayer::new(sessions).sign_in_page("/sign-in"));
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

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let visit = find_visit(parts.extensions.get())?;
        Ok(Self(SignIn::user(parts.extensions.get(), &visit).await?))
    }
}

impl<S: Sync, const MINUTES: u64> FromRequestParts<S> for Recent<MINUTES> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let visit = find_visit(parts.extensions.get())?;
        Ok(Self(SignIn::recent(parts.extensions.get(), &visit, Duration::from_secs(60 * MINUTES)).await?))
    }
}
