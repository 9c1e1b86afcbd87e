//! What the core says and wants to be told, in the words of `http`.

use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use session_core::adapter::{BareResponse, Failure, RequestHead, VisitReport};

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

/// A failure response that says nothing: not even a cache may keep it. For handlers whose session could not be opened.
///
/// ```
/// use session_hyper::{SessionRejection, plain};
///
/// let response = plain::<String>(SessionRejection::NoLayer.failure());
/// assert_eq!(response.status(), 500);
/// assert!(response.body().is_empty());
/// ```
pub fn plain<R: Default>(failure: Failure) -> Response<R> {
    response(failure.into())
}

pub(crate) fn response<R: Default>(answer: BareResponse) -> Response<R> {
    let mut response = Response::new(R::default());
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some((name, value)) = answer.header()
        && let Ok(value) = HeaderValue::from_str(value)
    {
        response.headers_mut().insert(name, value);
    }
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
