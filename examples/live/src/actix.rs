//! The chat on actix-web: two WebSockets, an event stream, and the forms.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;

use actix_web::web::{self, Data, Payload, ReqData};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Responder};
use actix_ws::{Message, MessageStream};
use bytes::Bytes;
use futures_util::stream;
use session_actix::{
    Input, ReadOnlySession, Redirect, Redirects, SameOrigin, Session, SessionMiddleware, SessionRejection,
    Sessions, SignOut, Visit,
};

use crate::room::{self, Listener, Room, Speaker};

pub(crate) async fn serve(listener: TcpListener, sessions: Sessions, room: Room) -> io::Result<()> {
    let app = move || {
        App::new()
            .app_data(Data::new(room.clone()))
            .route("/", web::get().to(page))
            .route("/sign-in", web::post().to(sign_in))
            .route("/sign-out", web::post().to(sign_out))
            .route("/chat", web::get().to(chat))
            .route("/watch", web::get().to(watch))
            .route("/events", web::get().to(events))
            .wrap(SessionMiddleware::new(sessions.clone()))
    };
    HttpServer::new(app).workers(2).listen(listener)?.run().await
}

/// A WebSocket with a detached session, which it commits itself.
async fn chat(
    _: SameOrigin,
    request: HttpRequest,
    body: Payload,
    room: Data<Room>,
    visit: ReqData<Visit>,
) -> actix_web::Result<HttpResponse> {
    let entered = room.enter(visit.into_inner()).await.map_err(SessionRejection::from)?;
    let Some((listener, speaker)) = entered else { return Ok(HttpResponse::Unauthorized().finish()) };
    let (response, socket, messages) = actix_ws::handle(&request, body)?;
    actix_web::rt::spawn(talk(socket, messages, listener, Some(speaker)));
    Ok(response)
}

/// A WebSocket with a read-only session, which receives messages only.
async fn watch(
    _: SameOrigin,
    request: HttpRequest,
    body: Payload,
    room: Data<Room>,
    visit: ReqData<Visit>,
    session: ReadOnlySession,
) -> actix_web::Result<HttpResponse> {
    let Some(listener) = room.listener(visit.into_inner(), &session) else {
        return Ok(HttpResponse::Unauthorized().finish());
    };
    let (response, socket, messages) = actix_ws::handle(&request, body)?;
    actix_web::rt::spawn(talk(socket, messages, listener, None));
    Ok(response)
}

/// The same messages as server-sent events.
async fn events(room: Data<Room>, visit: ReqData<Visit>, session: ReadOnlySession) -> HttpResponse {
    let Some(listener) = room.listener(visit.into_inner(), &session) else {
        return HttpResponse::Unauthorized().finish();
    };
    let lines = stream::unfold(listener, async |mut listener| {
        let line = listener.hear().await?;
        Some((Ok::<_, Infallible>(Bytes::from(format!("data: {line}\n\n"))), listener))
    });
    let mut response = HttpResponse::Ok();
    response.content_type("text/event-stream").insert_header(("cache-control", "no-cache")).streaming(lines)
}

async fn talk(
    mut socket: actix_ws::Session,
    mut messages: MessageStream,
    mut listener: Listener,
    speaker: Option<Speaker>,
) {
    loop {
        let goes_on = tokio::select! {
            line = listener.hear() => match line {
                Some(line) => socket.text(line).await.is_ok(),
                None => false,
            },
            message = messages.recv() => match (message, &speaker) {
                (Some(Ok(Message::Text(text))), Some(speaker)) => speaker.say(&text).await,
                // axum answers pings by itself.
                (Some(Ok(Message::Ping(bytes))), _) => socket.pong(&bytes).await.is_ok(),
                (Some(Ok(Message::Close(_)) | Err(_)) | None, _) => false,
                (Some(Ok(_)), _) => true,
            },
        };
        if !goes_on {
            // The client may have disconnected.
            let _ = socket.close(None).await;
            return;
        }
    }
}

async fn page(session: Session) -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(room::page(&session))
}

async fn sign_in(redirects: Redirects, input: Input) -> Result<Redirect, SessionRejection> {
    room::sign_in(redirects.session(), input.text("name").unwrap_or_default())?;
    Ok(redirects.to("/"))
}

async fn sign_out(sign_out: SignOut) -> Result<impl Responder, SessionRejection> {
    sign_out.now().await?;
    Ok(web::Redirect::to("/").see_other())
}
