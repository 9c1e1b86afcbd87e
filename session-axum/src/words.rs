//! Conversions between the core's types and `http`'s: a request's head, responses, header changes.

use axum_core::body::Body;
use axum_core::response::{AppendHeaders, IntoResponse, Response};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
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

pub(crate) fn add_headers(headers: &mut HeaderMap, report: VisitReport) {
    let present = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let vary = report.needs_vary(present(header::VARY));
    let cache_control = report.cache_control(present(header::CACHE_CONTROL));
    if vary {
        headers.append(header::VARY, HeaderValue::from_static(report.vary()));
    }
    if let Some(directives) = cache_control {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(directives));
    }
    // The text becomes the header as it stands: nothing is copied.
    let cookies = [report.set_cookie, report.set_touch, report.set_bound, report.xsrf_cookie];
    let cookies = cookies.into_iter().flatten();
    for cookie in cookies.flat_map(HeaderValue::try_from) {
        headers.append(header::SET_COOKIE, cookie);
    }
    if report.clear_site_data {
        let value = HeaderValue::from_static(VisitReport::CLEAR_SITE_DATA);
        headers.insert(HeaderName::from_static("clear-site-data"), value);
    }
    if let Some(Ok(offer)) = report.registration.map(HeaderValue::try_from) {
        headers.append("secure-session-registration", offer);
    }
    if let Some((name, token)) = report.set_token
        && let Ok(token) = HeaderValue::try_from(token)
    {
        headers.insert(HeaderName::from_static(name), token);
    }
}
