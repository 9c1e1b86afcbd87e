//! Sessions for salvo: a hoop, the session of a request, and the error of handlers.
//!
//! A salvo handler writes to a response that it was lent, so the output of the future that is served is the status. Two rules of
//! salvo's matter here: after a hoop that has not called `call_next`, the next handler runs unless `skip_rest` was called; and a
//! response of 400 or more without a body gets one from the catcher, unless its body is empty instead of missing.

use http_body_util::BodyDataStream;
use salvo::http::header::{CONTENT_TYPE, COOKIE};
use salvo::http::uri::{Authority, PathAndQuery};
use salvo::http::{HeaderValue, ResBody, StatusCode};
use salvo::{Depot, FlowCtrl, Handler, Request, Response, Scribe, async_trait};
use session_core::Sessions;
use session_core::adapter::{Adapter, BareResponse, BoxFuture, Middleware, RequestHead, Visit, VisitReport};
use session_web::{Form, InputLimit, Rejection, find_visit, find_visit_for_input};

/// Adds sessions to requests: `Service::new(router).hoop(SessionHoop::new(sessions))`. A `Router::hoop` does not see requests
/// that match no route, which those of sessions bound to devices are.
pub struct SessionHoop(Middleware<Response>);

impl SessionHoop {
    /// A hoop with these sessions.
    pub fn new(sessions: Sessions) -> Self {
        let middleware = Middleware::new(sessions, &BACKGROUND, |failure, _| bare(failure.into()));
        Self(middleware.on_own(|own| {
            let mut response = response(own.status(), own.headers());
            response.body(own.into_body());
            response
        }))
    }
}

#[async_trait]
impl Handler for SessionHoop {
    async fn handle(
        &self,
        request: &mut Request,
        depot: &mut Depot,
        response: &mut Response,
        ctrl: &mut FlowCtrl,
    ) {
        let begun = self.0.begin(request.headers().get_all(COOKIE), &head(request));
        request.extensions_mut().insert(begun.visit().clone());
        let (next, lent) = (&mut *ctrl, &mut *response);
        let serving = begun.serve_with::<Salvo, _>(|| async move {
            next.call_next(request, depot, lent).await;
            let status = lent.status_code.map_or(200, |status| status.as_u16());
            (status, lent.headers().get(CONTENT_TYPE).cloned())
        });
        let (instead, report) = serving.await;
        if let Some(instead) = instead {
            // The whole response: what the handler wrote says that something was saved.
            *response = instead;
            ctrl.skip_rest();
        }
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
    }
}

struct Salvo;

/// The status of a response, and its media type.
type Written = (u16, Option<HeaderValue>);

impl Adapter<Written> for Salvo {
    type Response = Response;
    type Output = (Option<Response>, VisitReport);

    fn status((status, _): &Written) -> u16 {
        *status
    }

    fn content_type((_, media_type): &Written) -> Option<&[u8]> {
        media_type.as_ref().map(HeaderValue::as_bytes)
    }

    fn finish(answer: Result<Written, (Response, Option<Written>)>, report: VisitReport) -> Self::Output {
        (answer.err().map(|(instead, _)| instead), report)
    }
}

/// The visit of a request, which opens its session on demand: `visit(request)?.session().await?`.
pub fn visit(request: &Request) -> Result<Visit, SessionRejection> {
    Ok(find_visit(request.extensions().get())?)
}

/// Reads the form of a request, which the session keeps for `old` and `flash_all`.
pub async fn input(request: &mut Request) -> Result<Form, SessionRejection> {
    let visit = find_visit_for_input(request.extensions().get())?;
    let body = BodyDataStream::new(request.take_body());
    Ok(Form::of_request(visit, &head(request), InputLimit::default(), body).await?)
}

/// The error of a handler: `?` converts every error of the library into it.
pub struct SessionRejection(pub Rejection);

impl<E: Into<Rejection>> From<E> for SessionRejection {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl Scribe for SessionRejection {
    fn render(self, response: &mut Response) {
        *response = bare(self.0.response());
    }
}

fn head<'r>(request: &'r Request) -> RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]> + use<'r>> {
    let (uri, headers) = (request.uri(), request.headers());
    let url = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let authority = uri.authority().map(Authority::as_str);
    let header = |name| headers.get(name).map(HeaderValue::as_bytes);
    RequestHead { method: request.method().as_str(), url, authority, header }
}

fn bare(answer: BareResponse) -> Response {
    response(answer.status(), answer.header().into_iter())
}

fn response<'h>(status: u16, headers: impl Iterator<Item = (&'static str, &'h str)>) -> Response {
    let mut response = Response::new();
    response
        .status_code(StatusCode::from_u16(status).unwrap_or_default())
        .body(ResBody::Once(Default::default()));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

static BACKGROUND: fn(BoxFuture<()>) = |future| {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(future);
    }
};
