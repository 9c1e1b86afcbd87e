//! The middleware that refuses what another site made a visitor's browser send.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::extract::Request;
use axum_core::response::{IntoResponse, Response};
use session_core::adapter::{BoxFuture, CsrfFailure};
use session_forms::{CheckedBody, CsrfGuard};
use tower_layer::Layer;
use tower_service::Service;

use crate::words;

/// Lets a request that may change something through only with the session's token: in the header `X-CSRF-TOKEN` or
/// `X-XSRF-TOKEN`, or in the form field `_csrf` or `_token`. All others get 419.
///
/// Put it inside the [`SessionLayer`](crate::SessionLayer). `GET`, `HEAD`, `OPTIONS` and `TRACE` pass and open nothing. A
/// form is read, up to the [`InputLimit`](crate::InputLimit), and given on to the handler as it came; a body of another
/// type is not touched, so its token must be in a header. Pages get the token from
/// [`csrf_token`](session_core::Csrf::token), and carry `Vary: Cookie` for having asked.
///
/// ```
/// use axum::{Router, routing::post};
/// use session_axum::{CsrfLayer, SecretKey, SessionLayer, Sessions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
/// let app: Router = Router::new()
///     .route("/orders", post(async || "ordered"))
///     .route("/webhooks/mail", post(async || "thanks"))
///     .layer(CsrfLayer::new().exempt("/webhooks"))
///     .layer(SessionLayer::new(sessions));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing unless it is laid around routes"]
pub struct CsrfLayer(CsrfGuard<Response>);

impl CsrfLayer {
    /// A layer without exemptions.
    ///
    /// ```
    #[doc = include_str!("given/a_guarded_handler.in")]
    /// let layer = CsrfLayer::new();
    /// // `POST /`, with no token in it:
    /// # let response = guarded(layer).call(Request::post("/").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 419);
    /// # Ok(()) }
    /// ```
    pub fn new() -> Self {
        Self(CsrfGuard::new(words::response))
    }

    /// Exempts a path and all below it: routes that prove in another way who calls. See [`CsrfRules::exempt`](session_core::CsrfRules::exempt).
    ///
    /// ```
    #[doc = include_str!("given/a_guarded_handler.in")]
    /// let layer = CsrfLayer::new().exempt("/webhooks");
    /// // `POST /webhooks/mail`, with no token in it:
    /// # let response = guarded(layer).call(Request::post("/webhooks/mail").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 200);
    /// # Ok(()) }
    /// ```
    pub fn exempt(self, path: impl Into<String>) -> Self {
        Self(self.0.exempt(path))
    }

    /// Exempts the requests for which this is true, asked with the method and the path.
    ///
    /// ```
    #[doc = include_str!("given/a_guarded_handler.in")]
    /// let layer = CsrfLayer::new().exempt_when(|method, path| method == "POST" && path.ends_with("/callback"));
    /// // `POST /pay/callback`, with no token in it:
    /// # let response = guarded(layer).call(Request::post("/pay/callback").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 200);
    /// # Ok(()) }
    /// ```
    pub fn exempt_when(self, exempt: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        Self(self.0.exempt_when(exempt))
    }

    /// What to answer instead of a bare 419. A visitor who was signed out on another device a moment ago comes here with
    /// a form that was theirs: send them to the page that signs in, and let that page
    /// [`regenerate`](session_core::Session::regenerate) if the session has [`ended`](session_core::Session::ended).
    ///
    /// ```
    /// use axum::{http::StatusCode, response::{IntoResponse, Redirect}};
    ///
    /// let layer = session_axum::CsrfLayer::new().on_refused(|refusal| match refusal.ended() {
    ///     true => Redirect::to("/sign-in").into_response(),
    ///     false => (StatusCode::FORBIDDEN, "Please load the page again.").into_response(),
    /// });
    /// ```
    pub fn on_refused(self, answer: impl Fn(&CsrfFailure) -> Response + Send + Sync + 'static) -> Self {
        Self(self.0.on_refused(answer))
    }
}

impl Default for CsrfLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for CsrfLayer {
    type Service = CsrfService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CsrfService { inner, guard: self.0.clone() }
    }
}

/// What [`CsrfLayer`] makes of a service.
///
/// ```
/// use session_axum::{CsrfLayer, CsrfService};
/// use tower_layer::Layer;
///
/// let service: CsrfService<axum::Router> = CsrfLayer::new().layer(axum::Router::new());
/// ```
#[derive(Clone, Debug)]
pub struct CsrfService<S> {
    inner: S,
    guard: CsrfGuard<Response>,
}

impl<S> Service<Request> for CsrfService<S>
where
    S: Service<Request, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = CsrfFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> CsrfFuture {
        // The clone stays for the next request; this one is the one that is ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let guard = self.guard.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let visit = parts.extensions.get().cloned();
            let limit = parts.extensions.get().copied().unwrap_or_default();
            let head = words::head(&parts.method, &parts.uri, &parts.headers);
            let body = match guard.check(visit, &head, limit, body, Body::into_data_stream).await {
                Ok(CheckedBody::Untouched(body)) => body,
                Ok(CheckedBody::Read(bytes)) => bytes.into(),
                Err(response) => return Ok(response),
            };
            inner.call(Request::from_parts(parts, body)).await.map(IntoResponse::into_response)
        })
    }
}

/// What [`CsrfService`] answers with.
///
/// ```
/// use axum::{body::Body, http::Request};
/// use session_axum::{CsrfFuture, CsrfLayer};
/// use tower_layer::Layer;
/// use tower_service::Service;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut service = CsrfLayer::new().layer(axum::Router::<()>::new());
/// let answer: CsrfFuture = service.call(Request::get("/").body(Body::empty())?);
/// // A `GET` needs no token; that there is no such page is the router's answer.
/// assert_eq!(answer.await?.status(), 404);
/// # Ok(())
/// # }
/// ```
pub type CsrfFuture = BoxFuture<Result<Response, Infallible>>;
