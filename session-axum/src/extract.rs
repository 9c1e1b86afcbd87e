//! The extractors: the session to read and write, to read only, and to end without opening it.

use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use session_core::Visit;

use crate::rejection::SessionRejection;

/// The visitor's session. The store is asked once per request, however often this is extracted.
///
/// It dereferences to the core's [`Session`](session_core::Session), which all adapters share: write business functions
/// against `&session_core::Session` and they work under every framework.
#[derive(Clone, Debug)]
pub struct Session(session_core::Session);

/// The session, read-only: every change is `ReadOnly`; flash is shown and stays for the next visit.
#[derive(Clone, Debug)]
pub struct ReadOnlySession(session_core::Session);

/// Ends the session without loading it: one store call.
///
/// ```
/// use axum::response::Redirect;
/// use session_axum::{SessionRejection, SignOut};
///
/// async fn sign_out(sign_out: SignOut) -> Result<Redirect, SessionRejection> {
///     sign_out.now().await?;
///     Ok(Redirect::to("/"))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(sign_out));
/// ```
#[derive(Clone, Debug)]
pub struct SignOut(Visit);

impl SignOut {
    /// Ends it. The response removes the cookie.
    ///
    /// # Errors
    /// When the store failed: the session may still live.
    pub async fn now(self) -> Result<(), SessionRejection> {
        Ok(self.0.destroy().await?)
    }
}

impl Session {
    /// The core's handle, to keep or to hand on.
    #[must_use]
    pub fn into_inner(self) -> session_core::Session {
        self.0
    }
}

impl Deref for Session {
    type Target = session_core::Session;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Deref for ReadOnlySession {
    type Target = session_core::Session;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Ok(Self(visit(parts)?.session().await?))
    }
}

impl<S: Sync> FromRequestParts<S> for ReadOnlySession {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Ok(Self(visit(parts)?.read_only().await?))
    }
}

impl<S: Sync> FromRequestParts<S> for SignOut {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Ok(Self(visit(parts)?))
    }
}

fn visit(parts: &Parts) -> Result<Visit, SessionRejection> {
    Ok(Visit::found(parts.extensions.get())?)
}
