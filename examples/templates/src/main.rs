//! A sign-up form at `/minijinja`, `/askama` and `/tera`, with the same page, errors and old input.

mod render;

use std::error::Error;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use session_axum::stores::MemoryStore;
use session_axum::{
    Cookie, CsrfLayer, Input, Redirect, Redirects, SecretKey, Session, SessionLayer, SessionRejection,
    Sessions,
};

use render::Engine;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sessions = Sessions::builder()
        .store(MemoryStore::default())
        .key(SecretKey::generate()?)
        .cookie(Cookie::insecure_http("sid"))
        .build()?;
    let form = |engine: Engine| get(async move |session: Session| page(engine, &session)).post(sign_up);
    let app = Router::new()
        .route("/minijinja", form(render::minijinja))
        .route("/askama", form(render::askama))
        .route("/tera", form(render::tera))
        .layer(CsrfLayer::new())
        .layer(SessionLayer::new(sessions));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}/minijinja", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

fn page(engine: Engine, session: &Session) -> Result<Response, SessionRejection> {
    session.increment("visits")?;
    let view = session.csrf().view()?;
    Ok(match engine(&view) {
        Ok(html) => Html(html).into_response(),
        // A template that does not render is a bug of the application, so the visitor receives no details.
        Err(error) => {
            eprintln!("{error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    })
}

async fn sign_up(redirects: Redirects, input: Input) -> Redirect {
    let mut errors = Vec::new();
    if !input.text("email").is_some_and(|email| email.contains('@')) {
        errors.push(("email", "This is no address"));
    }
    if input.text("address.city").is_none_or(str::is_empty) {
        errors.push(("address.city", "We need to know where to send it"));
    }
    let back = redirects.back("/minijinja");
    if errors.is_empty() { back.with("status", "Thank you!") } else { back.with_errors(errors).with_input() }
}
