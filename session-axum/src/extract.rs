//! The extractors of the session: to read and write, to read only, and to end it without opening it.

use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::Serialize;
use session_core::{adapter::Visit, path::Accepts};
use session_web::sign_out_with;
use session_web::{find_visit, find_visit_if_any};

use crate::rejection::SessionRejection;

/// The visitor's session. The store is asked once per request, however often this is extracted.
///
/// It dereferences to the core's [`Session`](session_core::Session), which all adapters share: write business functions
/// against that type and they work under every framework.
///
/// `Option<Session>` is `None` only where there is no [`SessionLayer`](crate::SessionLayer), or sessions are switched off.
/// If the store fails, extraction is rejected with 503 in both cases: a visitor who is signed in is never taken for a
/// stranger.
///
/// ```
#[doc = include_str!("given/a_handler.in")]
/// async fn handler(session: Session) -> Result<String, SessionRejection> {
///     Ok(format!("visit {}", session.increment("visits")?))
/// }
/// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
/// assert!(response.headers().contains_key("set-cookie"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Session(session_core::Session);

/// The session, read-only: every change is an error, and flash messages are shown but not consumed.
///
/// `Option<ReadOnlySession>` is `None` only without a layer or where sessions are switched off.
///
/// ```
#[doc = include_str!("given/a_handler.in")]
/// use session_axum::{ReadOnlySession, SessionError};
///
/// async fn handler(session: ReadOnlySession) -> Result<String, SessionRejection> {
///     assert!(matches!(session.put("theme", "dark"), Err(SessionError::ReadOnly)));
///     Ok(session.get_or("theme", "light")?)
/// }
/// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
/// assert!(!response.headers().contains_key("set-cookie"));
/// assert_eq!(response.headers().get("vary").unwrap(), "Cookie");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ReadOnlySession(session_core::Session);

/// Ends the session: [`now`](Self::now) without loading it, or [`with`](Self::with) a message for the next page.
///
/// ```
/// use axum::response::Redirect;
/// use session_axum::{SessionRejection, SignOut};
///
/// async fn sign_out(sign_out: SignOut) -> Result<Redirect, SessionRejection> {
///     sign_out.with("status", "Goodbye").await?;
///     Ok(Redirect::to("/"))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(sign_out));
/// ```
#[derive(Clone, Debug)]
pub struct SignOut(Visit);

impl SignOut {
    /// Makes the browser drop the pages that it has cached of this site, so that nobody comes back to them, and the site's
    /// local storage: [`Visit::clear_site_data`]. Then [`now`](Self::now) or [`with`](Self::with).
    #[must_use]
    pub fn clear_site_data(self) -> Self {
        self.0.clear_site_data();
        self
    }

    /// Ends the session with a single store call. The response removes the cookie.
    ///
    /// # Errors
    /// When the store failed: the session may still live.
    pub async fn now(self) -> Result<(), SessionRejection> {
        Ok(self.0.destroy().await?)
    }

    /// Ends the session and leaves a message for the next page, in a new session that holds nothing else.
    ///
    /// It costs a load and a write. More messages may be added with [`Redirect::with`](crate::Redirect::with).
    ///
    /// # Errors
    /// When the store failed: the session may still live.
    pub async fn with<V: Serialize>(self, key: impl Accepts<V>, value: V) -> Result<(), SessionRejection> {
        Ok(sign_out_with(&self.0, key, value).await?)
    }
}

impl Session {
    /// The core's handle, to keep or to pass on.
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
        Ok(Self(find_visit(parts.extensions.get())?.session().await?))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionRejection> {
        let Some(visit) = find_visit_if_any(parts.extensions.get()) else { return Ok(None) };
        Ok(Some(Self(visit.session().await?)))
    }
}

impl<S: Sync> FromRequestParts<S> for ReadOnlySession {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Ok(Self(find_visit(parts.extensions.get())?.read_only().await?))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for ReadOnlySession {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionRejection> {
        let Some(visit) = find_visit_if_any(parts.extensions.get()) else { return Ok(None) };
        Ok(Some(Self(visit.read_only().await?)))
    }
}

impl<S: Sync> FromRequestParts<S> for SignOut {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Ok(Self(find_visit(parts.extensions.get())?))
    }
}
