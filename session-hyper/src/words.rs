//! Conversions between the core's types and `http`'s: a request's head, responses, header changes.

use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use session_core::adapter::{BareResponse, Failure, OwnResponse, RequestHead, VisitReport};

pub(crate) fn head<'r>(
    method: &'r Method,
    uri: &'r Uri,
    headers: &'r HeaderMap,
) -> RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]> + Copy> {
    let url = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let authority = uri.authority().map(Authority::as_str);
    let header = |name| headers.get(name).map(HeaderValue::as_bytes);
    RequestHead { method: method.as_str(), url, authority, header }
}

/// An empty response with this failure's status, which no cache may keep. For [`SessionService::on_failure`].
///
/// [`SessionService::on_failure`]: crate::SessionService::on_failure
pub fn plain<R: Default>(failure: Failure) -> Response<R> {
    response(failure.into())
}

pub(crate) fn response<R: Default>(answer: BareResponse) -> Response<R> {
    with(answer, R::default())
}

/// Makes a response with this body.
pub(crate) fn with<R>(answer: BareResponse, body: R) -> Response<R> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some((name, value)) = answer.header()
        && let Ok(value) = HeaderValue::from_str(value)
    {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Makes a response of the library's own.
pub(crate) fn own<R>(own: OwnResponse, body: impl Fn(String) -> R) -> Response<R> {
    let status = StatusCode::from_u16(own.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers: HeaderMap = own
        .headers()
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?)))
        .fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        });
    let mut response = Response::new(body(own.into_body()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

pub(crate) fn add_headers(headers: &mut HeaderMap, report: &VisitReport) {
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
