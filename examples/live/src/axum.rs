//! The chat on axum: two WebSockets, an event stream, and the forms.

use std::convert::Infallible;
use std::io;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, post};
use futures_util::stream;
use session_axum::{
    Input, ReadOnlySession, Redirect, Redirects, SameOrigin, Session, SessionLayer, SessionRejection,
    Sessions, SignOut, Visit,
};
use tokio::net::TcpListener;

use crate::room::{self, Listener, Room, Speaker};

pub(crate) async fn serve(listener: TcpListener, sessions: Sessions, room: Room) -> io::Result<()> {
    let app = Router::new()
        .route("/", get(page))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/chat", any(chat))
        .route("/watch", any(watch))
        .route("/events", get(events))
        .with_state(room)
        .layer(SessionLayer::new(sessions));
    axum::serve(listener, app).await
}

/// A WebSocket with a detached session, which it commits itself.
async fn chat(
    _: SameOrigin,
    upgrade: WebSocketUpgrade,
    State(room): State<Room>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, SessionRejection> {
    Ok(match room.enter(visit).await? {
        Some((listener, speaker)) => {
            upgrade.on_upgrade(async move |socket| talk(socket, listener, Some(speaker)).await)
        }
        None => StatusCode::UNAUTHORIZED.into_response(),
    })
}

/// A WebSocket with a read-only session, which receives messages only.
async fn watch(
    _: SameOrigin,
    upgrade: WebSocketUpgrade,
    State(room): State<Room>,
    Extension(visit): Extension<Visit>,
    session: ReadOnlySession,
) -> Response {
    match room.listener(visit, &session) {
        Some(listener) => upgrade.on_upgrade(async move |socket| talk(socket, listener, None).await),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// The same messages as server-sent events.
async fn events(
    State(room): State<Room>,
    Extension(visit): Extension<Visit>,
    session: ReadOnlySession,
) -> Response {
    let Some(listener) = room.listener(visit, &session) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let lines = stream::unfold(listener, async |mut listener| {
        let line = listener.hear().await?;
        Some((Ok::<_, Infallible>(Event::default().data(line)), listener))
    });
    Sse::new(lines).into_response()
}

async fn talk(mut socket: WebSocket, mut listener: Listener, speaker: Option<Speaker>) {
    loop {
        let goes_on = tokio::select! {
            line = listener.hear() => match line {
                Some(line) => socket.send(Message::text(line)).await.is_ok(),
                None => false,
            },
            message = socket.recv() => match (message, &speaker) {
                (Some(Ok(Message::Text(text))), Some(speaker)) => speaker.say(text.as_str()).await,
                (Some(Ok(Message::Close(_)) | Err(_)) | None, _) => false,
                (Some(Ok(_)), _) => true,
            },
        };
        if !goes_on {
            // The client may have disconnected.
            let _ = socket.send(Message::Close(None)).await;
            return;
        }
    }
}

async fn page(session: Session) -> Html<&'static str> {
    Html(room::page(&session))
}

async fn sign_in(redirects: Redirects, input: Input) -> Result<Redirect, SessionRejection> {
    room::sign_in(redirects.session(), input.text("name").unwrap_or_default())?;
    Ok(redirects.to("/"))
}

async fn sign_out(sign_out: SignOut) -> Result<axum::response::Redirect, SessionRejection> {
    sign_out.now().await?;
    Ok(axum::response::Redirect::to("/"))
}
