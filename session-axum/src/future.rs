//! The future of a response: what the core made of the handler's answer, as headers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::response::Response;
use http::{HeaderMap, HeaderValue, header};
use pin_project_lite::pin_project;
use session_core::{PageRequest, Report, Serve, Served, VisitGuard};

use crate::layer::OnFailure;

pin_project! {
    /// What [`SessionService`](crate::SessionService) answers with.
    pub struct ResponseFuture<F: Future> {
        #[pin]
        serve: Serve<F>,
        on_failure: OnFailure,
    }
}

impl<F, E> ResponseFuture<F>
where
    F: Future<Output = Result<Response, E>>,
{
    pub(crate) fn new(guard: VisitGuard, inner: F, page: Option<PageRequest>, on_failure: OnFailure) -> Self {
        let status = |answer: &F::Output| answer.as_ref().map_or(500, |response| response.status().as_u16());
        let serve = guard.serve(inner, status).track_page(page, |answer| {
            let content_type = answer.as_ref().ok()?.headers().get(header::CONTENT_TYPE)?;
            Some(content_type.as_bytes())
        });
        Self { serve, on_failure }
    }
}

impl<F, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Served { answer, report } = ready!(this.serve.poll(context));
        let mut response =
            answer.unwrap_or_else(|refused| Ok((this.on_failure)(refused.failure, &report)))?;
        add_headers(response.headers_mut(), report);
        Poll::Ready(Ok(response))
    }
}

fn add_headers(headers: &mut HeaderMap, report: Report) {
    let present = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let vary = report.needs_vary(present(header::VARY));
    let cache_control = report.cache_control(present(header::CACHE_CONTROL));
    if vary {
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    }
    if let Some(directives) = cache_control {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(directives));
    }
    // The text becomes the header as it stands: nothing is copied.
    if let Some(Ok(cookie)) = report.set_cookie.map(HeaderValue::try_from) {
        headers.append(header::SET_COOKIE, cookie);
    }
}
