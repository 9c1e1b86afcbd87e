//! The extractor that opens a WebSocket for pages of this application only.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use session_web::OriginRules;

use crate::rejection::SessionRejection;
use crate::words;

/// Opens a WebSocket only for pages of this application: an extractor that answers 403 to the pages of other origins, which
/// browsers permit to open one with the visitor's cookies. A client that is no browser passes.
///
/// It trusts the origins that a [`Csrf`](crate::Csrf) around the route trusts.
///
/// ```
/// use actix_web::{HttpRequest, HttpResponse, web};
/// use session_actix::SameOrigin;
///
/// async fn chat(_: SameOrigin, request: HttpRequest, body: web::Payload) -> HttpResponse {
///     // Here `actix_ws::handle(&request, body)` makes the response.
///     # drop((request, body));
///     HttpResponse::SwitchingProtocols().finish()
/// }
/// # let _ = actix_web::App::new().route("/chat", web::get().to(chat));
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a check, with nothing in it")]
pub struct SameOrigin;

impl FromRequest for SameOrigin {
    type Error = SessionRejection;
    type Future = Ready<Result<Self, SessionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let rules: Arc<OriginRules> = request.extensions().get().cloned().unwrap_or_default();
        let checked = rules.same_origin(&words::head(request.head()));
        ready(checked.map(|()| Self).map_err(SessionRejection::from))
    }
}
