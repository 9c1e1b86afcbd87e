//! The course of a request: opens the session if the policy is eager, runs the handler, closes the visit.
//!
//! The order is the same for every async framework; adapters supply the types.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::answer::OwnResponse;
use super::error::OpenError;
use super::finish::{BoxFuture, Closing, Finish};
use super::report::{Failure, VisitReport};
use super::visit::VisitGuard;
use crate::decision::commit::CommitError;
use crate::value::page::PageRequest;

pin_project! {
    /// The future of a visit with its handler.
    #[must_use = "futures do nothing unless polled"]
    pub(super) struct Serve<F: Future> {
        #[pin]
        handler: F,
        status: fn(&F::Output) -> u16,
        guard: Option<VisitGuard>,
        opening: Option<BoxFuture<Result<(), OpenError>>>,
        closing: Option<(Finish<VisitReport>, std::thread::Result<F::Output>)>,
        page: Option<(PageRequest, ContentType<F::Output>)>,
    }
}

/// Returns the `Content-Type` of a handler's output.
type ContentType<T> = for<'t> fn(&'t T) -> Option<&'t [u8]>;

impl<F: Future> Serve<F> {
    /// Remembers this page as the previous page if the response is an HTML page and a handler opened the session. It
    /// causes no load, and one write for each new page.
    pub(super) fn track_page(
        mut self,
        page: Option<PageRequest>,
        content_type: ContentType<F::Output>,
    ) -> Self {
        self.page = page.map(|page| (page, content_type));
        self
    }
}

/// The response to a request, and the report with the headers to add.
///
/// ```
/// use session_core::adapter::{Served, VisitReport};
///
/// /// The status that goes out, whichever of the two answers it is.
/// fn status(served: &Served<u16>) -> u16 {
///     match &served.answer {
///         Ok(status) => *status,
///         Err(refused) => refused.failure.status(),
///     }
/// }
///
/// assert_eq!(status(&Served { answer: Ok(200), report: VisitReport::default() }), 200);
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a promise: an adapter uses both parts")]
pub struct Served<T> {
    /// The handler's response, or why it must not be sent.
    pub answer: Result<T, Refused<T>>,
    /// The report, whose [`headers`](VisitReport::headers) are added to either response.
    pub report: VisitReport,
}

/// Why the handler's response must not be sent.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a promise: there is no third part")]
pub struct Refused<T> {
    /// The failure to respond with instead.
    pub failure: Failure,
    /// The handler's response; `None` if the handler did not run, because the session of an eager visit could not be
    /// opened.
    pub answer: Option<T>,
}

impl VisitGuard {
    /// Runs the handler and closes the visit. `status` returns the status of the handler's output. For an error that an
    /// outer layer converts into a response, it returns the status of that response, or 500.
    ///
    /// # Cancel safety
    /// If the future is dropped, a write that has begun is completed in the background, and a requested `destroy` or
    /// `regenerate` still takes effect. If the handler panics, the panic is resumed after these writes, so that a client
    /// which sees the connection close is signed out.
    ///
    /// ```
    /// # fn block_on<F: Future>(f: F) -> F::Output {
    /// #     let mut f = std::pin::pin!(f);
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     loop { if let std::task::Poll::Ready(out) = f.as_mut().poll(&mut context) { return out; } }
    /// # }
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { block_on(f) } }
    /// use session_core::{SecretKey, Sessions, adapter::CookieHeaders};
    ///
    /// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// let visit = guard.visit().clone();
    /// let handler = async move {
    ///     let session = visit.session().await.map_err(|_| 503_u16)?;
    ///     session.put("user", "ada").map_err(|_| 500)
    /// };
    /// let served = block_on(guard.serve(handler, |result| result.err().unwrap_or(200)));
    /// assert!(matches!(served.answer, Ok(Ok(()))));
    /// assert!(served.report.set_cookie.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn serve<F: Future>(
        self,
        handler: F,
        status: fn(&F::Output) -> u16,
    ) -> impl Future<Output = Served<F::Output>> {
        self.serve_with(handler, status)
    }

    /// The same as a named future, for the middleware.
    pub(super) fn serve_with<F: Future>(self, handler: F, status: fn(&F::Output) -> u16) -> Serve<F> {
        let visit = self.visit();
        let opening = visit.is_eager().then(|| -> BoxFuture<_> {
            let visit = visit.clone();
            Box::pin(async move { visit.session().await.map(drop) })
        });
        Serve { handler, status, guard: Some(self), opening, closing: None, page: None }
    }

    /// Runs a response of the library's own, which opens the session itself if it needs it.
    pub(super) fn serve_own(self, own: BoxFuture<OwnResponse>) -> Serve<BoxFuture<OwnResponse>> {
        let status = OwnResponse::status;
        Serve { handler: own, status, guard: Some(self), opening: None, closing: None, page: None }
    }
}

impl<F: Future> Future for Serve<F> {
    type Output = Served<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(opening) = this.opening {
            let opened = ready!(opening.as_mut().poll(context));
            *this.opening = None;
            if let Err(error) = opened
                && let Some(served) = unopened(error)
            {
                *this.guard = None;
                return Poll::Ready(served);
            }
        }
        if let Some(mut guard) = this.guard.take() {
            // Unwind safe: the handler is not polled again after a panic.
            match catch_unwind(AssertUnwindSafe(|| this.handler.poll(context))) {
                Ok(Poll::Pending) => {
                    *this.guard = Some(guard);
                    return Poll::Pending;
                }
                Ok(Poll::Ready(answer)) => {
                    let status = (this.status)(&answer);
                    if let Some((page, content_type)) = this.page
                        && page.is_shown(status, content_type(&answer))
                    {
                        guard.visit().page_shown(page.url());
                    }
                    match guard.close(status) {
                        Closing::Ready(report) => return Poll::Ready(served(answer, report)),
                        Closing::Pending(writing) => *this.closing = Some((writing, Ok(answer))),
                    }
                }
                Err(panic) => match guard.abandon() {
                    None => resume_unwind(panic),
                    Some(writing) => *this.closing = Some((writing, Err(panic))),
                },
            }
        }
        let Some((writing, _)) = this.closing else { return Poll::Pending };
        let report = ready!(Pin::new(writing).poll(context));
        let (_, answer) = this.closing.take().expect("it was there a line ago");
        Poll::Ready(served(answer.unwrap_or_else(|panic| resume_unwind(panic)), report))
    }
}

fn served<T>(answer: T, report: VisitReport) -> Served<T> {
    let answer = match report.failure() {
        None => Ok(answer),
        Some(failure) => Err(Refused { failure, answer: Some(answer) }),
    };
    Served { answer, report }
}

/// If an eager visit cannot be opened, its handler does not run. Sessions that are switched off do not prevent it.
fn unopened<T>(error: OpenError) -> Option<Served<T>> {
    let failure = error.failure();
    let error = match error {
        OpenError::Store(error) => CommitError::Store(error),
        OpenError::Newer(error) => CommitError::Newer(error),
        OpenError::Disabled | OpenError::Closed => return None,
    };
    let report = VisitReport { looked: true, error: Some(error), ..VisitReport::default() };
    Some(Served { answer: Err(Refused { failure, answer: None }), report })
}
