//! The middleware: what an application wraps around its routes.

use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{Error, HttpResponse};
use session_core::{Failure, Report, Sessions};

use crate::service::SessionService;

/// Gives every request to the inner service a [`Visit`](crate::Visit), and settles it when the response is ready.
///
/// A route that never extracts a [`Session`](crate::Session) costs nothing and gets no header.
///
/// ```
/// use actix_web::{App, web};
/// use session_actix::{SecretKey, Session, SessionMiddleware, SessionRejection, Sessions, stores::MemoryStore};
///
/// async fn hits(session: Session) -> Result<String, SessionRejection> {
///     Ok(session.increment("hits")?.to_string())
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::builder().store(MemoryStore::default()).key(SecretKey::generate()?).build()?;
/// let app = move || App::new().wrap(SessionMiddleware::new(sessions.clone())).route("/", web::get().to(hits));
/// # let _ = app();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SessionMiddleware {
    pub(crate) sessions: Sessions,
    pub(crate) on_failure: OnFailure,
    pub(crate) tracks_pages: bool,
}

pub(crate) type OnFailure = Arc<dyn Fn(Failure, &Report) -> HttpResponse + Send + Sync>;

impl SessionMiddleware {
    /// A middleware for these sessions. Make `sessions` once, outside of the closure that makes each worker's `App`.
    ///
    /// ```
    /// use session_actix::{SecretKey, SessionMiddleware, Sessions};
    ///
    /// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// // Called once by each worker: they all share the sessions.
    /// let app = move || actix_web::App::new().wrap(SessionMiddleware::new(sessions.clone()));
    /// # let _ = app();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(sessions: Sessions) -> Self {
        Self { sessions, on_failure: Arc::new(|failure, _| plain(failure)), tracks_pages: false }
    }

    /// What to answer instead of the handler's response when the session could not be written. The default is a bare
    /// 503 (the store failed, too many at once) or 500 (the session is too large) that says nothing else.
    ///
    /// ```
    /// use actix_web::HttpResponse;
    /// # use session_actix::{SecretKey, SessionMiddleware, Sessions};
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate().unwrap()).build().unwrap();
    /// let middleware = SessionMiddleware::new(sessions)
    ///     .on_failure(|_failure, _report| HttpResponse::ImATeapot().body("short and stout"));
    /// ```
    #[must_use]
    pub fn on_failure(
        mut self,
        answer: impl Fn(Failure, &Report) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.on_failure = Arc::new(answer);
        self
    }

    /// Whether the session keeps the page that the visitor saw last, for [`Redirects::back`](crate::Redirects::back): HTML that a `GET` was answered with, where
    /// the handler took the session to read and write. Off unless said.
    ///
    /// Nothing is loaded because of it, and a visitor without a session is given none. But it costs: each new page is
    /// one write. Without it, `back` goes by the `Referer`.
    ///
    /// ```
    /// # use session_actix::{SecretKey, SessionMiddleware, Sessions};
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate().unwrap()).build().unwrap();
    /// let middleware = SessionMiddleware::new(sessions).track_pages(true);
    /// ```
    #[must_use]
    pub fn track_pages(mut self, track: bool) -> Self {
        self.tracks_pages = track;
        self
    }
}

impl fmt::Debug for SessionMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionMiddleware").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

impl<S, B> Transform<S, ServiceRequest> for SessionMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = <SessionService<S> as Service<ServiceRequest>>::Response;
    type Error = Error;
    type Transform = SessionService<S>;
    type InitError = ();
    type Future = Ready<Result<SessionService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(SessionService { inner, middleware: self.clone() }))
    }
}

/// A failure response that says nothing: not even a cache may keep it.
pub(crate) fn plain(failure: Failure) -> HttpResponse {
    let status = StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::with_body(status, BoxBody::new(()));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
