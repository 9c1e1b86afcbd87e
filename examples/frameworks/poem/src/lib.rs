//! Sessions for poem: a middleware, extractors, and the error of handlers.
//!
//! Poem turns the error of a handler into a response outside of all middlewares, where the headers of its session would be
//! lost. So this middleware makes the response itself (`get_response`); `catch_error` belongs inside of it.

use poem::error::ResponseError;
use poem::http::header::{CONTENT_TYPE, COOKIE};
use poem::http::uri::{Authority, PathAndQuery};
use poem::http::{HeaderValue, StatusCode};
use poem::{Endpoint, FromRequest, Middleware, Request, RequestBody, Response, Result};
use session_core::Sessions;
use session_core::adapter::{self, Adapter, BareResponse, BoxFuture, RequestHead, VisitReport};
use session_web::{Form, InputLimit, Rejection, find_visit, find_visit_for_input};

/// Adds sessions to the requests of an endpoint: `routes.with(SessionMiddleware::new(sessions))`.
pub struct SessionMiddleware(adapter::Middleware<Response>);

impl SessionMiddleware {
    /// A middleware with these sessions.
    pub fn new(sessions: Sessions) -> Self {
        let middleware = adapter::Middleware::new(sessions, &BACKGROUND, |failure, _| bare(failure.into()));
        Self(middleware.on_own(|own| {
            let mut response = response(own.status(), own.headers());
            response.set_body(own.into_body());
            response
        }))
    }
}

impl<E: Endpoint> Middleware<E> for SessionMiddleware {
    type Output = SessionEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        SessionEndpoint { inner, middleware: self.0.clone() }
    }
}

/// An endpoint with sessions.
pub struct SessionEndpoint<E> {
    inner: E,
    middleware: adapter::Middleware<Response>,
}

impl<E: Endpoint> Endpoint for SessionEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let begun = self.middleware.begin(request.headers().get_all(COOKIE), &head(&request));
        request.extensions_mut().insert(begun.visit().clone());
        Ok(begun.serve_with::<Poem, _>(|| self.inner.get_response(request)).await)
    }
}

struct Poem;

impl Adapter<Response> for Poem {
    type Response = Response;
    type Output = Response;

    fn status(answer: &Response) -> u16 {
        answer.status().as_u16()
    }

    fn content_type(answer: &Response) -> Option<&[u8]> {
        answer.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes)
    }

    fn finish(answer: Result<Response, (Response, Option<Response>)>, report: VisitReport) -> Response {
        let mut response = answer.unwrap_or_else(|(instead, _)| instead);
        let headers = response.headers_mut();
        let changes = report.headers(|name| headers.get_all(name).iter().map(HeaderValue::as_bytes));
        for change in changes.into_iter().flatten() {
            if change.replaces() {
                headers.remove(change.name());
            }
            if let Ok(value) = HeaderValue::from_str(change.value()) {
                headers.append(change.name(), value);
            }
        }
        response
    }
}

/// The visitor's session. For `read_only`, `destroy`, or to open it later, extract `Data<&Visit>`.
pub struct Session(pub session_core::Session);

impl<'a> FromRequest<'a> for Session {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        let visit = find_visit(request.extensions().get()).map_err(SessionRejection)?;
        Ok(Self(visit.session().await.map_err(SessionRejection::from)?))
    }
}

/// The form of the request, which the session keeps for `old` and `flash_all`.
pub struct Input(pub Form);

impl<'a> FromRequest<'a> for Input {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> Result<Self> {
        let visit = find_visit_for_input(request.extensions().get()).map_err(SessionRejection)?;
        let chunks = body.take()?.into_bytes_stream();
        let form = Form::of_request(visit, &head(request), InputLimit::default(), chunks).await;
        Ok(Self(form.map_err(SessionRejection::from)?))
    }
}

/// The error of a handler: `?` converts every error of the library into it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SessionRejection(pub Rejection);

impl<E: Into<Rejection>> From<E> for SessionRejection {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl ResponseError for SessionRejection {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or_default()
    }

    fn as_response(&self) -> Response {
        bare(self.0.response())
    }
}

fn head<'r>(request: &'r Request) -> RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>> {
    let (uri, headers) = (request.original_uri(), request.headers());
    let url = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let authority = uri.authority().map(Authority::as_str);
    let header = |name| headers.get(name).map(HeaderValue::as_bytes);
    RequestHead { method: request.method().as_str(), url, authority, header }
}

fn bare(answer: BareResponse) -> Response {
    response(answer.status(), answer.header().into_iter())
}

fn response<'h>(status: u16, headers: impl Iterator<Item = (&'static str, &'h str)>) -> Response {
    let response = Response::builder().status(StatusCode::from_u16(status).unwrap_or_default());
    headers.fold(response, |response, (name, value)| response.header(name, value)).finish()
}

static BACKGROUND: fn(BoxFuture<()>) = |future| {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(future);
    }
};
