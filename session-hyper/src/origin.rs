//! The check that opens a WebSocket for pages of this application only.

use std::sync::Arc;

use http::Request;
use session_web::{OriginRules, request_head};

use crate::rejection::SessionRejection;

/// Checks that a WebSocket is opened by a page of this application. Browsers permit the pages of other origins to open one
/// with the visitor's cookies. A client that is no browser passes. Call it before the upgrade.
///
/// It trusts the origins that a [`CsrfService`](crate::CsrfService) around the service trusts.
///
/// # Errors
/// Another origin's page sent the request: 403.
///
/// ```
/// use http::Request;
/// use session_hyper::same_origin;
///
/// let request = Request::get("/chat").header("host", "shop.example");
/// let request = request.header("origin", "https://evil.example").body(()).unwrap();
/// assert_eq!(same_origin(&request).unwrap_err().0.status(), 403);
/// ```
pub fn same_origin<B>(request: &Request<B>) -> Result<(), SessionRejection> {
    let rules: Arc<OriginRules> = request.extensions().get().cloned().unwrap_or_default();
    Ok(rules.same_origin(&request_head(request.method(), request.uri(), request.headers()))?)
}
