//! Conversions between the core's types and those of the crate `http`, for adapters of frameworks that use it.

use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use session_core::adapter::{BareResponse, OwnResponse, RequestHead, VisitReport};

/// Returns the head of a request, as the core reads it.
pub fn request_head<'r>(
    method: &'r Method,
    uri: &'r Uri,
    headers: &'r HeaderMap,
) -> RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]> + Copy> {
    let url = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let authority = uri.authority().map(Authority::as_str);
    let header = |name| headers.get(name).map(HeaderValue::as_bytes);
    RequestHead { method: method.as_str(), url, authority, header }
}

/// Makes a response without a body: of a redirect, a rejection, or a failed commit.
#[must_use]
pub fn bare_response<R: Default>(bare: BareResponse) -> Response<R> {
    response(bare.status(), bare.header(), R::default())
}

/// Makes a response of the library's own, whose body `body` makes of its text.
pub fn own_response<R>(own: OwnResponse, body: impl FnOnce(String) -> R) -> Response<R> {
    let head = response(own.status(), own.headers(), ());
    head.map(|()| body(own.into_body()))
}

/// Adds the headers of a closed visit to those of a response.
pub fn add_headers(headers: &mut HeaderMap, report: &VisitReport) {
    let changes = report.headers(|name| headers.get_all(name).iter().map(HeaderValue::as_bytes));
    for change in changes.into_iter().flatten() {
        if change.replaces() {
            headers.remove(change.name());
        }
        append(headers, change.name(), change.value());
    }
}

fn response<'h, R>(
    status: u16,
    headers: impl IntoIterator<Item = (&'static str, &'h str)>,
    body: R,
) -> Response<R> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        append(response.headers_mut(), name, value);
    }
    response
}

fn append(headers: &mut HeaderMap, name: &'static str, value: &str) {
    // The core's values are visible ASCII, which never fails.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.append(name, value);
    }
}
