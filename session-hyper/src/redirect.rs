//! Redirects that know the session: from a request, and as a response.

use http::{HeaderValue, Request, Response, StatusCode, header};
use session_core::{BoxFuture, Failure, Redirect, Redirects, Rejection};

use crate::request::RequestSession;
use crate::service::plain;

/// Opens the session of this request, and makes redirects that know it, and the page that the request came from.
///
/// The future owns what it needs, so the request may be taken apart while it runs.
///
/// # Errors
/// As for [`RequestSession::session`].
///
/// ```
/// use http::{Request, Response};
/// use session_hyper::{SessionRejection, redirects, respond};
///
/// async fn save<B>(request: Request<B>) -> Result<Response<String>, SessionRejection> {
///     let redirects = redirects(&request).await?;
///     Ok(respond(redirects.back("/").with("status", "Saved")))
/// }
/// # let _ = save(Request::new(()));
/// ```
pub fn redirects<B>(request: &Request<B>) -> BoxFuture<Result<Redirects, Rejection>> {
    let session = request.session();
    let header = |name| request.headers().get(name).cloned();
    let referer = header(header::REFERER);
    // HTTP/2 says the host in its URI.
    let authority = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    let host = authority.or_else(|| header(header::HOST));
    Box::pin(async move {
        let bytes = |value: &Option<HeaderValue>| value.as_ref().map(|value| value.as_bytes().to_vec());
        Ok(Redirects::new(session.await?, bytes(&referer).as_deref(), bytes(&host).as_deref()))
    })
}

/// The response of a redirect; a bare 500 if it would lead elsewhere, or if its messages could not be left.
/// [`Redirect::finish`] tells which.
///
/// ```
/// use session_hyper::{Redirects, Session, respond};
///
/// let redirects = Redirects::new(Session::standalone(), None, None);
/// let response = respond::<String>(redirects.to("/cart"));
/// assert_eq!((response.status().as_u16(), &response.headers()["location"]), (303, &"/cart".parse()?));
/// // What leads elsewhere is not sent.
/// assert_eq!(respond::<String>(redirects.to("//evil.example")).status(), 500);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn respond<R: Default>(redirect: Redirect) -> Response<R> {
    let Ok(finished) = redirect.finish() else { return plain(Failure::Internal) };
    let Ok(location) = HeaderValue::from_str(finished.location()) else { return plain(Failure::Internal) };
    let mut response = Response::new(R::default());
    *response.status_mut() = StatusCode::from_u16(finished.status()).unwrap_or(StatusCode::SEE_OTHER);
    response.headers_mut().insert(header::LOCATION, location);
    response
}
