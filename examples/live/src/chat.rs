//! The socket: who speaks is what the session says, and when the session ends the socket does.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use session_axum::core::Session;
use session_axum::{SessionRejection, Visit};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{MissedTickBehavior, interval};

/// What everybody in the room hears.
pub(crate) type Room = broadcast::Sender<String>;

/// Opens a socket for whoever is signed in; 401 for all others.
///
/// It takes the [`Visit`], not a `Session`: the handler's session closes with the response, and the response of a
/// WebSocket is its first word. A detached session belongs to the socket.
pub(crate) async fn join(
    upgrade: WebSocketUpgrade,
    State(room): State<Room>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, SessionRejection> {
    let session = visit.detached().await?;
    let Some(name) = session.get::<String>("user")? else {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    };
    Ok(upgrade.on_upgrade(async move |socket| talk(socket, room, visit, session, name).await))
}

async fn talk(mut socket: WebSocket, room: Room, visit: Visit, session: Session, name: String) {
    let mut heard = room.subscribe();
    let mut look_again = interval(LOOK_AGAIN);
    look_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let said = tokio::select! {
            line = heard.recv() => match line {
                Ok(line) => socket.send(Message::text(line)).await.is_ok(),
                Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => false,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => say(&room, &session, &name, text.as_str()).await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => false,
                Some(Ok(_)) => true,
            },
            _ = look_again.tick() => is_signed_in(&visit, &name).await,
        };
        if !said {
            // The client may be gone already.
            let _ = socket.send(Message::Close(None)).await;
            return;
        }
    }
}

/// Says a line, and counts it in the session. The commit is what finds out first that the session has ended: it never
/// revives one.
async fn say(room: &Room, session: &Session, name: &str, text: &str) -> bool {
    if session.increment("said").is_err() || session.commit().await.is_err() {
        return false;
    }
    // Nobody listens when the last one has left.
    let _ = room.send(format!("{name}: {text}"));
    true
}

/// Looks again, with a load of its own: this finds a sign-out elsewhere, even if nobody speaks. A failing store is no
/// sign-out.
async fn is_signed_in(visit: &Visit, name: &str) -> bool {
    match visit.detached().await {
        Ok(session) => session.get::<String>("user").is_ok_and(|user| user.as_deref() == Some(name)),
        Err(_) => true,
    }
}

/// How long a socket may outlive its session in silence.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
