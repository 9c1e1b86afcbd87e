//! The service: makes each request's visit, and turns what the core made of the answer into headers.

use std::fmt;

use http::header::{CONTENT_TYPE, COOKIE};
use http::{Request, Response};
use hyper::service::Service;
use session_core::{
    Sessions,
    adapter::{Adapter, Failure, Middleware, Settling, Spawn, VisitReport},
};

use crate::spawn::TOKIO;
use crate::words::{self, plain};

/// Gives every request to the inner service a [`Visit`](crate::Visit), and settles it when the response is ready.
///
/// `R` is the body of the inner service's responses. A handler that never asks for its session costs nothing and gets
/// no header.
///
/// ```
/// use std::convert::Infallible;
/// use http_body_util::Full;
/// use hyper::{Request, Response, body::{Bytes, Incoming}, service::service_fn};
/// use session_hyper::{RequestSession, SecretKey, SessionService, Sessions, plain, stores::MemoryStore};
///
/// async fn hits(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
///     let text = match request.session().await {
///         Ok(session) => session.increment("hits").map_or(String::new(), |hits| hits.to_string()),
///         Err(rejection) => return Ok(plain(rejection.failure())),
///     };
///     Ok(Response::new(Full::from(text)))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::builder().store(MemoryStore::default()).key(SecretKey::generate()?).build()?;
/// let service = SessionService::new(sessions, service_fn(hits));
/// # fn is_service<S: hyper::service::Service<Request<Incoming>>>(_: S) {}
/// # is_service(service);
/// # Ok(())
/// # }
/// ```
#[must_use = "a service does nothing unless it is called"]
pub struct SessionService<S, R> {
    inner: S,
    middleware: Middleware<Response<R>>,
}

impl<S, R: Default> SessionService<S, R> {
    /// A service with these sessions around `inner`. Make one per connection, the sessions once.
    ///
    /// A session that could not be written is answered with a bare 503 (the store failed, too many at once) or 500 (it
    /// is too large), with an empty body.
    ///
    /// ```
    #[doc = include_str!("given/a_service.in")]
    /// let service = SessionService::new(sessions, service_fn(hello));
    /// # let _: SessionService<_, Full<Bytes>> = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(sessions: Sessions, inner: S) -> Self {
        Self::with_failure(sessions, inner, |failure, _| plain(failure))
    }
}

impl<S, R> SessionService<S, R> {
    /// The same with the application's own answer to that, and for bodies that are not `Default`.
    ///
    /// ```
    #[doc = include_str!("given/a_service.in")]
    /// let service = SessionService::with_failure(sessions, service_fn(hello), |failure, _report| {
    ///     let mut response = Response::new(Full::from("Please try again in a minute."));
    ///     *response.status_mut() = StatusCode::from_u16(failure.status()).unwrap_or_default();
    ///     response
    /// });
    /// # let _: SessionService<_, Full<Bytes>> = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_failure(
        sessions: Sessions,
        inner: S,
        answer: impl Fn(Failure, &VisitReport) -> Response<R> + Send + Sync + 'static,
    ) -> Self {
        Self { inner, middleware: Middleware::new(sessions, &TOKIO, answer) }
    }

    /// For servers that do not run on tokio: where the write of a dropped request goes on.
    ///
    /// ```
    #[doc = include_str!("given/a_service.in")]
    /// use session_hyper::{Spawn, core::BoxFuture};
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

    /// Whether the session keeps the page that the visitor saw last, for [`Redirects::back`](crate::Redirects::back):
    /// HTML that a `GET` was answered with, where the handler took the session to read and write. Off unless said.
    ///
    /// Nothing is loaded because of it, and a visitor without a session is given none. But it costs: each new page is
    /// one write. Without it, `back` goes by the `Referer`.
    ///
    /// ```
    #[doc = include_str!("given/a_service.in")]
    /// let service = SessionService::new(sessions, service_fn(hello)).track_pages(true);
    /// # let _: SessionService<_, Full<Bytes>> = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn track_pages(mut self, track: bool) -> Self {
        self.middleware = self.middleware.track_pages(track);
        self
    }
}

impl<S: Clone, R> Clone for SessionService<S, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), middleware: self.middleware.clone() }
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
        let head = words::head(request.method(), request.uri(), request.headers());
        let begun = self.middleware.begin(request.headers().get_all(COOKIE), &head);
        request.extensions_mut().insert(begun.visit().clone());
        begun.serve(self.inner.call(request))
    }
}

/// What [`SessionService`] answers with, whatever the service in it is.
///
/// ```
/// # use std::convert::Infallible;
/// # use http_body_util::Full;
/// # use hyper::{Request, Response, body::Bytes, service::{Service as _, service_fn}};
/// # use session_hyper::{ResponseFuture, SecretKey, SessionService, Sessions};
/// # async fn hello(_: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
/// #     Ok(Response::new("hello".into()))
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
/// let service = SessionService::new(sessions, service_fn(hello));
/// let answer: ResponseFuture<_, Full<Bytes>> = service.call(Request::new(Full::default()));
/// assert_eq!(answer.await?.status(), 200);
/// # Ok(())
/// # }
/// ```
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
        words::add_headers(response.headers_mut(), &report);
        Ok(response)
    }
}
