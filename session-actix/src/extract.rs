//! The extractors: the session to read and write, to read only, and to end without opening it.

use std::future::{Future, Ready, ready};
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use session_core::Visit;

use crate::rejection::SessionRejection;

/// The visitor's session. The store is asked once per request, when the first extractor asks, however often this is
/// extracted.
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

type Extraction<T> = Pin<Box<dyn Future<Output = Result<T, SessionRejection>>>>;

impl FromRequest for Session {
    type Error = SessionRejection;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let visit = visit(request);
        Box::pin(async move { Ok(Self(visit?.session().await?)) })
    }
}

impl FromRequest for ReadOnlySession {
    type Error = SessionRejection;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let visit = visit(request);
        Box::pin(async move { Ok(Self(visit?.read_only().await?)) })
    }
}

impl FromRequest for SignOut {
    type Error = SessionRejection;
    type Future = Ready<Result<Self, SessionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(visit(request).map(Self))
    }
}

fn visit(request: &HttpRequest) -> Result<Visit, SessionRejection> {
    Ok(Visit::found(request.extensions().get())?)
}
