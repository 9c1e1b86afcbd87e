//! The layer: what an application puts around its routes.

use axum_core::response::Response;
use session_core::{
    Sessions,
    adapter::{Failure, Middleware, VisitReport},
};
use tower_layer::Layer;

use crate::service::SessionService;
use crate::spawn::TOKIO;
use crate::words;

/// Gives every request to the inner service a [`Visit`](crate::Visit), and settles it when the response is ready.
///
/// A route that never extracts a [`Session`](crate::Session) costs nothing and gets no header.
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
pub struct SessionLayer(Middleware<Response>);

impl SessionLayer {
    /// A layer for these sessions.
    ///
    /// ```
    /// use session_axum::{SecretKey, SessionLayer, Sessions};
    ///
    /// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// let app: axum::Router = axum::Router::new().layer(SessionLayer::new(sessions));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(sessions: Sessions) -> Self {
        Self(Middleware::new(sessions, &TOKIO, |failure, _| words::response(failure.into())))
    }

    /// What to answer instead of the handler's response when the session could not be written. The default is a bare
    /// 503 (the store failed, too many at once) or 500 (the session is too large) that says nothing else.
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
        Self(self.0.on_failure(answer))
    }

    /// Whether the session keeps the page that the visitor saw last, for
    /// [`Redirects::back`](crate::Redirects::back): HTML that a `GET` was answered with, where the handler took the
    /// [`Session`](crate::Session). Off unless said.
    ///
    /// Nothing is loaded because of it, and a visitor without a session is given none. But it costs: each new page is
    /// one write. Without it, `back` goes by the `Referer`.
    ///
    /// Behind a router that strips a prefix (`nest`), put the layer outside, so that it sees whole paths.
    ///
    /// ```
    /// # use session_axum::{SecretKey, SessionLayer, Sessions};
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate().unwrap()).build().unwrap();
    /// let layer = SessionLayer::new(sessions).track_pages(true);
    /// ```
    pub fn track_pages(self, track: bool) -> Self {
        Self(self.0.track_pages(track))
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, middleware: self.0.clone() }
    }
}
