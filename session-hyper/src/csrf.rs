//! The CSRF service: rejects requests that another site made a visitor's browser send.

use std::fmt;

use http::{Request, Response};
use hyper::body::{Body, Bytes};
use hyper::service::Service;
use session_core::adapter::BoxFuture;
use session_web::{
    CheckedBody, CsrfFailure, CsrfGuard, CsrfRuleError, CsrfRules, InputLimit, bare_response, poll_data,
    request_head,
};

/// Protects routes against cross-site request forgery. A request that may change something is accepted if the browser says
/// that a page of this application sent it, in `Sec-Fetch-Site` or, without that header, in `Origin`, which must be at the
/// requested `Host`. One from another origin is refused without reading its body. Where neither header is sent, as by
/// clients that are no browser, the request must carry the session's token, in the header `X-CSRF-TOKEN` or
/// `X-XSRF-TOKEN`, or in the field `_csrf` or `_token` of a form or a JSON object. A refused request is answered 419, and
/// the log says why.
///
/// Put it inside the [`SessionService`](crate::SessionService). `GET`, `HEAD`, `OPTIONS` and `TRACE` pass. In search of a
/// token a JSON body is read, or a form up to the field with the token, and at most up to the [limit](Self::limit). The
/// handler gets the body unchanged. Put the field before files, which are then not read here. Pages get the token from
/// [`csrf_token`](session_core::facet::Csrf::token), and then vary by `Cookie`.
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
/// let service = SessionService::new(sessions, CsrfService::new(service_fn(order)).exempt("/webhooks")?);
/// # fn is_service<S: hyper::service::Service<Request<Incoming>>>(_: S) {}
/// # is_service(service);
/// # Ok(())
/// # }
/// ```
#[must_use = "a service does nothing unless it is called"]
pub struct CsrfService<S, R> {
    inner: S,
    guard: CsrfGuard<Response<R>>,
    limit: InputLimit,
}

impl<S, R: Default + 'static> CsrfService<S, R> {
    /// Creates a service without exemptions around `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner, guard: CsrfGuard::new(bare_response), limit: InputLimit::default() }
    }
}

impl<S, R> CsrfService<S, R> {
    /// Exempts a path and everything below it, for routes that authenticate their callers in another way.
    ///
    /// # Errors
    /// [`CsrfRuleError`] for what is no path, or every path: [`CsrfRules::exempt`].
    pub fn exempt(mut self, path: impl AsRef<str>) -> Result<Self, CsrfRuleError> {
        self.guard = self.guard.exempt(path)?;
        Ok(self)
    }

    /// Exempts requests for which the predicate, given the method and the path, returns true.
    ///
    /// ```
    #[doc = include_str!("given/a_guarded_handler.in")]
    /// let service = CsrfService::new(service_fn(order)).exempt_when(|_method, path| path.ends_with("/callback"));
    /// # let service = SessionService::new(sessions, service);
    /// // `POST /pay/callback`, with no token in it:
    /// # let request = Request::post("/pay/callback").body(Full::<Bytes>::default())?;
    /// # let response = service.call(request).await?;
    /// assert_eq!(response.status(), 200);
    /// # Ok(()) }
    /// ```
    pub fn exempt_when(mut self, exempt: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.guard = self.guard.exempt_when(exempt);
        self
    }

    /// Replaces all rules: other exemptions, trusted origins, the host behind a proxy, the token from everyone.
    ///
    /// ```
    /// use session_hyper::{CsrfService, CsrfRules};
    ///
    /// let rules = CsrfRules::default().trust_origin("https://accounts.example.com")?.trust_forwarded_host();
    /// # let service = ();
    /// let service = CsrfService::<_, http_body_util::Full<hyper::body::Bytes>>::new(service).rules(rules);
    /// # Ok::<(), session_hyper::CsrfRuleError>(())
    /// ```
    pub fn rules(mut self, rules: CsrfRules) -> Self {
        self.guard = self.guard.rules(rules);
        self
    }

    /// Sets how much of a body is read in search of the token: [`InputLimit::bytes`], 1 MiB unless set otherwise.
    pub fn limit(mut self, limit: InputLimit) -> Self {
        self.limit = limit;
        self
    }

    /// What to answer instead of a bare 419. A visitor whose session has just ended may arrive here with a
    /// form of that session ([`CsrfFailure::ended`]): redirect them to the sign-in page, and let that page
    /// [`regenerate`](session_core::Session::regenerate) if the session has [`ended`](session_core::facet::Status::ended).
    ///
    /// ```
    #[doc = include_str!("given/a_guarded_handler.in")]
    /// let service = CsrfService::new(service_fn(order)).on_refused(|_| {
    ///     let mut response = Response::new(Full::from("Please load the page again."));
    ///     *response.status_mut() = http::StatusCode::FORBIDDEN;
    ///     response
    /// });
    /// # let service = SessionService::new(sessions, service);
    /// # let request = Request::post("/orders").body(Full::<Bytes>::default())?;
    /// # let response = service.call(request).await?;
    /// assert_eq!(response.status(), 403);
    /// # Ok(()) }
    /// ```
    pub fn on_refused(
        mut self,
        answer: impl Fn(&CsrfFailure) -> Response<R> + Send + Sync + 'static,
    ) -> Self {
        self.guard = self.guard.on_refused(answer);
        self
    }
}

impl<S: Clone, R> Clone for CsrfService<S, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), guard: self.guard.clone(), limit: self.limit }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for CsrfService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfService")
            .field("guard", &self.guard)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for CsrfService<S, R>
where
    S: Service<Request<CheckedBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    R: Default + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Response<R>, S::Error>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let Self { inner, guard, limit } = self.clone();
        Box::pin(async move {
            let (mut parts, mut body) = request.into_parts();
            if let Some(origins) = guard.origins() {
                parts.extensions.insert(origins);
            }
            let visit = parts.extensions.get().cloned();
            let head = request_head(&parts.method, &parts.uri, &parts.headers);
            let read = guard.check(visit, &head, limit, |context| poll_data(&mut body, context));
            let body = match read.await {
                Ok(read) => CheckedBody::new(read, body),
                Err(response) => return Ok(response),
            };
            inner.call(Request::from_parts(parts, body)).await
        })
    }
}
