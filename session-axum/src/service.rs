//! The service: creates each request's visit, makes it available to extractors, and writes its outcome to the response.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::{Request, Response, header};
use session_core::adapter::{Adapter, Middleware, Settling, VisitReport};
use session_web::{SignIn, add_headers, request_head};
use tower_service::Service;

use crate::layer::SessionLayer;

/// The [`Service`] that [`SessionLayer`] creates.
///
/// It accepts any request body and any response body, so it can stand inside or outside of other tower middleware
/// (compression, tracing, timeouts, tonic), on a `Router` or in a `ServiceBuilder`. Its own response body is axum's
/// [`Body`]; an inner axum body is passed on as it is, without another allocation.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    pub(crate) inner: S,
    pub(crate) middleware: Middleware<Response<Body>>,
    pub(crate) sign_in: Option<Arc<str>>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: http_body::Body<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Settling<S::Future, SessionLayer, Response<Body>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let head = request_head(request.method(), request.uri(), request.headers());
        let begun = self.middleware.begin(request.headers().get_all(header::COOKIE), &head);
        let sign_in = self.sign_in.as_ref().map(|page| SignIn::of_request(page.clone(), &head));
        request.extensions_mut().insert(begun.visit().clone());
        if let Some(sign_in) = sign_in {
            request.extensions_mut().insert(sign_in);
        }
        begun.serve_with(|| self.inner.call(request))
    }
}

impl<ResBody, E> Adapter<Result<Response<ResBody>, E>> for SessionLayer
where
    ResBody: http_body::Body<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Output = Result<Response<Body>, E>;

    fn status(answer: &Result<Response<ResBody>, E>) -> u16 {
        answer.as_ref().map_or(500, |response| response.status().as_u16())
    }

    fn content_type(answer: &Result<Response<ResBody>, E>) -> Option<&[u8]> {
        Some(answer.as_ref().ok()?.headers().get(header::CONTENT_TYPE)?.as_bytes())
    }

    fn finish(
        answer: Result<Result<Response<ResBody>, E>, (Self::Response, Option<Result<Response<ResBody>, E>>)>,
        report: VisitReport,
    ) -> Self::Output {
        let mut response = match answer {
            Ok(answer) => answer?.map(Body::new),
            Err((instead, _)) => instead,
        };
        add_headers(response.headers_mut(), &report);
        Ok(response)
    }
}
