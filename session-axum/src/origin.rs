//! The extractor that opens a WebSocket for pages of this application only.

use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use session_web::{OriginRules, request_head};

use crate::rejection::SessionRejection;

/// Opens a WebSocket only for pages of this application: an extractor that answers 403 to the pages of other origins, which
/// browsers permit to open one with the visitor's cookies. A client that is no browser passes.
///
/// It trusts the origins that a [`CsrfLayer`](crate::CsrfLayer) around the route trusts.
///
/// ```
/// use axum::{Router, extract::ws::WebSocketUpgrade, response::Response, routing::any};
/// use session_axum::SameOrigin;
///
/// async fn chat(_: SameOrigin, upgrade: WebSocketUpgrade) -> Response {
///     upgrade.on_upgrade(async |socket| drop(socket))
/// }
/// # let _: Router = Router::new().route("/chat", any(chat));
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a check, with nothing in it")]
pub struct SameOrigin;

impl<S: Sync> FromRequestParts<S> for SameOrigin {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let rules: Arc<OriginRules> = parts.extensions.get().cloned().unwrap_or_default();
        rules.same_origin(&request_head(&parts.method, &parts.uri, &parts.headers))?;
        Ok(Self)
    }
}
