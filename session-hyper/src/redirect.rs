//! Redirects that know the session: from a request, and as a response.

use http::{Request, Response};
use session_core::adapter::BoxFuture;
use session_web::{Redirect, Redirects, request_head};

use crate::rejection::SessionRejection;

/// Opens the session of this request, and returns what creates redirects that know it and the page that the request came
/// from.
///
/// The future owns what it needs, so the request may be taken apart while it runs.
///
/// # Errors
/// As for [`RequestSession::session`](crate::RequestSession::session).
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
pub fn redirects<B>(request: &Request<B>) -> BoxFuture<Result<Redirects, SessionRejection>> {
    let head = request_head(request.method(), request.uri(), request.headers());
    let redirects = Redirects::of_request(request.extensions().get(), &head);
    Box::pin(async move { Ok(redirects.await?) })
}

/// The response of a redirect: 500 if its target leaves the site, or if its messages could not be left.
/// [`Redirect::finish`] returns that error.
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
    SessionRejection::from(redirect).into_response()
}
