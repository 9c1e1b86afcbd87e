//! The layer: what an application puts around its routes.

use std::fmt;
use std::sync::Arc;

use axum_core::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use session_core::{Failure, Report, Sessions};
use tower_layer::Layer;

use crate::service::SessionService;

/// Makes the response that a failed commit calls for.
pub(crate) type OnFailure = Arc<dyn Fn(Failure, &Report) -> Response + Send + Sync>;

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
#[derive(Clone)]
pub struct SessionLayer {
    pub(crate) sessions: Sessions,
    pub(crate) on_failure: OnFailure,
    pub(crate) tracks_pages: bool,
}

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
    #[must_use]
    pub fn new(sessions: Sessions) -> Self {
        Self { sessions, on_failure: Arc::new(|failure, _| plain(failure)), tracks_pages: false }
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
    #[must_use]
    pub fn on_failure(
        mut self,
        answer: impl Fn(Failure, &Report) -> Response + Send + Sync + 'static,
    ) -> Self {
        self.on_failure = Arc::new(answer);
        self
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
    #[must_use]
    pub fn track_pages(mut self, track: bool) -> Self {
        self.tracks_pages = track;
        self
    }
}

impl fmt::Debug for SessionLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, layer: self.clone() }
    }
}

/// A failure response that says nothing: not even a cache may keep it.
pub(crate) fn plain(failure: Failure) -> Response {
    let status = StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = status.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
