//! The service: creates each request's visit, and writes its outcome to the response.

use std::fmt;
use std::sync::Arc;

use http::header::{CONTENT_TYPE, COOKIE};
use http::{Request, Response};
use hyper::service::Service;
use session_core::{
    Sessions,
    adapter::{Adapter, Failure, Middleware, Settling, Spawn, VisitReport},
};
use session_web::{SignIn, add_headers, bare_response, own_response, request_head};

use crate::spawn::TOKIO;

/// Adds sessions to the requests of an inner service.
///
/// `R` is the body of its responses: any type, with [`with_bodies`](Self::with_bodies) if it is not `From<String>`. A handler
/// that never asks for its session makes no store call and gets no header.
///
/// ```
/// use std::convert::Infallible;
/// use http_body_util::Full;
/// use hyper::{Request, Response, body::{Bytes, Incoming}, service::service_fn};
/// use session_hyper::{RequestSession, SecretKey, SessionRejection, SessionService, Sessions, stores::MemoryStore};
///
/// async fn hits(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, SessionRejection> {
///     let session = request.session().await?;
///     Ok(Response::new(Full::from(session.increment("hits")?.to_string())))
/// }
///
/// async fn handler(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
///     Ok(hits(request).await.unwrap_or_else(SessionRejection::into_response))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::builder().store(MemoryStore::default()).key(SecretKey::generate()?).build()?;
/// let service = SessionService::new(sessions, service_fn(handler));
/// # fn is_service<S: hyper::service::Service<Request<Incoming>>>(_: S) {}
/// # is_service(service);
/// # Ok(())
/// # }
/// ```
#[must_use = "a service does nothing unless it is called"]
pub struct SessionService<S, R> {
    inner: S,
    middleware: Middleware<Response<R>>,
    sign_in: Option<Arc<str>>,
}

impl<S, R: From<String> + 'static> SessionService<S, R> {
    /// Creates a service with these sessions around `inner`: one per connection, the sessions once.
    ///
    /// If the session could not be written, the response is an empty 503 (the store failed, or too many requests wrote the
    /// session concurrently) or 500 (it is too large); see [`on_failure`](Self::on_failure).
    pub fn new(sessions: Sessions, inner: S) -> Self {
        Self::with_bodies(sessions, inner, R::from)
    }
}

impl<S, R> SessionService<S, R> {
    /// Creates a service for bodies that are not `From<String>`, such as `BoxBody`. `body` makes the bodies of the library's
    /// own responses: failures, which are empty, and the JSON of the endpoints of sessions that are bound to devices.
    ///
    /// ```
    #[doc = include_str!("given/a_service.in")]
    /// use http_body_util::{BodyExt, combinators::BoxBody};
    ///
    /// let service = SessionService::with_bodies(sessions, service_fn(boxed), |text| Full::from(text).boxed());
    ///
    /// async fn boxed(request: Request<Full<Bytes>>) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    ///     Ok(hello(request).await?.map(BodyExt::boxed))
    /// }
    /// # let _: SessionService<_, BoxBody<Bytes, Infallible>> = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_bodies(
        sessions: Sessions,
        inner: S,
        body: impl Fn(String) -> R + Send + Sync + 'static,
    ) -> Self {
        let body = Arc::new(body);
        let empty = body.clone();
        let failed = move |failure: Failure, _: &VisitReport| {
            bare_response(failure.into()).map(|()| empty(String::new()))
        };
        let middleware =
            Middleware::new(sessions, &TOKIO, failed).on_own(move |own| own_response(own, &*body));
        Self { inner, middleware, sign_in: None }
    }

    /// Replaces the response for a session that could not be written.
    ///
    /// ```
    #[doc = include_str!("given/a_service.in")]
    /// let service = SessionService::new(sessions, service_fn(hello)).on_failure(|failure, _report| {
    ///     let mut response = Response::new(Full::from("Please try again in a minute."));
    ///     *response.status_mut() = StatusCode::from_u16(failure.status()).unwrap_or_default();
    ///     response
    /// });
    /// # let _: SessionService<_, Full<Bytes>> = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_failure(
        mut self,
        answer: impl Fn(Failure, &VisitReport) -> Response<R> + Send + Sync + 'static,
    ) -> Self {
        self.middleware = self.middleware.on_failure(answer);
        self
    }

    /// Sets where the write of a dropped request continues, for servers that do not run on tokio.
    ///
    /// ```
    #[doc = include_str!("given/a_service.in")]
    /// use session_hyper::{Spawn, BoxFuture};
    ///
    /// /// For a server with threads of its own.
    /// #[derive(Debug)]
    /// struct Threads;
    ///
    /// impl Spawn for Threads {
    ///     fn spawn(&self, future: BoxFuture<()>) {
    ///         // Any executor does that polls it to its end.
    ///         std::thread::spawn(move || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future));
    ///     }
    /// }
    ///
    /// let service = SessionService::new(sessions, service_fn(hello)).spawn_on(&Threads);
    /// # let _: SessionService<_, Full<Bytes>> = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn_on(mut self, spawn: &'static dyn Spawn) -> Self {
        self.middleware = self.middleware.spawn_on(spawn);
        self
    }

    /// Sets whether the session remembers the page that the visitor saw last, for
    /// [`Redirects::back`](crate::Redirects::back). Default: off; `back` then uses the `Referer`.
    ///
    /// A page is an HTML response to a `GET` whose handler took the session to read and write. Tracking loads no session and
    /// creates none for a visitor without one, but each new page is a write.
    pub fn track_pages(mut self, track: bool) -> Self {
        self.middleware = self.middleware.track_pages(track);
        self
    }

    /// Sets the page to which [`signed_in`](crate::RequestSession::signed_in) and
    /// [`signed_in_within`](crate::RequestSession::signed_in_within) send strangers.
    pub fn sign_in_page(mut self, path: impl Into<Arc<str>>) -> Self {
        self.sign_in = Some(path.into());
        self
    }
}

impl<S: Clone, R> Clone for SessionService<S, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), middleware: self.middleware.clone(), sign_in: self.sign_in.clone() }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for SessionService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService")
            .field("middleware", &self.middleware)
            .field("inner", &self.inner)
            .finish()
    }
}

impl<S, B, R> Service<Request<B>> for SessionService<S, R>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R>;

    fn call(&self, mut request: Request<B>) -> Self::Future {
        let head = request_head(request.method(), request.uri(), request.headers());
        let begun = self.middleware.begin(request.headers().get_all(COOKIE), &head);
        let sign_in = self.sign_in.as_ref().map(|page| SignIn::of_request(page.clone(), &head));
        request.extensions_mut().insert(begun.visit().clone());
        if let Some(sign_in) = sign_in {
            request.extensions_mut().insert(sign_in);
        }
        begun.serve_with(|| self.inner.call(request))
    }
}

/// Makes an empty response with this failure's status, which no cache may keep. For
/// [`SessionService::on_failure`].
pub fn plain<R: Default>(failure: Failure) -> Response<R> {
    bare_response(failure.into())
}

/// The future of a [`SessionService`]'s response.
pub type ResponseFuture<F, R> = Settling<F, SessionService<(), R>, Response<R>>;

impl<R, E> Adapter<Result<Response<R>, E>> for SessionService<(), R> {
    type Response = Response<R>;
    type Output = Result<Response<R>, E>;

    fn status(answer: &Self::Output) -> u16 {
        answer.as_ref().map_or(500, |response| response.status().as_u16())
    }

    fn content_type(answer: &Self::Output) -> Option<&[u8]> {
        Some(answer.as_ref().ok()?.headers().get(CONTENT_TYPE)?.as_bytes())
    }

    fn finish(
        answer: Result<Self::Output, (Response<R>, Option<Self::Output>)>,
        report: VisitReport,
    ) -> Self::Output {
        let mut response = answer.unwrap_or_else(|(instead, _)| Ok(instead))?;
        add_headers(response.headers_mut(), &report);
        Ok(response)
    }
}
