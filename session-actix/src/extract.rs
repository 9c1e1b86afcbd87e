//! The extractors: the session to read and write, to read only, and to end without opening it.

use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::LocalBoxFuture;
use session_core::adapter::Visit;

use crate::words::SessionRejection;

/// The visitor's session. The store is asked once per request, when the first extractor asks, however often this is
/// extracted.
///
/// It dereferences to the core's [`Session`](session_core::Session), which all adapters share: write business functions
/// against `&session_core::Session` and they work under every framework.
///
/// ```
#[doc = include_str!("given/a_handler.in")]
/// async fn handler(session: Session) -> Result<String, SessionRejection> {
///     Ok(format!("visit {}", session.increment("visits")?))
/// }
/// # let response = test::call_service(&app, test::TestRequest::get().uri("/").to_request()).await;
/// assert!(response.headers().contains_key("set-cookie"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Session(session_core::Session);

/// The session, read-only: every change is `ReadOnly`; flash is shown and stays for the next visit.
///
/// ```
#[doc = include_str!("given/a_handler.in")]
/// use session_actix::{ReadOnlySession, SessionError};
///
/// async fn handler(session: ReadOnlySession) -> String {
///     assert!(matches!(session.put("theme", "dark"), Err(SessionError::ReadOnly)));
///     session.get_or("theme", "light".to_owned()).unwrap_or_default()
/// }
/// # let response = test::call_service(&app, test::TestRequest::get().uri("/").to_request()).await;
/// assert!(!response.headers().contains_key("set-cookie"));
/// assert_eq!(response.headers().get("vary").unwrap(), "Cookie");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ReadOnlySession(session_core::Session);

/// Ends the session without loading it: one store call.
///
/// ```
/// use actix_web::{HttpResponse, web};
/// use session_actix::{SessionRejection, SignOut};
///
/// async fn sign_out(sign_out: SignOut) -> Result<HttpResponse, SessionRejection> {
///     sign_out.now().await?;
///     Ok(HttpResponse::SeeOther().insert_header(("location", "/")).finish())
/// }
/// # let _ = actix_web::App::new().route("/", web::post().to(sign_out));
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
    /// use session_actix::SignOut;
    ///
    /// async fn handler(sign_out: SignOut) -> Result<&'static str, SessionRejection> {
    ///     sign_out.now().await?;
    ///     Ok("Goodbye")
    /// }
    /// # let response = test::call_service(&app, test::TestRequest::get().uri("/").to_request()).await;
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
    /// # let response = test::call_service(&app, test::TestRequest::get().uri("/").to_request()).await;
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

impl FromRequest for Session {
    type Error = SessionRejection;
    type Future = LocalBoxFuture<'static, Result<Self, SessionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let visit = Visit::found(request.extensions().get());
        Box::pin(async move { Ok(Self(visit?.session().await?)) })
    }
}

impl FromRequest for ReadOnlySession {
    type Error = SessionRejection;
    type Future = LocalBoxFuture<'static, Result<Self, SessionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let visit = Visit::found(request.extensions().get());
        Box::pin(async move { Ok(Self(visit?.read_only().await?)) })
    }
}

impl FromRequest for SignOut {
    type Error = SessionRejection;
    type Future = Ready<Result<Self, SessionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Visit::found(request.extensions().get()).map(Self).map_err(SessionRejection))
    }
}
