//! The service: makes each request's visit, and turns what the core made of the answer into headers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use hyper::service::Service;
use pin_project_lite::pin_project;
use session_core::{
    CookieHeaders, Failure, HeaderChange, PageRequest, Report, Serve, Served, Sessions, Spawn,
};

use crate::spawn::TOKIO;

type OnFailure<R> = Arc<dyn Fn(Failure, &Report) -> Response<R> + Send + Sync>;

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
pub struct SessionService<S, R> {
    sessions: Sessions,
    inner: S,
    on_failure: OnFailure<R>,
    spawn: &'static dyn Spawn,
    tracks_pages: bool,
}

impl<S, R: Default> SessionService<S, R> {
    /// A service with these sessions around `inner`. Make one per connection, the sessions once.
    ///
    /// A session that could not be written is answered with a bare 503 (the store failed, too many at once) or 500 (it
    /// is too large), with an empty body.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use http_body_util::Full;
    /// # use hyper::{Request, Response, StatusCode, body::Bytes, service::service_fn};
    /// # use session_hyper::{SecretKey, SessionService, Sessions};
    /// # async fn hello(_: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    /// #     Ok(Response::new("hello".into()))
    /// # }
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// let service = SessionService::new(sessions, service_fn(hello));
    /// # let _: SessionService<_, Full<Bytes>> = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(sessions: Sessions, inner: S) -> Self {
        Self::with_failure(sessions, inner, |failure, _| plain(failure))
    }
}

impl<S, R> SessionService<S, R> {
    /// The same with the application's own answer to that, and for bodies that are not `Default`.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use http_body_util::Full;
    /// # use hyper::{Request, Response, StatusCode, body::Bytes, service::service_fn};
    /// # use session_hyper::{SecretKey, SessionService, Sessions};
    /// # async fn hello(_: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    /// #     Ok(Response::new("hello".into()))
    /// # }
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// let service = SessionService::with_failure(sessions, service_fn(hello), |failure, _report| {
    ///     let mut response = Response::new(Full::from("Please try again in a minute."));
    ///     *response.status_mut() = StatusCode::from_u16(failure.status()).unwrap_or_default();
    ///     response
    /// });
    /// # let _: SessionService<_, Full<Bytes>> = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_failure(
        sessions: Sessions,
        inner: S,
        answer: impl Fn(Failure, &Report) -> Response<R> + Send + Sync + 'static,
    ) -> Self {
        Self { sessions, inner, on_failure: Arc::new(answer), spawn: &TOKIO, tracks_pages: false }
    }

    /// For servers that do not run on tokio: where the write of a dropped request goes on.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use http_body_util::Full;
    /// # use hyper::{Request, Response, StatusCode, body::Bytes, service::service_fn};
    /// # use session_hyper::{SecretKey, SessionService, Sessions};
    /// # async fn hello(_: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    /// #     Ok(Response::new("hello".into()))
    /// # }
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
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
    #[must_use]
    pub fn spawn_on(mut self, spawn: &'static dyn Spawn) -> Self {
        self.spawn = spawn;
        self
    }

    /// Whether the session keeps the page that the visitor saw last, for [`Redirects::back`](crate::Redirects::back):
    /// HTML that a `GET` was answered with, where the handler took the session to read and write. Off unless said.
    ///
    /// Nothing is loaded because of it, and a visitor without a session is given none. But it costs: each new page is
    /// one write. Without it, `back` goes by the `Referer`.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use http_body_util::Full;
    /// # use hyper::{Request, Response, StatusCode, body::Bytes, service::service_fn};
    /// # use session_hyper::{SecretKey, SessionService, Sessions};
    /// # async fn hello(_: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    /// #     Ok(Response::new("hello".into()))
    /// # }
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// let service = SessionService::new(sessions, service_fn(hello)).track_pages(true);
    /// # let _: SessionService<_, Full<Bytes>> = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn track_pages(mut self, track: bool) -> Self {
        self.tracks_pages = track;
        self
    }
}

/// A failure response that says nothing: not even a cache may keep it. For handlers whose session could not be opened.
///
/// ```
/// use session_hyper::{SessionRejection, plain};
///
/// let response = plain::<String>(SessionRejection::NoLayer.failure());
/// assert_eq!(response.status(), 500);
/// assert!(response.body().is_empty());
/// ```
pub fn plain<R: Default>(failure: Failure) -> Response<R> {
    let mut response = Response::new(R::default());
    *response.status_mut() =
        StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl<S: Clone, R> Clone for SessionService<S, R> {
    fn clone(&self) -> Self {
        let on_failure = self.on_failure.clone();
        let (spawn, tracks_pages) = (self.spawn, self.tracks_pages);
        Self { sessions: self.sessions.clone(), inner: self.inner.clone(), on_failure, spawn, tracks_pages }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for SessionService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService")
            .field("sessions", &self.sessions)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
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
        let cookies: CookieHeaders = request.headers().get_all(COOKIE).iter().collect();
        let guard = self.sessions.visit(cookies, self.spawn);
        request.extensions_mut().insert(guard.visit().clone());
        let page = self.tracks_pages.then(|| page(&request)).flatten();
        let serve = guard.serve(self.inner.call(request), |answer| {
            answer.as_ref().map_or(500, |response| response.status().as_u16())
        });
        let serve = serve
            .track_page(page, |answer| Some(answer.as_ref().ok()?.headers().get(CONTENT_TYPE)?.as_bytes()));
        ResponseFuture { serve, on_failure: self.on_failure.clone() }
    }
}

pin_project! {
    /// What [`SessionService`] answers with.
    pub struct ResponseFuture<F: Future, R> {
        #[pin]
        serve: Serve<F>,
        on_failure: OnFailure<R>,
    }
}

impl<F, R, E> Future for ResponseFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Served { answer, report } = ready!(this.serve.poll(context));
        let mut response =
            answer.unwrap_or_else(|refused| Ok((this.on_failure)(refused.failure, &report)))?;
        add_headers(response.headers_mut(), &report);
        Poll::Ready(Ok(response))
    }
}

fn add_headers(headers: &mut HeaderMap, report: &Report) {
    let changes = report.headers(|name| headers.get_all(name).iter().map(HeaderValue::as_bytes));
    for change in changes.into_iter().flatten() {
        let (HeaderChange::Append(name, value) | HeaderChange::Replace(name, value)) = change;
        let (name, Ok(value)) = (HeaderName::from_static(name), HeaderValue::from_str(value)) else {
            continue;
        };
        match change {
            HeaderChange::Append(..) => _ = headers.append(name, value),
            HeaderChange::Replace(..) => _ = headers.insert(name, value),
        }
    }
}

fn page<B>(request: &Request<B>) -> Option<PageRequest> {
    let url = request.uri().path_and_query().map_or("/", |url| url.as_str());
    let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    PageRequest::new(request.method().as_str(), url, header)
}
