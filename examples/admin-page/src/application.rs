//! The application that the page belongs to: a home page that counts visits, a sign-in, a sign-out.

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::context;
use session_axum::{Input, Redirect, Redirects, Session, SessionRejection, SignOut};

use crate::templates::{page, style};

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(home))
        .route("/sign-in", get(form).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/style.css", get(style))
}

async fn home(session: Session) -> Result<Response, SessionRejection> {
    let visits = session.increment("visits")?.to_string();
    let user = session.user().name();
    page(&session, "home.html", context! { visits, user })
}

async fn form(session: Session) -> Result<Response, SessionRejection> {
    // A browser may bring the cookie of a session that an administrator has ended. Here a new one begins.
    if session.status().ended() {
        session.regenerate()?;
    }
    page(&session, "sign_in.html", context! {})
}

async fn sign_in(redirects: Redirects, input: Input) -> Result<Redirect, SessionRejection> {
    let user = input.text("user").unwrap_or_default().trim();
    // A real application checks a password here.
    if user.is_empty() || user.len() > 64 {
        return Ok(redirects.to("/sign-in").with_errors([("user", "Enter a name of up to 64 letters")]));
    }
    let session = redirects.session();
    session.tag(user)?;
    session.user().confirm()?;
    Ok(redirects.intended("/"))
}

async fn sign_out(sign_out: SignOut) -> Result<axum::response::Redirect, SessionRejection> {
    sign_out.now().await?;
    Ok(axum::response::Redirect::to("/"))
}
