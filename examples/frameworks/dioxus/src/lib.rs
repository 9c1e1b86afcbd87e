//! Dioxus server functions with sessions: the extractors of `session-axum` stand beside the path.
#![expect(
    unreachable_pub,
    reason = "the macros of server functions put them into functions of the same visibility"
)]

use dioxus::prelude::*;
#[cfg(feature = "server")]
use dioxus::server::{FullstackState, axum::Router};
#[cfg(feature = "server")]
use session_axum::{CsrfLayer, Session, SessionLayer, SessionRejection, Sessions, SignOut};

/// Signs in, after the password has been verified.
#[post("/api/sign-in", session: Session)]
pub async fn sign_in(name: String) -> Result<(), ServerFnError> {
    session.tag(&name).map_err(refused)?;
    session.put("name", name).map_err(refused)
}

/// Counts, and says for whom.
#[post("/api/count", session: Session)]
pub async fn count() -> Result<(Option<String>, u64), ServerFnError> {
    session.increment("hits").map_err(refused)?;
    Ok((session.get("name").map_err(refused)?, session.get_or("hits", 0).map_err(refused)?))
}

/// Signs out.
#[post("/api/sign-out", sign_out: SignOut)]
pub async fn leave() -> Result<(), ServerFnError> {
    sign_out.now().await.map_err(refused)
}

/// The server functions, with sessions and CSRF protection around them. An application with pages begins with
/// `dioxus::server::router(app)` and adds the same layers.
#[cfg(feature = "server")]
pub fn app(sessions: Sessions) -> Router {
    Router::new()
        .register_server_functions()
        .layer(CsrfLayer::new())
        .layer(SessionLayer::new(sessions))
        .with_state(FullstackState::headless())
}

/// Every error of the library, with its status. The reason goes to the log, not to the client.
#[cfg(feature = "server")]
fn refused(error: impl Into<SessionRejection>) -> ServerFnError {
    let code = error.into().0.response().status();
    ServerFnError::ServerError { message: "the session is not available".to_owned(), code, details: None }
}
