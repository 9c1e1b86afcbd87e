//! A chat whose sockets know who is signed in, and end when that person signs out.
//!
//! `cargo run -p live -- 127.0.0.1:8080`, then see the README.

mod chat;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::Form;
use axum::response::{Html, Redirect};
use axum::routing::{any, get, post};
use serde::Deserialize;
use session_axum::stores::MemoryStore;
use session_axum::{Cookie, SecretKey, Session, SessionLayer, SessionRejection, Sessions, SignOut};
use tokio::net::TcpListener;

use crate::chat::Room;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app()?).await?;
    Ok(())
}

fn app() -> Result<Router, Box<dyn std::error::Error>> {
    let sessions = Sessions::builder()
        .store(MemoryStore::new())
        .key(SecretKey::generate()?) // from the configuration, in a server that keeps its visitors
        .cookie(Cookie::insecure_http("sid"))
        .build()?;
    Ok(Router::new()
        .route("/", get(page))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/chat", any(chat::join))
        .with_state(Room::new(64))
        .layer(SessionLayer::new(sessions)))
}

async fn page(session: Session) -> Result<Html<&'static str>, SessionRejection> {
    Ok(Html(if session.has("user") { include_str!("chat.html") } else { include_str!("sign_in.html") }))
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
}

async fn sign_in(session: Session, Form(form): Form<SignIn>) -> Result<Redirect, SessionRejection> {
    session.regenerate()?;
    session.put("user", form.name.trim())?;
    Ok(Redirect::to("/"))
}

async fn sign_out(sign_out: SignOut) -> Result<Redirect, SessionRejection> {
    sign_out.now().await?;
    Ok(Redirect::to("/"))
}
