//! The service: makes the visit of each request, puts it where extractors find it, and adds what came of it to the response.

use std::task::{Context, Poll};

use axum_core::response::Response;
use http::{Request, header};
use session_core::adapter::{Adapter, Middleware, Settling, VisitReport};
use tower_service::Service;

use crate::layer::SessionLayer;
use crate::words;

/// What [`SessionLayer`] makes of a service.
///
/// ```
/// use session_axum::{SecretKey, SessionLayer, SessionService, Sessions};
/// use tower_layer::Layer;
///
/// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
/// let service: SessionService<axum::Router> = SessionLayer::new(sessions).layer(axum::Router::new());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    pub(crate) inner: S,
    pub(crate) middleware: Middleware<Response>,
}

impl<S, B> Service<Request<B>> for SessionService<S>
where
    S: Service<Request<B>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Settling<S::Future, SessionLayer, Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let head = words::head(request.method(), request.uri(), request.headers());
        let begun = self.middleware.begin(request.headers().get_all(header::COOKIE), &head);
        request.extensions_mut().insert(begun.visit().clone());
        begun.serve(self.inner.call(request))
    }
}

impl<E> Adapter<Result<Response, E>> for SessionLayer {
    type Response = Response;
    type Output = Result<Response, E>;

    fn status(answer: &Self::Output) -> u16 {
        answer.as_ref().map_or(500, |response| response.status().as_u16())
    }

    fn content_type(answer: &Self::Output) -> Option<&[u8]> {
        Some(answer.as_ref().ok()?.headers().get(header::CONTENT_TYPE)?.as_bytes())
    }

    fn finish(
        answer: Result<Self::Output, (Response, Option<Self::Output>)>,
        report: VisitReport,
    ) -> Self::Output {
        let mut response = answer.unwrap_or_else(|(instead, _)| Ok(instead))?;
        words::add_headers(response.headers_mut(), report);
        Ok(response)
    }
}
