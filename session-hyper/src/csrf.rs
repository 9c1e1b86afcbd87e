//! The service that refuses what another site made a visitor's browser send.

use std::fmt;
use std::sync::Arc;

use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::{Body, Bytes};
use hyper::service::Service;
use session_core::{BoxFuture, CsrfRefusal, CsrfRules, CsrfVerdict, Visit};
use session_forms::{Form, FormError};

use crate::input::{self, InputRejection};

/// The body that a handler behind a [`CsrfService`] gets: the request's own, or the bytes of the form that was read.
///
/// ```
/// use http_body_util::{BodyExt, Full};
/// use hyper::body::{Body, Bytes};
/// use session_hyper::CheckedBody;
///
/// /// Read like any other body, whichever of the two it is.
/// async fn read<B>(body: CheckedBody<B>) -> Option<Bytes>
/// where
///     B: Body<Data = Bytes>,
///     B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
/// {
///     body.collect().await.ok().map(|read| read.to_bytes())
/// }
/// # let _ = read::<Full<Bytes>>;
/// ```
pub type CheckedBody<B> = Either<B, Full<Bytes>>;

type OnRefused<R> = Arc<dyn Fn(&CsrfRefusal) -> Response<R> + Send + Sync>;

/// Lets a request that may change something through only with the session's token: in the header `X-CSRF-TOKEN` or
/// `X-XSRF-TOKEN`, or in the form field `_csrf` or `_token`. All others get 419.
///
/// Put it inside the [`SessionService`](crate::SessionService). `GET`, `HEAD`, `OPTIONS` and `TRACE` pass and open
/// nothing. A form is read, up to the limit, and given on to the handler as it came; a body of another type is not
/// touched, so its token must be in a header. Pages get the token from
/// [`csrf_token`](session_core::Session::csrf_token), and carry `Vary: Cookie` for having asked.
///
/// ```
/// use std::convert::Infallible;
/// use http_body_util::Full;
/// use hyper::{Request, Response, body::{Bytes, Incoming}, service::service_fn};
/// use session_hyper::{CheckedBody, CsrfService, SecretKey, SessionService, Sessions};
///
/// async fn order(_: Request<CheckedBody<Incoming>>) -> Result<Response<Full<Bytes>>, Infallible> {
///     Ok(Response::new("ordered".into()))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
/// let service = SessionService::new(sessions, CsrfService::new(service_fn(order)).exempt("/webhooks"));
/// # fn is_service<S: hyper::service::Service<Request<Incoming>>>(_: S) {}
/// # is_service(service);
/// # Ok(())
/// # }
/// ```
pub struct CsrfService<S, R> {
    inner: S,
    rules: Arc<CsrfRules>,
    limit: usize,
    on_refused: OnRefused<R>,
}

impl<S, R: Default + 'static> CsrfService<S, R> {
    /// A service without exemptions around `inner`.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use http_body_util::Full;
    /// # use hyper::{Request, Response, body::Bytes, service::{Service as _, service_fn}};
    /// # use session_hyper::{CheckedBody, CsrfService, SecretKey, SessionService, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # async fn order(_: Request<CheckedBody<Full<Bytes>>>) -> Result<Response<Full<Bytes>>, Infallible> {
    /// #     Ok(Response::new("ordered".into()))
    /// # }
    /// let service = CsrfService::new(service_fn(order));
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// # let service = SessionService::new(sessions, service);
    /// // `POST /orders`, with no token in it:
    /// # let request = Request::post("/orders").body(Full::<Bytes>::default())?;
    /// # let response = service.call(request).await?;
    /// assert_eq!(response.status(), 419);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn new(inner: S) -> Self {
        Self { inner, rules: Arc::default(), limit: Form::MOST_BYTES, on_refused: Arc::new(|_| refused()) }
    }
}

impl<S, R> CsrfService<S, R> {
    /// Exempts a path and all below it: routes that prove in another way who calls. See [`CsrfRules::exempt`].
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use http_body_util::Full;
    /// # use hyper::{Request, Response, body::Bytes, service::{Service as _, service_fn}};
    /// # use session_hyper::{CheckedBody, CsrfService, SecretKey, SessionService, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # async fn order(_: Request<CheckedBody<Full<Bytes>>>) -> Result<Response<Full<Bytes>>, Infallible> {
    /// #     Ok(Response::new("ordered".into()))
    /// # }
    /// let service = CsrfService::new(service_fn(order)).exempt("/webhooks");
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// # let service = SessionService::new(sessions, service);
    /// // `POST /webhooks/mail`, with no token in it:
    /// # let request = Request::post("/webhooks/mail").body(Full::<Bytes>::default())?;
    /// # let response = service.call(request).await?;
    /// assert_eq!(response.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn exempt(mut self, path: impl Into<String>) -> Self {
        self.rules = Arc::new(CsrfRules::clone(&self.rules).exempt(path));
        self
    }

    /// Exempts the requests for which this is true, asked with the method and the path.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use http_body_util::Full;
    /// # use hyper::{Request, Response, body::Bytes, service::{Service as _, service_fn}};
    /// # use session_hyper::{CheckedBody, CsrfService, SecretKey, SessionService, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # async fn order(_: Request<CheckedBody<Full<Bytes>>>) -> Result<Response<Full<Bytes>>, Infallible> {
    /// #     Ok(Response::new("ordered".into()))
    /// # }
    /// let service = CsrfService::new(service_fn(order)).exempt_when(|_method, path| path.ends_with("/callback"));
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// # let service = SessionService::new(sessions, service);
    /// // `POST /pay/callback`, with no token in it:
    /// # let request = Request::post("/pay/callback").body(Full::<Bytes>::default())?;
    /// # let response = service.call(request).await?;
    /// assert_eq!(response.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn exempt_when(mut self, exempt: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.rules = Arc::new(CsrfRules::clone(&self.rules).exempt_when(exempt));
        self
    }

    /// The most bytes of a form that are read in search of the token; 1 MiB unless said.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use http_body_util::Full;
    /// # use hyper::{Request, Response, body::Bytes, service::{Service as _, service_fn}};
    /// # use session_hyper::{CheckedBody, CsrfService, SecretKey, SessionService, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # async fn order(_: Request<CheckedBody<Full<Bytes>>>) -> Result<Response<Full<Bytes>>, Infallible> {
    /// #     Ok(Response::new("ordered".into()))
    /// # }
    /// // The forms here are short: whoever sends a longer one is answered 413.
    /// let service = CsrfService::new(service_fn(order)).limit(16 * 1024);
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// # let service = SessionService::new(sessions, service);
    /// # let request = Request::post("/orders").body(Full::<Bytes>::default())?;
    /// # let response = service.call(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// What to answer instead of a bare 419. A visitor who was signed out on another device a moment ago comes here with
    /// a form that was theirs ([`CsrfRefusal::ended`]): send them to the page that signs in, and let that page
    /// [`regenerate`](session_core::Session::regenerate) if the session has [`ended`](session_core::Session::ended).
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use http_body_util::Full;
    /// # use hyper::{Request, Response, body::Bytes, service::{Service as _, service_fn}};
    /// # use session_hyper::{CheckedBody, CsrfService, SecretKey, SessionService, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # async fn order(_: Request<CheckedBody<Full<Bytes>>>) -> Result<Response<Full<Bytes>>, Infallible> {
    /// #     Ok(Response::new("ordered".into()))
    /// # }
    /// let service = CsrfService::new(service_fn(order)).on_refused(|_| {
    ///     let mut response = Response::new(Full::from("Please load the page again."));
    ///     *response.status_mut() = http::StatusCode::FORBIDDEN;
    ///     response
    /// });
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// # let service = SessionService::new(sessions, service);
    /// # let request = Request::post("/orders").body(Full::<Bytes>::default())?;
    /// # let response = service.call(request).await?;
    /// assert_eq!(response.status(), 403);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_refused(
        mut self,
        answer: impl Fn(&CsrfRefusal) -> Response<R> + Send + Sync + 'static,
    ) -> Self {
        self.on_refused = Arc::new(answer);
        self
    }
}

impl<S: Clone, R> Clone for CsrfService<S, R> {
    fn clone(&self) -> Self {
        let (rules, on_refused) = (self.rules.clone(), self.on_refused.clone());
        Self { inner: self.inner.clone(), rules, limit: self.limit, on_refused }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for CsrfService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfService")
            .field("rules", &self.rules)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for CsrfService<S, R>
where
    S: Service<Request<CheckedBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    R: Default + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Response<R>, S::Error>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let (rules, limit, on_refused) = (self.rules.clone(), self.limit, self.on_refused.clone());
        let inner = self.inner.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            match check(&rules, limit, &parts, body).await {
                Ok(Ok(body)) => inner.call(Request::from_parts(parts, body)).await,
                Ok(Err(refusal)) => Ok(on_refused(&refusal)),
                Err(rejection) => Ok(rejection.into_response()),
            }
        })
    }
}

/// The body to give on, or the refusal; an error if neither can be told.
async fn check<B>(
    rules: &CsrfRules,
    limit: usize,
    parts: &Parts,
    body: B,
) -> Result<Result<CheckedBody<B>, CsrfRefusal>, InputRejection>
where
    B: Body<Data = Bytes>,
{
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    if !rules.needs_token(method, path) {
        return Ok(Ok(Either::Left(body)));
    }
    let visit = Visit::found(parts.extensions.get())?;
    let header = |name| parts.headers.get(name).map(HeaderValue::as_bytes);
    match rules.judge(&visit, method, path, header).await.map_err(session_core::Rejection::from)? {
        CsrfVerdict::Pass => Ok(Ok(Either::Left(body))),
        CsrfVerdict::Refuse(refusal) => Ok(Err(refusal)),
        CsrfVerdict::AskForm(session) => {
            let (bytes, form) = buffer(parts, body, limit).await?;
            let is_ours = session.verify_csrf_form(|name| form.text(name));
            Ok(if is_ours { Ok(Either::Right(Full::new(bytes))) } else { Err(session.into()) })
        }
    }
}

async fn buffer<B>(parts: &Parts, body: B, limit: usize) -> Result<(Bytes, Form), FormError>
where
    B: Body<Data = Bytes>,
{
    let bytes = input::read(body, limit).await?;
    let form = Form::of_body(input::content_type(&parts.headers), bytes.clone()).await?;
    Ok((bytes, form))
}

fn refused<R: Default>() -> Response<R> {
    let mut response = Response::new(R::default());
    *response.status_mut() =
        StatusCode::from_u16(session_core::value::csrf::REFUSED).unwrap_or(StatusCode::FORBIDDEN);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
