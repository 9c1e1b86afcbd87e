//! Conversions between the core's types and `http`'s: a request's head, responses, header changes.

use axum_core::body::Body;
use axum_core::response::{AppendHeaders, IntoResponse, Response};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use session_core::adapter::{BareResponse, OwnResponse, RequestHead, VisitReport};

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

pub(crate) fn response(answer: BareResponse) -> Response {
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, AppendHeaders(answer.header())).into_response()
}

/// Makes a response of the library's own.
pub(crate) fn own(own: OwnResponse) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(own.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in own.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().append(name, value);
        }
    }
    *response.body_mut() = Body::from(own.into_body());
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
