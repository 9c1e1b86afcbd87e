//! The CSRF middleware: rejects requests that another site made a visitor's browser send.

use std::future::{Ready, ready};
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, HttpMessage, HttpResponse};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream;
use session_web::{CsrfFailure, CsrfGuard, CsrfRuleError, CsrfRules};

use crate::words;

/// Protects routes against cross-site request forgery. A request that may change something is accepted if the browser says
/// that a page of this application sent it, in `Sec-Fetch-Site` or, without that header, in `Origin`, which must be at the
/// requested `Host`. One from another origin is refused without reading its body. Where neither header is sent, as by
/// clients that are no browser, the request must carry the session's token, in the header `X-CSRF-TOKEN` or
/// `X-XSRF-TOKEN`, or in the field `_csrf` or `_token` of a form or a JSON object. A refused request is answered 419, and
/// the log says why.
///
/// Wrap it before the [`SessionMiddleware`](crate::SessionMiddleware), which is then outside of it. `GET`, `HEAD`,
/// `OPTIONS` and `TRACE` pass. In search of a token a JSON body is read, or a form up to the field with the token, and at
/// most as many bytes as the [`InputLimit`](crate::InputLimit) in the `app_data` allows. The handler gets the body
/// unchanged. Put the field before files, which are then not read here. Pages get the token from
/// [`csrf_token`](session_core::facet::Csrf::token), and then vary by `Cookie`.
///
/// ```
/// use actix_web::{App, web};
/// use session_actix::{Csrf, SecretKey, SessionMiddleware, Sessions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
/// let app = App::new()
///     .wrap(Csrf::new().exempt("/webhooks")?)
///     .wrap(SessionMiddleware::new(sessions))
///     .route("/orders", web::post().to(async || "ordered"))
///     .route("/webhooks/mail", web::post().to(async || "thanks"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a middleware does nothing unless it is wrapped around routes"]
pub struct Csrf(CsrfGuard<HttpResponse>);

impl Csrf {
    /// Creates a middleware without exemptions.
    pub fn new() -> Self {
        Self(CsrfGuard::new(words::response))
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
    /// let csrf = Csrf::new().exempt_when(|method, path| method == "POST" && path.ends_with("/callback"));
    /// # let app = guarded(csrf).await;
    /// // `POST /pay/callback`, with no token in it:
    /// # let response = test::call_service(&app, test::TestRequest::post().uri("/pay/callback").to_request()).await;
    /// assert_eq!(response.status().as_u16(), 200);
    /// # Ok(()) }
    /// ```
    pub fn exempt_when(self, exempt: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        Self(self.0.exempt_when(exempt))
    }

    /// Replaces all rules: other exemptions, trusted origins, the host behind a proxy, the token from everyone.
    ///
    /// ```
    /// use session_actix::{Csrf, CsrfRules};
    ///
    /// let rules = CsrfRules::default().trust_origin("https://accounts.example.com")?.trust_forwarded_host();
    /// let layer = Csrf::new().rules(rules);
    /// # Ok::<(), session_actix::CsrfRuleError>(())
    /// ```
    pub fn rules(self, rules: CsrfRules) -> Self {
        Self(self.0.rules(rules))
    }

    /// Sets the response that replaces an empty 419. A visitor whose session has just ended may arrive here with a
    /// form of that session ([`CsrfFailure::ended`]): redirect them to the sign-in page, and let that page
    /// [`regenerate`](session_core::Session::regenerate) if the session has [`ended`](session_core::facet::Status::ended).
    ///
    /// ```
    /// use actix_web::HttpResponse;
    ///
    /// let csrf = session_actix::Csrf::new().on_refused(|refusal| match refusal.ended() {
    ///     true => HttpResponse::SeeOther().insert_header(("location", "/sign-in")).finish(),
    ///     false => HttpResponse::Forbidden().body("Please load the page again."),
    /// });
    /// ```
    pub fn on_refused(self, answer: impl Fn(&CsrfFailure) -> HttpResponse + Send + Sync + 'static) -> Self {
        Self(self.0.on_refused(answer))
    }
}

impl Default for Csrf {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, B> Transform<S, ServiceRequest> for Csrf
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = CsrfService<S>;
    type InitError = ();
    type Future = Ready<Result<CsrfService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(CsrfService { inner: Rc::new(inner), guard: self.0.clone() }))
    }
}

/// What [`Csrf`] makes of a service.
#[derive(Debug)]
pub struct CsrfService<S> {
    inner: Rc<S>,
    guard: CsrfGuard<HttpResponse>,
}

impl<S, B> Service<ServiceRequest> for CsrfService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let (inner, guard) = (self.inner.clone(), self.guard.clone());
        Box::pin(async move {
            if let Some(origins) = guard.origins() {
                request.extensions_mut().insert(origins);
            }
            let visit = request.extensions().get().cloned();
            let mut payload = request.take_payload();
            let limit = request.app_data().copied().unwrap_or_default();
            let head = words::head(request.head());
            let read = guard.check(visit, &head, limit, |context| payload.poll_next_unpin(context));
            let payload = match read.await {
                Ok(read) if read.ended => read.bytes.into(),
                Ok(read) if read.bytes.is_empty() => payload,
                Ok(read) => {
                    let read = stream::once(ready(Ok(read.bytes)));
                    Payload::Stream { payload: read.chain(payload).boxed_local() }
                }
                Err(answer) => return Ok(request.into_response(answer).map_into_right_body()),
            };
            request.set_payload(payload);
            Ok(inner.call(request).await?.map_into_left_body())
        })
    }
}
