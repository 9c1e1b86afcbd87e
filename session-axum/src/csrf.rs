//! The middleware that refuses what another site made a visitor's browser send.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::extract::Request;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use session_core::{BoxFuture, CsrfRefusal, CsrfRules, CsrfVerdict, Visit};
use session_forms::{Form, FormError};
use tower_layer::Layer;
use tower_service::Service;

use crate::input::{self, InputRejection};
use crate::rejection::SessionRejection;

/// Lets a request that may change something through only with the session's token: in the header `X-CSRF-TOKEN` or
/// `X-XSRF-TOKEN`, or in the form field `_csrf` or `_token`. All others get 419.
///
/// Put it inside the [`SessionLayer`](crate::SessionLayer). `GET`, `HEAD`, `OPTIONS` and `TRACE` pass and open nothing. A
/// form is read, up to the [`InputLimit`](crate::InputLimit), and given on to the handler as it came; a body of another
/// type is not touched, so its token must be in a header. Pages get the token from
/// [`csrf_token`](session_core::Session::csrf_token), and carry `Vary: Cookie` for having asked.
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
#[derive(Clone)]
pub struct CsrfLayer {
    rules: CsrfRules,
    on_refused: Arc<dyn Fn(&CsrfRefusal) -> Response + Send + Sync>,
}

impl CsrfLayer {
    /// A layer without exemptions.
    ///
    /// ```
    /// # use axum::{Router, body::Body, http::{Request, StatusCode}, response::{IntoResponse, Response}, routing::{any, get}};
    /// # use session_axum::{CsrfLayer, Input, InputRejection, Redirect, Redirects, SecretKey, Session, SessionError, SessionLayer};
    /// # use session_axum::{SessionRejection, Sessions};
    /// # use tower_service::Service as _;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # async fn handler() -> &'static str { "ordered" }
    /// let layer = CsrfLayer::new();
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// # let app: Router = Router::new().route("/", any(handler)).route("/{*path}", any(handler));
    /// # let mut app = app.layer(layer).layer(SessionLayer::new(sessions));
    /// // `POST /`, with no token in it:
    /// # let response = app.call(Request::post("/").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 419);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { rules: CsrfRules::default(), on_refused: Arc::new(|_| refused()) }
    }

    /// Exempts a path and all below it: routes that prove in another way who calls. See [`CsrfRules::exempt`].
    ///
    /// ```
    /// # use axum::{Router, body::Body, http::{Request, StatusCode}, response::{IntoResponse, Response}, routing::{any, get}};
    /// # use session_axum::{CsrfLayer, Input, InputRejection, Redirect, Redirects, SecretKey, Session, SessionError, SessionLayer};
    /// # use session_axum::{SessionRejection, Sessions};
    /// # use tower_service::Service as _;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # async fn handler() -> &'static str { "thanks" }
    /// let layer = CsrfLayer::new().exempt("/webhooks");
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// # let app: Router = Router::new().route("/", any(handler)).route("/{*path}", any(handler));
    /// # let mut app = app.layer(layer).layer(SessionLayer::new(sessions));
    /// // `POST /webhooks/mail`, with no token in it:
    /// # let response = app.call(Request::post("/webhooks/mail").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn exempt(mut self, path: impl Into<String>) -> Self {
        self.rules = self.rules.exempt(path);
        self
    }

    /// Exempts the requests for which this is true, asked with the method and the path.
    ///
    /// ```
    /// # use axum::{Router, body::Body, http::{Request, StatusCode}, response::{IntoResponse, Response}, routing::{any, get}};
    /// # use session_axum::{CsrfLayer, Input, InputRejection, Redirect, Redirects, SecretKey, Session, SessionError, SessionLayer};
    /// # use session_axum::{SessionRejection, Sessions};
    /// # use tower_service::Service as _;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # async fn handler() -> &'static str { "thanks" }
    /// let layer = CsrfLayer::new().exempt_when(|method, path| method == "POST" && path.ends_with("/callback"));
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// # let app: Router = Router::new().route("/", any(handler)).route("/{*path}", any(handler));
    /// # let mut app = app.layer(layer).layer(SessionLayer::new(sessions));
    /// // `POST /pay/callback`, with no token in it:
    /// # let response = app.call(Request::post("/pay/callback").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn exempt_when(mut self, exempt: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.rules = self.rules.exempt_when(exempt);
        self
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
    #[must_use]
    pub fn on_refused(mut self, answer: impl Fn(&CsrfRefusal) -> Response + Send + Sync + 'static) -> Self {
        self.on_refused = Arc::new(answer);
        self
    }

    /// The request to give on, or the answer that it gets.
    async fn check(&self, request: Request) -> Result<Request, Response> {
        if !self.rules.needs_token(request.method().as_str(), request.uri().path()) {
            return Ok(request);
        }
        let (parts, body) = request.into_parts();
        let header = |name| parts.headers.get(name).map(HeaderValue::as_bytes);
        let visit = Visit::found(parts.extensions.get()).map_err(respond)?;
        let judged = self.rules.judge(&visit, parts.method.as_str(), parts.uri.path(), header);
        match judged.await.map_err(respond)? {
            CsrfVerdict::Pass => Ok(Request::from_parts(parts, body)),
            CsrfVerdict::Refuse(refusal) => Err((self.on_refused)(&refusal)),
            CsrfVerdict::AskForm(session) => {
                let (body, form) = buffer(&parts, body).await.map_err(bad_form)?;
                if session.verify_csrf_form(|name| form.text(name)) {
                    Ok(Request::from_parts(parts, body))
                } else {
                    Err((self.on_refused)(&session.into()))
                }
            }
        }
    }
}

impl Default for CsrfLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CsrfLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfLayer").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for CsrfLayer {
    type Service = CsrfService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CsrfService { inner, layer: self.clone() }
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
    layer: CsrfLayer,
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
        let layer = self.layer.clone();
        CsrfFuture(Box::pin(async move {
            match layer.check(request).await {
                Ok(request) => inner.call(request).await.map(IntoResponse::into_response),
                Err(response) => Ok(response),
            }
        }))
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
pub struct CsrfFuture(BoxFuture<Result<Response, Infallible>>);

impl Future for CsrfFuture {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for CsrfFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CsrfFuture").finish_non_exhaustive()
    }
}

/// Reads the form and puts its bytes back.
async fn buffer(parts: &Parts, body: Body) -> Result<(Body, Form), FormError> {
    let bytes = input::read(body, input::limit(&parts.extensions)).await?;
    let form = Form::of_body(input::content_type(&parts.headers), bytes.clone()).await?;
    Ok((Body::from(bytes), form))
}

fn refused() -> Response {
    let status = StatusCode::from_u16(session_core::value::csrf::REFUSED).unwrap_or(StatusCode::FORBIDDEN);
    (status, [(header::CACHE_CONTROL, "no-store")]).into_response()
}

fn respond(error: impl Into<SessionRejection>) -> Response {
    error.into().into_response()
}

fn bad_form(error: FormError) -> Response {
    InputRejection::Form(error).into_response()
}
