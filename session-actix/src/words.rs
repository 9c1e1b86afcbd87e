//! What the core says and wants to be told, in actix's words: a request's head, its answers, and its header changes.

use actix_web::dev::RequestHead as Head;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::uri::{Authority, PathAndQuery};
use actix_web::{HttpResponse, ResponseError};
use session_core::adapter::{BareResponse, Rejection, RequestHead, VisitReport};

/// A handler asked for a session and cannot have one, or asked something of it that it refused.
///
/// Handlers may return it: `?` makes one of every error of a session.
///
/// ```
/// use session_actix::{Session, SessionRejection};
///
/// async fn sign_in(session: Session) -> Result<&'static str, SessionRejection> {
///     session.regenerate()?;
///     session.put("user", 42)?;
///     Ok("welcome")
/// }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct SessionRejection(pub Rejection);

/// Of `OpenError`, `SessionError`, `CommitError` and the core's `Rejection` itself.
impl<E: Into<Rejection>> From<E> for SessionRejection {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl ResponseError for SessionRejection {
    fn status_code(&self) -> StatusCode {
        status(self.0.status())
    }

    fn error_response(&self) -> HttpResponse {
        response(BareResponse::from(&self.0))
    }
}

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

fn status(code: u16) -> StatusCode {
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
