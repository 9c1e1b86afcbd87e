//! The session middleware: what an application wraps around its routes, and the service that it creates.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::error::InternalError;
use actix_web::http::header::{CONTENT_TYPE, COOKIE};
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError};
use session_core::{
    Sessions,
    adapter::{Adapter, Failure, Middleware, Settling, VisitReport},
};
use session_web::SignIn;

use crate::extract::Unopened;
use crate::rejection::SessionRejection;
use crate::spawn::BACKGROUND;
use crate::words;

/// Adds sessions to the routes that it is wrapped around.
///
/// Extractors find the visitor's session; changes are written when the handler has answered and before the response is
/// sent. A route that never extracts a [`Session`](crate::Session) makes no store call and gets no header.
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
#[derive(Clone, Debug)]
#[must_use = "a middleware does nothing unless it is wrapped around routes"]
pub struct SessionMiddleware {
    middleware: Middleware<HttpResponse>,
    sign_in: Option<Arc<str>>,
}

impl SessionMiddleware {
    /// Creates a middleware for these sessions. Create `sessions` once, outside of the closure that creates each worker's
    /// `App`.
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
    pub fn new(sessions: Sessions) -> Self {
        let middleware = Middleware::new(sessions, &BACKGROUND, |failure, _| words::response(failure.into()))
            .on_own(words::own);
        Self { middleware, sign_in: None }
    }

    /// Sets the response that replaces the handler's when the session could not be written. The default is an empty 503
    /// (the store failed, or too many requests changed the session at once) or 500 (the session is too large).
    ///
    /// ```
    /// use actix_web::HttpResponse;
    /// # use session_actix::{SecretKey, SessionMiddleware, Sessions};
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate().unwrap()).build().unwrap();
    /// let middleware = SessionMiddleware::new(sessions)
    ///     .on_failure(|_failure, _report| HttpResponse::ImATeapot().body("short and stout"));
    /// ```
    pub fn on_failure(
        self,
        answer: impl Fn(Failure, &VisitReport) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        Self { middleware: self.middleware.on_failure(answer), ..self }
    }

    /// Sets whether the session remembers the page that the visitor saw last, for
    /// [`Redirects::back`](crate::Redirects::back). Default: off; `back` then uses the `Referer`.
    ///
    /// A page is an HTML response to a `GET` whose handler took the session to read and write. Tracking loads no session and
    /// creates none for a visitor without one, but each new page is a write.
    pub fn track_pages(self, track: bool) -> Self {
        Self { middleware: self.middleware.track_pages(track), ..self }
    }

    /// Sets the page to which [`SignedIn`](crate::SignedIn) and [`Recent`](crate::Recent) send strangers.
    pub fn sign_in_page(self, path: impl Into<Arc<str>>) -> Self {
        Self { sign_in: Some(path.into()), ..self }
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
        ready(Ok(SessionService {
            inner,
            middleware: self.middleware.clone(),
            sign_in: self.sign_in.clone(),
        }))
    }
}

/// The service that [`SessionMiddleware`] creates.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    middleware: Middleware<HttpResponse>,
    sign_in: Option<Arc<str>>,
}

impl<S, B> Service<ServiceRequest> for SessionService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let head = words::head(request.head());
        let begun = self.middleware.begin(request.headers().get_all(COOKIE), &head);
        let sign_in = self.sign_in.as_ref().map(|page| SignIn::of_request(page.clone(), &head));
        request.extensions_mut().insert(begun.visit().clone());
        if let Some(sign_in) = sign_in {
            request.extensions_mut().insert(sign_in);
        }
        begun.serve_with(|| self.inner.call(request))
    }
}

/// The future of a [`SessionService`]'s response.
///
/// ```
/// use actix_web::dev::{Service, ServiceRequest};
/// use session_actix::{ResponseFuture, SessionService};
///
/// fn answer<S>(service: &SessionService<S>, request: ServiceRequest) -> ResponseFuture<S::Future>
/// where
///     SessionService<S>: Service<ServiceRequest, Future = ResponseFuture<S::Future>>,
///     S: Service<ServiceRequest>,
/// {
///     service.call(request)
/// }
/// ```
pub type ResponseFuture<F> = Settling<F, SessionMiddleware, HttpResponse>;

type Answered<B> = Result<ServiceResponse<B>, Error>;

impl<B> Adapter<Answered<B>> for SessionMiddleware {
    type Response = HttpResponse;
    type Output = Answered<EitherBody<B>>;

    fn status(answer: &Answered<B>) -> u16 {
        match answer {
            Ok(response) => unopened(response)
                .map_or(response.status().as_u16(), |SessionRejection(rejection)| rejection.status()),
            Err(error) => error.as_response_error().status_code().as_u16(),
        }
    }

    fn content_type(answer: &Answered<B>) -> Option<&[u8]> {
        Some(answer.as_ref().ok()?.headers().get(CONTENT_TYPE)?.as_bytes())
    }

    fn finish(
        answer: Result<Answered<B>, (HttpResponse, Option<Answered<B>>)>,
        report: VisitReport,
    ) -> Self::Output {
        match answer {
            Ok(Ok(mut response)) => {
                if let Some(rejection) = unopened(&response) {
                    let mut instead = rejection.error_response();
                    words::add_headers(instead.headers_mut(), &report);
                    return Ok(response.into_response(instead).map_into_right_body());
                }
                words::add_headers(response.headers_mut(), &report);
                Ok(response.map_into_left_body())
            }
            // An outer service makes a response of the error, and that response carries the headers.
            Ok(Err(mut error)) => {
                error.add_response_mapper(move |mut response| {
                    words::add_headers(response.headers_mut(), &report);
                    response
                });
                Err(error)
            }
            Err((mut instead, refused)) => {
                words::add_headers(instead.headers_mut(), &report);
                match refused {
                    Some(Ok(response)) => Ok(response.into_response(instead).map_into_right_body()),
                    Some(Err(_)) | None => {
                        Err(InternalError::from_response("the session layer answered", instead).into())
                    }
                }
            }
        }
    }
}

/// Why the session could not be opened, if the handler answered as if there were none: it took an `Option`, which drops
/// the extractor's error.
fn unopened<B>(response: &ServiceResponse<B>) -> Option<SessionRejection> {
    if response.status().is_server_error() || response.status().is_client_error() {
        return None;
    }
    let Unopened(rejection) = response.request().extensions().get().cloned()?;
    Some(rejection.into())
}
