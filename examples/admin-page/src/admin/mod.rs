//! The page for administrators: counts sessions, lists those of a user, shows the life of one, and ends them.
//!
//! Everything here uses the public API of the library, so it works over any store that has an owner index. The trail alone
//! is kept by this process: what it has seen of a session.

mod life;
mod pages;
mod timeline;
mod trail;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use session_axum::{Recent, Sessions};
use session_core::adapter::Clock;

pub(crate) use trail::Trail;

/// What the page works with.
#[derive(Clone)]
pub(crate) struct Desk {
    sessions: Sessions,
    trail: Trail,
    clock: Arc<dyn Clock>,
    admins: Arc<[String]>,
}

impl Desk {
    pub(crate) fn new(sessions: Sessions, trail: Trail, clock: Arc<dyn Clock>, admins: Vec<String>) -> Self {
        Self { sessions, trail, clock, admins: admins.into() }
    }
}

pub(crate) fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/", get(pages::overview))
        .route("/user", get(pages::user))
        .route("/session", get(pages::session))
        .route("/end", post(pages::end))
        .route("/end-all", post(pages::end_all))
        .with_state(desk)
}

/// A user who is an administrator and has signed in within the last hour. A stranger is sent to the sign-in page of the
/// application; for any other user, the page does not exist.
pub(crate) struct Administrator(String);

impl FromRequestParts<Desk> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Response> {
        let user = Recent::<60>::from_request_parts(parts, desk).await;
        let user = user.map_err(IntoResponse::into_response)?.into_name();
        match desk.admins.contains(&user) {
            true => Ok(Self(user)),
            false => Err(StatusCode::NOT_FOUND.into_response()),
        }
    }
}
