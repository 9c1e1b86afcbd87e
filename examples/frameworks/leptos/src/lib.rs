//! Leptos server functions with sessions: the visit is in the parts of the request, which `leptos_axum` gives as context.
#![expect(
    missing_docs,
    reason = "`#[server]` generates a struct from the arguments, whose fields cannot be documented"
)]

use axum::Router;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::post;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use session_axum::session_core::Session;
use session_axum::{CsrfLayer, Rejection, SessionLayer, Sessions, Visit};

/// Signs in, after the password has been verified.
#[server(endpoint = "sign-in")]
pub async fn sign_in(name: String) -> Result<(), ServerFnError> {
    let session = session().await?;
    session.tag(&name).map_err(refused)?;
    session.put("name", name).map_err(refused)
}

/// Counts, and says for whom.
#[server(endpoint = "count")]
pub async fn count() -> Result<(Option<String>, u64), ServerFnError> {
    let session = session().await?;
    session.increment("hits").map_err(refused)?;
    Ok((session.get("name").map_err(refused)?, session.get_or("hits", 0).map_err(refused)?))
}

/// Signs out.
#[server(endpoint = "sign-out")]
pub async fn sign_out() -> Result<(), ServerFnError> {
    visit()?.destroy().await.map_err(refused)
}

/// The server functions, with sessions and CSRF protection around them. Pages (`leptos_routes`) go inside of the layers, too.
pub fn app(sessions: Sessions) -> Router {
    Router::new()
        .route("/api/{*name}", post(leptos_axum::handle_server_fns))
        .layer(CsrfLayer::new())
        .layer(SessionLayer::new(sessions))
}

async fn session() -> Result<Session, ServerFnError> {
    visit()?.session().await.map_err(refused)
}

/// `leptos_axum::extract` works as well, but sends the client the `Debug` text of what went wrong, with the status 500.
fn visit() -> Result<Visit, ServerFnError> {
    let visit = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Visit>().cloned());
    visit.ok_or_else(|| refused(Rejection::NoLayer))
}

/// Every error of the library, with its status. The reason goes to the log.
fn refused(error: impl Into<Rejection>) -> ServerFnError {
    let status = StatusCode::from_u16(error.into().response().status()).unwrap_or_default();
    if let Some(options) = use_context::<ResponseOptions>() {
        options.set_status(status);
    }
    ServerFnError::new("the session is not available")
}
