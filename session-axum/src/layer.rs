//! The layer: what an application puts around its routes.

use std::sync::Arc;

use axum_core::body::Body;
use axum_core::response::Response;
use session_core::{
    Sessions,
    adapter::{Failure, Middleware, VisitReport},
};
use session_web::{bare_response, own_response};
use tower_layer::Layer;

use crate::service::SessionService;
use crate::spawn::TOKIO;

/// Adds sessions to the routes that it is laid around.
///
/// Extractors find the visitor's session; changes are written when the handler has answered and before the response is
/// sent. A route that never extracts a [`Session`](crate::Session) makes no store call and gets no header.
///
/// The layer works with any request and response body, inside or outside of other middleware.
///
/// ```
/// use axum::{Router, routing::get};
/// use session_axum::{SecretKey, Session, SessionLayer, Sessions, stores::MemoryStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::builder().store(MemoryStore::default()).key(SecretKey::generate()?).build()?;
/// let app: Router = Router::new()
///     .route("/", get(async |session: Session| session.increment("hits").map(|hits| hits.to_string()).unwrap()))
///     .layer(SessionLayer::new(sessions));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing unless it is laid around routes"]
pub struct SessionLayer {
    middleware: Middleware<Response>,
    sign_in: Option<Arc<str>>,
}

impl SessionLayer {
    /// Creates a layer for these sessions.
    pub fn new(sessions: Sessions) -> Self {
        let middleware = Middleware::new(sessions, &TOKIO, |failure, _| bare_response(failure.into()))
            .on_own(|own| own_response(own, Body::from));
        Self { middleware, sign_in: None }
    }

    /// Sets the response that replaces the handler's when the session could not be written. The default is an empty 503
    /// (the store failed, or too many requests changed the session at once) or 500 (the session is too large).
    ///
    /// ```
    /// use axum::response::IntoResponse;
    /// # use session_axum::{SecretKey, SessionLayer, Sessions};
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate().unwrap()).build().unwrap();
    /// let layer = SessionLayer::new(sessions)
    ///     .on_failure(|failure, _report| (axum::http::StatusCode::IM_A_TEAPOT, "short and stout").into_response());
    /// ```
    pub fn on_failure(
        self,
        answer: impl Fn(Failure, &VisitReport) -> Response + Send + Sync + 'static,
    ) -> Self {
        Self { middleware: self.middleware.on_failure(answer), ..self }
    }

    /// Sets whether the session remembers the page that the visitor saw last, for
    /// [`Redirects::back`](crate::Redirects::back). Default: off; `back` then uses the `Referer`.
    ///
    /// A page is an HTML response to a `GET` whose handler extracted the [`Session`](crate::Session). Tracking loads no
    /// session and creates none for a visitor without one, but each new page is a write.
    ///
    /// Behind a router that strips a prefix (`nest`), put the layer outside so that it sees whole paths.
    pub fn track_pages(self, track: bool) -> Self {
        Self { middleware: self.middleware.track_pages(track), ..self }
    }

    /// Sets the page to which [`SignedIn`](crate::SignedIn) and [`Recent`](crate::Recent) send strangers.
    pub fn sign_in_page(self, path: impl Into<Arc<str>>) -> Self {
        Self { sign_in: Some(path.into()), ..self }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, middleware: self.middleware.clone(), sign_in: self.sign_in.clone() }
    }
}
