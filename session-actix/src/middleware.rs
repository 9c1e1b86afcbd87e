//! The middleware: what an application wraps around its routes, the service that this makes, and what leaves it.

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::error::InternalError;
use actix_web::http::header::{CONTENT_TYPE, COOKIE};
use actix_web::{Error, HttpMessage, HttpResponse};
use session_core::{
    Sessions,
    adapter::{Adapter, Failure, Middleware, Settling, VisitReport},
};

use crate::spawn::BACKGROUND;
use crate::words;

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
#[derive(Clone, Debug)]
#[must_use = "a middleware does nothing unless it is wrapped around routes"]
pub struct SessionMiddleware(Middleware<HttpResponse>);

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
    pub fn new(sessions: Sessions) -> Self {
        Self(Middleware::new(sessions, &BACKGROUND, |failure, _| words::response(failure.into())))
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
    pub fn on_failure(
        self,
        answer: impl Fn(Failure, &VisitReport) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        Self(self.0.on_failure(answer))
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
    pub fn track_pages(self, track: bool) -> Self {
        Self(self.0.track_pages(track))
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
        ready(Ok(SessionService { inner, middleware: self.0.clone() }))
    }
}

/// What [`SessionMiddleware`] makes of a service.
///
/// ```
/// use actix_web::dev::{Service, ServiceRequest, Transform};
/// use session_actix::{SessionMiddleware, SessionService};
///
/// /// What `App::wrap` makes of it.
/// fn wrap<S>(middleware: &SessionMiddleware, inner: S) -> impl Future<Output = Result<SessionService<S>, ()>>
/// where
///     SessionMiddleware: Transform<S, ServiceRequest, Transform = SessionService<S>, InitError = ()>,
///     S: Service<ServiceRequest>,
/// {
///     middleware.new_transform(inner)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    middleware: Middleware<HttpResponse>,
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
        request.extensions_mut().insert(begun.visit().clone());
        begun.serve(self.inner.call(request))
    }
}

/// What [`SessionService`] answers with.
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
            Ok(response) => response.status().as_u16(),
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
                words::add_headers(response.headers_mut(), &report);
                Ok(response.map_into_left_body())
            }
            // An error becomes a response further out, and that one carries the headers.
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
                        Err(InternalError::from_response("the session failed", instead).into())
                    }
                }
            }
        }
    }
}
