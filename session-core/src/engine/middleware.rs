//! What every adapter's middleware holds and does: from a request's head to the answer and the report that leave.
//!
//! Frameworks differ in how a response is read and made, which is [`Adapter`], and in nothing else.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::finish::Spawn;
use super::head::RequestHead;
use super::report::{Failure, VisitReport};
use super::serve::{Serve, Served};
use super::sessions::Sessions;
use super::visit::{CookieHeaders, Visit, VisitGuard};
use crate::value::page::PageRequest;

/// What an adapter's middleware is made of. `R` is the framework's response.
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
    tracks_pages: bool,
}

type OnFailure<R> = Arc<dyn Fn(Failure, &VisitReport) -> R + Send + Sync>;

impl<R> Middleware<R> {
    /// For these sessions. `spawn` finishes what a dropped request has begun, `answer` is what a client gets when the
    /// session could not be written: as a rule, what the framework makes of [`BareResponse::from`](crate::adapter::BareResponse) the failure.
    #[must_use]
    pub fn new(
        sessions: Sessions,
        spawn: &'static dyn Spawn,
        answer: impl Fn(Failure, &VisitReport) -> R + Send + Sync + 'static,
    ) -> Self {
        Self { sessions, spawn, on_failure: Arc::new(answer), tracks_pages: false }
    }

    /// Another answer to that.
    #[must_use]
    pub fn on_failure(mut self, answer: impl Fn(Failure, &VisitReport) -> R + Send + Sync + 'static) -> Self {
        self.on_failure = Arc::new(answer);
        self
    }

    /// Another place for what a dropped request has begun.
    #[must_use]
    pub fn spawn_on(mut self, spawn: &'static dyn Spawn) -> Self {
        self.spawn = spawn;
        self
    }

    /// Whether the page that a visitor saw last is noted, for [`Redirects::back`](crate::adapter::Redirects::back): HTML that a
    /// `GET` was answered with, where the handler took the session to read and write. Off unless said; each new page is
    /// one write.
    #[must_use]
    pub fn track_pages(mut self, track: bool) -> Self {
        self.tracks_pages = track;
        self
    }

    /// Begins a request's visit. `cookies` are the values of all its `Cookie` headers, in any order.
    pub fn begin<'r, C: AsRef<[u8]>>(
        &self,
        cookies: impl IntoIterator<Item = C>,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    ) -> Begun<R> {
        let guard = self.sessions.visit(CookieHeaders::of(cookies, head), self.spawn);
        let page = self.tracks_pages.then(|| PageRequest::new(head.method, head.url, &head.header)).flatten();
        Begun { guard, page, on_failure: self.on_failure.clone() }
    }
}

impl<R> Clone for Middleware<R> {
    fn clone(&self) -> Self {
        let (sessions, on_failure) = (self.sessions.clone(), self.on_failure.clone());
        Self { sessions, spawn: self.spawn, on_failure, tracks_pages: self.tracks_pages }
    }
}

impl<R> fmt::Debug for Middleware<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Middleware").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

/// A request that has begun: put its [`visit`](Self::visit) where handlers find it, then [`serve`](Self::serve).
#[must_use = "the visit ends with this: serve the request"]
pub struct Begun<R> {
    guard: VisitGuard,
    page: Option<PageRequest>,
    on_failure: OnFailure<R>,
}

impl<R> Begun<R> {
    /// The visit, for the request's extensions or whatever the framework has.
    #[must_use]
    pub fn visit(&self) -> &Visit {
        self.guard.visit()
    }

    /// Runs the handler and settles the visit.
    pub fn serve<A, F>(self, handler: F) -> Settling<F, A, R>
    where
        F: Future,
        A: Adapter<F::Output, Response = R>,
    {
        let serve = self.guard.serve(handler, A::status).track_page(self.page, A::content_type);
        Settling { serve, on_failure: self.on_failure, adapter: PhantomData }
    }
}

impl<R> fmt::Debug for Begun<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("visit", self.visit()).finish_non_exhaustive()
    }
}

/// How one framework's responses are read and made. `T` is what its handlers give: a response, or a `Result` of one.
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
    /// A response of the framework.
    type Response;
    /// What the middleware gives.
    type Output;

    /// The status of this answer; of an error that some outer layer makes a response of, that response's, or 500.
    fn status(answer: &T) -> u16;

    /// Its `Content-Type`.
    fn content_type(answer: &T) -> Option<&[u8]>;

    /// What leaves: the handler's answer or, if the session could not be written, the response instead of it, beside the
    /// answer that must not go out (`None` if nobody was asked). [`VisitReport::headers`] go with either.
    fn finish(answer: Result<T, (Self::Response, Option<T>)>, report: VisitReport) -> Self::Output;
}

pin_project! {
    /// The future of a response that [`Begun::serve`] makes of a handler's.
    ///
    /// Dropped at any moment it leaves nothing half done.
    #[must_use = "futures do nothing unless polled"]
    pub struct Settling<F: Future, A, R> {
        #[pin]
        serve: Serve<F>,
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
        let Served { answer, report } = ready!(this.serve.poll(context));
        let answer = answer.map_err(|refused| ((this.on_failure)(refused.failure, &report), refused.answer));
        Poll::Ready(A::finish(answer, report))
    }
}
