//! The middleware that all adapters share, from a request's head to the response and its report.
//!
//! [`Adapter`] says how a framework's responses are read and made; nothing else depends on the framework.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::answer::OwnResponse;
use super::finish::{BoxFuture, Spawn};
use super::head::RequestHead;
use super::report::{Failure, VisitReport};
use super::serve::{Serve, Served};
use super::sessions::Sessions;
use super::visit::{CookieHeaders, Visit, VisitGuard};
use crate::value::page::PageRequest;

/// The framework-independent part of an adapter's middleware. `R` is the framework's response type.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::adapter::{Adapter, BareResponse, BoxFuture, Middleware, RequestHead, Spawn, VisitReport};
///
/// /// The responses of this framework are their status.
/// struct Plain;
///
/// impl Adapter<u16> for Plain {
///     type Response = u16;
///     type Output = (u16, VisitReport);
///
///     fn status(answer: &u16) -> u16 {
///         *answer
///     }
///
///     fn content_type(_: &u16) -> Option<&[u8]> {
///         None
///     }
///
///     fn finish(answer: Result<u16, (u16, Option<u16>)>, report: VisitReport) -> (u16, VisitReport) {
///         (answer.unwrap_or_else(|(instead, _)| instead), report)
///     }
/// }
///
/// static BACKGROUND: fn(BoxFuture<()>) = |future| drop(tokio::spawn(future));
///
/// # let key = session_core::SecretKey::generate()?;
/// # let sessions = session_core::Sessions::builder().in_cookie().key(key).build()?;
/// let middleware = Middleware::new(sessions, &BACKGROUND, |failure, _| BareResponse::from(failure).status());
/// let head = RequestHead { method: "GET", url: "/", authority: None, header: |_| None };
/// let begun = middleware.begin(["sid=forged"], &head);
/// let visit = begun.visit().clone();
/// let handler = async move {
///     let Ok(session) = visit.session().await else { return 503 };
///     if session.put("user", "ada").is_ok() { 200 } else { 500 }
/// };
/// let (status, report) = begun.serve::<Plain, _>(handler).await;
/// assert!(status == 200 && report.set_cookie.is_some());
/// # Ok(())
/// # }
/// ```
pub struct Middleware<R> {
    sessions: Sessions,
    spawn: &'static dyn Spawn,
    on_failure: OnFailure<R>,
    on_own: Option<OnOwn<R>>,
    tracks_pages: bool,
}

/// Makes a framework's response of one of the library's own.
type OnOwn<R> = Arc<dyn Fn(OwnResponse) -> R + Send + Sync>;
type OnFailure<R> = Arc<dyn Fn(Failure, &VisitReport) -> R + Send + Sync>;

impl<R> Middleware<R> {
    /// Makes a middleware for these sessions. `spawn` completes the writes of dropped requests. `answer` makes the
    /// response for a session that could not be written, usually from a [`BareResponse`](crate::adapter::BareResponse).
    #[must_use]
    pub fn new(
        sessions: Sessions,
        spawn: &'static dyn Spawn,
        answer: impl Fn(Failure, &VisitReport) -> R + Send + Sync + 'static,
    ) -> Self {
        Self { sessions, spawn, on_failure: Arc::new(answer), on_own: None, tracks_pages: false }
    }

    /// Replaces the response for a session that could not be written.
    #[must_use]
    pub fn on_failure(mut self, answer: impl Fn(Failure, &VisitReport) -> R + Send + Sync + 'static) -> Self {
        self.on_failure = Arc::new(answer);
        self
    }

    /// Sets how a response of the library's own becomes one of the framework. Sessions that are bound to devices need it:
    /// without it their endpoints are not served.
    #[must_use]
    pub fn on_own(mut self, answer: impl Fn(OwnResponse) -> R + Send + Sync + 'static) -> Self {
        self.on_own = Some(Arc::new(answer));
        self
    }

    /// Replaces the executor that completes the writes of dropped requests.
    #[must_use]
    pub fn spawn_on(mut self, spawn: &'static dyn Spawn) -> Self {
        self.spawn = spawn;
        self
    }

    /// Sets whether the previous page is remembered for [`Redirects::back`](crate::facet::Urls::back): an HTML
    /// response to a `GET` whose handler opened the session for writing. Off by default, since each new page costs one
    /// write.
    #[must_use]
    pub fn track_pages(mut self, track: bool) -> Self {
        self.tracks_pages = track;
        self
    }

    /// Begins the visit of a request. `cookies` holds the values of all its `Cookie` headers, in any order. They are not
    /// read with [`TokenFrom::Header`](crate::TokenFrom::Header).
    pub fn begin<'r, C: AsRef<[u8]>>(
        &self,
        cookies: impl IntoIterator<Item = C>,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    ) -> Begun<R> {
        let engine = &self.sessions.engine;
        let cookies = match engine.codec.header() {
            Some(name) => CookieHeaders::in_header((head.header)(name), head),
            None if engine.codec.cookie().has_domains() => {
                CookieHeaders::of(cookies, head).with_host(head.host())
            }
            None => CookieHeaders::of(cookies, head),
        };
        #[cfg(feature = "dbsc")]
        let (cookies, asked) = self.bind(cookies, head);
        let guard = self.sessions.visit(cookies, self.spawn);
        #[cfg(feature = "dbsc")]
        let own = asked
            .map(|(asked, on_own)| Own { response: Box::pin(asked.answer(guard.visit().clone())), on_own });
        #[cfg(not(feature = "dbsc"))]
        let own = None;
        let page = self.tracks_pages.then(|| PageRequest::new(head.method, head.url, &head.header)).flatten();
        Begun { guard, page, on_failure: self.on_failure.clone(), own }
    }

    /// What the rules of binding make of a request: whether it may be unproven, and whether it is the library's to answer.
    #[cfg(feature = "dbsc")]
    fn bind<'r>(
        &self,
        cookies: CookieHeaders,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    ) -> (CookieHeaders, Option<(super::device::Asked, OnOwn<R>)>) {
        let Some(rules) = &self.sessions.engine.device else { return (cookies, None) };
        let Some(on_own) = self.on_own.as_ref().filter(|_| !self.sessions.is_off()) else {
            return (cookies.exempt(rules.exempts(head.path())), None);
        };
        match super::device::asked(rules, head) {
            Some(asked) => (cookies.exempt(true), Some((asked, on_own.clone()))),
            None => (cookies.exempt(rules.exempts(head.path())), None),
        }
    }
}

impl<R> Clone for Middleware<R> {
    fn clone(&self) -> Self {
        let (sessions, on_failure) = (self.sessions.clone(), self.on_failure.clone());
        let (spawn, on_own) = (self.spawn, self.on_own.clone());
        Self { sessions, spawn, on_failure, on_own, tracks_pages: self.tracks_pages }
    }
}

impl<R> fmt::Debug for Middleware<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Middleware").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

/// A visit that has begun. Put its [`visit`](Self::visit) where handlers find it, then call [`serve`](Self::serve).
#[must_use = "the visit ends with this: serve the request"]
pub struct Begun<R> {
    guard: VisitGuard,
    page: Option<PageRequest>,
    on_failure: OnFailure<R>,
    own: Option<Own<R>>,
}

/// A response of the library's own, which no handler is asked for.
struct Own<R> {
    response: BoxFuture<OwnResponse>,
    on_own: OnOwn<R>,
}

impl<R> Begun<R> {
    /// Returns the visit, for the request's extensions.
    #[must_use]
    pub fn visit(&self) -> &Visit {
        self.guard.visit()
    }

    /// Returns the guard of the visit, for a framework that calls one function before the handler and another one after
    /// it: the second one [closes](VisitGuard::close) it.
    ///
    /// Pages are not tracked, and the library answers no request itself. With [`Visit::is_eager`], the first function opens
    /// the session.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::adapter::{BoxFuture, Closing, Middleware, RequestHead, VisitGuard};
    ///
    /// static BACKGROUND: fn(BoxFuture<()>) = |future| drop(tokio::spawn(future));
    ///
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().in_cookie().key(key).build()?;
    /// let middleware = Middleware::new(sessions, &BACKGROUND, |_, _| ());
    /// // Before the handler: keep the guard with the request.
    /// let head = RequestHead { method: "GET", url: "/", authority: None, header: |_| None };
    /// let guard: VisitGuard = middleware.begin(["sid=forged"], &head).into_guard();
    /// guard.visit().session().await?.put("theme", "dark")?;
    /// // After it:
    /// let report = match guard.close(200) {
    ///     Closing::Ready(report) => report,
    ///     Closing::Pending(writing) => writing.await,
    /// };
    /// assert!(report.set_cookie.is_some());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn into_guard(self) -> VisitGuard {
        self.guard
    }

    /// Runs the handler and closes the visit.
    pub fn serve<A, F>(self, handler: F) -> Settling<F, A, R>
    where
        F: Future,
        A: Adapter<F::Output, Response = R>,
    {
        self.serve_with(|| handler)
    }

    /// Makes the handler and runs it, unless the request is the library's own to answer; then closes the visit.
    pub fn serve_with<A, F>(self, handler: impl FnOnce() -> F) -> Settling<F, A, R>
    where
        F: Future,
        A: Adapter<F::Output, Response = R>,
    {
        let Self { guard, page, on_failure, own } = self;
        let (serve, own) = match own {
            Some(Own { response, on_own }) => (None, Some(Box::new((guard.serve_own(response), on_own)))),
            None => (Some(guard.serve_with(handler(), A::status).track_page(page, A::content_type)), None),
        };
        Settling { serve, own, on_failure, adapter: PhantomData }
    }
}

impl<R> fmt::Debug for Begun<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("visit", self.visit()).finish_non_exhaustive()
    }
}

/// How a framework's responses are read and made. `T` is the output of its handlers: a response, or a `Result` of one.
///
/// ```
/// use session_core::adapter::{Adapter, VisitReport};
///
/// /// A response is a status and the lines of its head.
/// type Response = (u16, Vec<String>);
///
/// struct Lines;
///
/// impl Adapter<Response> for Lines {
///     type Response = Response;
///     type Output = Response;
///
///     fn status((status, _): &Response) -> u16 {
///         *status
///     }
///
///     fn content_type((_, lines): &Response) -> Option<&[u8]> {
///         lines.iter().find_map(|line| line.strip_prefix("content-type: ")).map(str::as_bytes)
///     }
///
///     fn finish(answer: Result<Response, (Response, Option<Response>)>, report: VisitReport) -> Response {
///         let (status, mut lines) = answer.unwrap_or_else(|(instead, _)| instead);
///         // Nothing here sets a `Cache-Control` or a `Vary` of its own, so there is nothing to replace.
///         let changes = report.headers(|_| []).into_iter().flatten();
///         lines.extend(changes.map(|change| format!("{}: {}", change.name(), change.value())));
///         (status, lines)
///     }
/// }
///
/// let mut report = VisitReport::default();
/// report.looked = true;
/// assert_eq!(Lines::finish(Ok((200, Vec::new())), report), (200, vec!["vary: Cookie".to_owned()]));
/// ```
pub trait Adapter<T> {
    /// The framework's response type.
    type Response;
    /// The output of the middleware.
    type Output;

    /// Returns the status of a handler's output. For an error that an outer layer converts into a response, returns the
    /// status of that response, or 500.
    fn status(answer: &T) -> u16;

    /// Returns the `Content-Type` of a handler's output.
    fn content_type(answer: &T) -> Option<&[u8]>;

    /// Makes the final response from the handler's output or, if the session could not be written, from the failure
    /// response; the handler's output, if it ran, is passed beside it. The [`VisitReport::headers`] must be added in
    /// both cases.
    fn finish(answer: Result<T, (Self::Response, Option<T>)>, report: VisitReport) -> Self::Output;
}

pin_project! {
    /// The future returned by [`Begun::serve`].
    ///
    /// Cancel safe, as [`VisitGuard::serve`](crate::adapter::VisitGuard::serve).
    #[must_use = "futures do nothing unless polled"]
    pub struct Settling<F: Future, A, R> {
        #[pin]
        serve: Option<Serve<F>>,
        own: Option<Box<(Serve<BoxFuture<OwnResponse>>, OnOwn<R>)>>,
        on_failure: OnFailure<R>,
        adapter: PhantomData<fn() -> A>,
    }
}

impl<F, A, R> Future for Settling<F, A, R>
where
    F: Future,
    A: Adapter<F::Output, Response = R>,
{
    type Output = A::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<A::Output> {
        let this = self.project();
        if let Some(own) = this.own {
            let (serve, on_own) = &mut **own;
            let Served { answer, mut report } = ready!(Pin::new(serve).poll(context));
            let response = match answer {
                Ok(own) => on_own(own),
                Err(refused) => (this.on_failure)(refused.failure, &report),
            };
            // No handler looked at the session.
            report.looked = false;
            // The response says itself what becomes of the binding.
            if report.registration.take().is_some() {
                report.set_bound = None;
            }
            return Poll::Ready(A::finish(Err((response, None)), report));
        }
        let Some(serve) = this.serve.as_pin_mut() else { return Poll::Pending };
        let Served { answer, report } = ready!(serve.poll(context));
        let answer = answer.map_err(|refused| ((this.on_failure)(refused.failure, &report), refused.answer));
        Poll::Ready(A::finish(answer, report))
    }
}
