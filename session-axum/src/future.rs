//! The future of a response: the handler's answer, then the visit's end, then the headers that come of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum_core::response::Response;
use http::{HeaderMap, HeaderValue, header};
use pin_project_lite::pin_project;
use session_core::{BoxFuture, Closing, Failure, Finish, OpenError, Report, Visit, VisitGuard};

type OnFailure = Arc<dyn Fn(Failure, &Report) -> Response + Send + Sync>;

pin_project! {
    /// What [`SessionService`](crate::SessionService) answers with.
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        guard: Option<VisitGuard>,
        opening: Option<BoxFuture<Result<(), OpenError>>>,
        stage: Stage,
        on_failure: OnFailure,
    }
}

enum Stage {
    Handling,
    Closing(Finish<Report>, Option<Response>),
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, guard: VisitGuard, eager: Option<Visit>, on_failure: OnFailure) -> Self {
        let opening =
            eager.map(|visit| -> BoxFuture<_> { Box::pin(async move { visit.session().await.map(|_| ()) }) });
        Self { inner, guard: Some(guard), opening, stage: Stage::Handling, on_failure }
    }
}

impl<F, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(opening) = this.opening {
            let opened = ready!(opening.as_mut().poll(context));
            *this.opening = None;
            if let Err(OpenError::Store(_) | OpenError::Newer(_)) = opened {
                *this.guard = None;
                return Poll::Ready(Ok((this.on_failure)(Failure::Unavailable, &Report::default())));
            }
        }
        loop {
            match this.stage {
                Stage::Handling => {
                    let response = ready!(this.inner.as_mut().poll(context))?;
                    let Some(guard) = this.guard.take() else { return Poll::Ready(Ok(response)) };
                    match guard.close(response.status().as_u16()) {
                        Closing::Ready(report) => {
                            return Poll::Ready(Ok(finish(response, &report, this.on_failure)));
                        }
                        Closing::Pending(writing) => *this.stage = Stage::Closing(writing, Some(response)),
                    }
                }
                Stage::Closing(writing, response) => {
                    let report = ready!(Pin::new(writing).poll(context));
                    let response = response.take().expect("a future is not polled after it was ready");
                    return Poll::Ready(Ok(finish(response, &report, this.on_failure)));
                }
            }
        }
    }
}

fn finish(response: Response, report: &Report, on_failure: &OnFailure) -> Response {
    let mut response = match report.failure() {
        Some(failure) => on_failure(failure, report),
        None => response,
    };
    let headers = response.headers_mut();
    if report.needs_vary(values(headers, &header::VARY)) {
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    }
    if let Some(cache_control) = report.cache_control(values(headers, &header::CACHE_CONTROL)) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
    }
    if let Some(set_cookie) = &report.set_cookie
        && let Ok(value) = HeaderValue::from_str(set_cookie)
    {
        headers.append(header::SET_COOKIE, value);
    }
    response
}

fn values<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'h [u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}
