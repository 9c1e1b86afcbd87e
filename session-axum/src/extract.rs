//! The extractors: the session to read and write, to read only, and to end without opening it.

use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use session_core::adapter::Visit;

use crate::rejection::SessionRejection;

/// The visitor's session. The store is asked once per request, however often this is extracted.
///
/// It dereferences to the core's [`Session`](session_core::Session), which all adapters share: write business functions
/// against `&session_core::Session` and they work under every framework.
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

/// The session, read-only: every change is `ReadOnly`; flash is shown and stays for the next visit.
///
/// ```
#[doc = include_str!("given/a_handler.in")]
/// use session_axum::{ReadOnlySession, SessionError};
///
/// async fn handler(session: ReadOnlySession) -> String {
///     assert!(matches!(session.put("theme", "dark"), Err(SessionError::ReadOnly)));
///     session.get_or("theme", "light".to_owned()).unwrap_or_default()
/// }
/// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
/// assert!(!response.headers().contains_key("set-cookie"));
/// assert_eq!(response.headers().get("vary").unwrap(), "Cookie");
/// # Ok(()) }
/// ```
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
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// use session_axum::SignOut;
    ///
    /// async fn handler(sign_out: SignOut) -> Result<&'static str, SessionRejection> {
    ///     sign_out.now().await?;
    ///     Ok("Goodbye")
    /// }
    /// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 200);
    /// # Ok(()) }
    /// ```
    pub async fn now(self) -> Result<(), SessionRejection> {
        Ok(self.0.destroy().await?)
    }
}

impl Session {
    /// The core's handle, to keep or to hand on.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// /// Works under every framework.
    /// fn visits(session: &session_core::Session) -> Result<String, SessionError> {
    ///     Ok(session.increment("visits")?.to_string())
    /// }
    ///
    /// async fn handler(session: Session) -> Result<String, SessionRejection> {
    ///     let session = session.into_inner();
    ///     Ok(visits(&session)?)
    /// }
    /// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 200);
    /// # Ok(()) }
    /// ```
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
        Ok(Self(Visit::found(parts.extensions.get())?.session().await?))
    }
}

impl<S: Sync> FromRequestParts<S> for ReadOnlySession {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Ok(Self(Visit::found(parts.extensions.get())?.read_only().await?))
    }
}

impl<S: Sync> FromRequestParts<S> for SignOut {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Ok(Self(Visit::found(parts.extensions.get())?))
    }
}
