//! Conversions between the core's types and actix's: a request's head, responses, header changes.

use actix_web::HttpResponse;
use actix_web::dev::RequestHead as Head;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::uri::{Authority, PathAndQuery};
use session_core::adapter::{BareResponse, OwnResponse, RequestHead, VisitReport};

pub(crate) fn head<'r>(head: &'r Head) -> RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]> + Copy> {
    let url = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let authority = head.uri.authority().map(Authority::as_str);
    let header = |name| head.headers.get(name).map(HeaderValue::as_bytes);
    RequestHead { method: head.method.as_str(), url, authority, header }
}

pub(crate) fn response(answer: BareResponse) -> HttpResponse {
    let mut response = HttpResponse::build(status(answer.status()));
    if let Some(header) = answer.header() {
        response.insert_header(header);
    }
    response.finish()
}

/// Makes a response of the library's own.
pub(crate) fn own(own: OwnResponse) -> HttpResponse {
    let mut response = HttpResponse::build(status(own.status()));
    for header in own.headers() {
        response.append_header(header);
    }
    response.body(own.into_body())
}

pub(crate) fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

pub(crate) fn add_headers(headers: &mut HeaderMap, report: &VisitReport) {
    let changes = report.headers(|name| headers.get_all(name).map(HeaderValue::as_bytes));
    for change in changes.into_iter().flatten() {
        if change.replaces() {
            headers.remove(change.name());
        }
        if let Ok(value) = HeaderValue::from_str(change.value()) {
            headers.append(HeaderName::from_static(change.name()), value);
        }
    }
}
