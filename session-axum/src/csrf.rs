//! The CSRF middleware: rejects requests that another site made a visitor's browser send.

use std::task::{Context, Poll};

use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use session_core::adapter::BoxFuture;
use session_web::{
    CheckedBody, CsrfFailure, CsrfGuard, CsrfRuleError, CsrfRules, bare_response, poll_data, request_head,
};
use tower_layer::Layer;
use tower_service::Service;

/// Protects routes against cross-site request forgery. A request that may change something is accepted if the browser says
/// that a page of this application sent it, in `Sec-Fetch-Site` or, without that header, in `Origin`, which must be at the
/// requested `Host`. One from another origin is refused without reading its body. Where neither header is sent, as by
/// clients that are no browser, the request must carry the session's token, in the header `X-CSRF-TOKEN` or
/// `X-XSRF-TOKEN`, or in the field `_csrf` or `_token` of a form or a JSON object. A refused request is answered 419, and
/// the log says why.
///
/// Put it inside the [`SessionLayer`](crate::SessionLayer). `GET`, `HEAD`, `OPTIONS` and `TRACE` pass. In search of a token
/// a JSON body is read, or a form up to the field with the token, and at most as many bytes as the
/// [`InputLimit`](crate::InputLimit) allows (an `Extension` outside of this layer). The handler gets the body unchanged. Put
/// the field before files, which are then not read here. Pages get the token from
/// [`csrf_token`](session_core::facet::Csrf::token), and then vary by `Cookie`.
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
///     .layer(CsrfLayer::new().exempt("/webhooks")?)
///     .layer(SessionLayer::new(sessions));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing unless it is laid around routes"]
pub struct CsrfLayer(CsrfGuard<Response<Body>>);

impl CsrfLayer {
    /// Creates a layer without exemptions.
    pub fn new() -> Self {
        Self(CsrfGuard::new(bare_response))
    }

    /// Exempts a path and everything below it, for routes that authenticate their callers in another way.
    ///
    /// # Errors
    /// [`CsrfRuleError`] for what is no path, or every path: [`CsrfRules::exempt`].
    pub fn exempt(self, path: impl AsRef<str>) -> Result<Self, CsrfRuleError> {
        Ok(Self(self.0.exempt(path)?))
    }

    /// Exempts requests for which the predicate, given the method and the path, returns true.
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

    /// Replaces all rules: other exemptions, trusted origins, the host behind a proxy, the token from everyone.
    ///
    /// ```
    /// use session_axum::{CsrfLayer, CsrfRules};
    ///
    /// let rules = CsrfRules::default().trust_origin("https://accounts.example.com")?.trust_forwarded_host();
    /// let layer = CsrfLayer::new().rules(rules);
    /// # Ok::<(), session_axum::CsrfRuleError>(())
    /// ```
    pub fn rules(self, rules: CsrfRules) -> Self {
        Self(self.0.rules(rules))
    }

    /// Sets the response that replaces an empty 419. A visitor whose session has just ended may arrive here with a
    /// form of that session ([`CsrfFailure::ended`]): redirect them to the sign-in page, and let that page
    /// [`regenerate`](session_core::Session::regenerate) if the session has [`ended`](session_core::facet::Status::ended).
    ///
    /// ```
    /// use axum::{http::StatusCode, response::{IntoResponse, Redirect}};
    ///
    /// let layer = session_axum::CsrfLayer::new().on_refused(|refusal| match refusal.ended() {
    ///     true => Redirect::to("/sign-in").into_response(),
    ///     false => (StatusCode::FORBIDDEN, "Please load the page again.").into_response(),
    /// });
    /// ```
    pub fn on_refused(self, answer: impl Fn(&CsrfFailure) -> Response<Body> + Send + Sync + 'static) -> Self {
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
#[derive(Clone, Debug)]
pub struct CsrfService<S> {
    inner: S,
    guard: CsrfGuard<Response<Body>>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for CsrfService<S>
where
    S: Service<Request<Body>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    ReqBody: http_body::Body<Data = Bytes> + Send + 'static,
    ReqBody::Error: Into<BoxError>,
    ResBody: http_body::Body<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = CsrfFuture<S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // Take the service that was polled ready; the clone is polled for the next request.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let guard = self.guard.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            if let Some(origins) = guard.origins() {
                parts.extensions.insert(origins);
            }
            let visit = parts.extensions.get().cloned();
            let limit = parts.extensions.get().copied().unwrap_or_default();
            let head = request_head(&parts.method, &parts.uri, &parts.headers);
            let mut body = Body::new(body);
            let read = guard.check(visit, &head, limit, |context| poll_data(&mut body, context));
            let body = match read.await {
                Ok(read) if read.bytes.is_empty() && !read.ended => body,
                Ok(read) => Body::new(CheckedBody::new(read, body)),
                Err(response) => return Ok(response),
            };
            Ok(inner.call(Request::from_parts(parts, body)).await?.map(Body::new))
        })
    }
}

/// The future of a [`CsrfService`]'s response.
pub type CsrfFuture<E> = BoxFuture<Result<Response<Body>, E>>;
