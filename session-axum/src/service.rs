//! The service: makes the visit of each request and puts it where extractors find it.

use std::task::{Context, Poll};

use axum_core::response::Response;
use http::{HeaderValue, Request, header};
use session_core::{CookieHeaders, PageRequest};
use tower_service::Service;

use crate::future::ResponseFuture;
use crate::layer::SessionLayer;
use crate::spawn::TOKIO;

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
    pub(crate) layer: SessionLayer,
}

impl<S, B> Service<Request<B>> for SessionService<S>
where
    S: Service<Request<B>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let cookies: CookieHeaders = request.headers().get_all(header::COOKIE).iter().collect();
        let guard = self.layer.sessions.visit(cookies, &TOKIO);
        request.extensions_mut().insert(guard.visit().clone());
        let page = self.layer.tracks_pages.then(|| page(&request)).flatten();
        ResponseFuture::new(guard, self.inner.call(request), page, self.layer.on_failure.clone())
    }
}

fn page<B>(request: &Request<B>) -> Option<PageRequest> {
    let url = request.uri().path_and_query().map_or("/", |url| url.as_str());
    let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    PageRequest::new(request.method().as_str(), url, header)
}
