//! The probe under axum: its routes, and the extractor that each of them uses.

use std::io;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, FromRequestParts, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{Response, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use session_axum::{Input, ReadOnlySession, Session, SessionError, SessionLayer, SessionRejection, Visit};
use session_conformance::probe::{self, Answer, Application, Stats};
use session_conformance::script::{NotAScript, Script};

/// Serves the probe until `stopped`, then finishes the requests that it has begun.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) async fn serve(
    listener: tokio::net::TcpListener,
    application: Application,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let stats = application.stats.clone();
    let listener = listener.tap_io(move |_| stats.connected());
    axum::serve(listener, router(application)).with_graceful_shutdown(stopped).await
}

/// The routes, with sessions around them or without.
pub(crate) fn router(application: Application) -> Router {
    let stats = application.stats;
    let Some(sessions) = application.sessions else {
        return bare().with_state(stats);
    };
    Router::new()
        .route("/run", post(run))
        .route("/form", post(form))
        .route("/readonly", get(readonly))
        .route("/stream", get(stream))
        .route("/none", get("ok"))
        .route("/read", get(async |session: Session| load(probe::read(&session))))
        .route("/hits", get(async |session: Session| load(probe::hits(&session))))
        .route("/write", get(async |session: Session| load(probe::write(&session))))
        .route("/login", get(async |session: Session| load(probe::login(&session))))
        .route("/logout", get(async |session: Session| load(probe::logout(&session))))
        .route("/rotate", get(async |session: Session| load(probe::rotate(&session))))
        .route("/slow", get(slow))
        .route("/late", get(late))
        .layer(SessionLayer::new(sessions))
        // Outside of the layer: neither opens a session, even under `--eager`.
        .route("/healthz", get("ok"))
        .route("/stats", get(show))
        .with_state(stats)
}

/// The same routes without sessions, each with an extractor that waits for nothing and finds nothing, so that what is
/// compared is sessions and not the framework's own routing.
fn bare() -> Router<Stats> {
    let routes =
        Router::new().route("/healthz", get("ok")).route("/stats", get(show)).route("/none", get("ok"));
    let loads = ["/read", "/hits", "/write", "/login", "/logout", "/rotate", "/slow", "/late"];
    loads.into_iter().fold(routes, |routes, path| {
        let missing = || StatusCode::NOT_FOUND.into_response();
        routes.route(path, get(async move |_: Nobody| probe::baseline(path).map_or_else(missing, reply)))
    })
}

/// What a handler takes where the others take a session.
struct Nobody;

impl<S: Sync> FromRequestParts<S> for Nobody {
    type Rejection = SessionRejection;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Ok(Self)
    }
}

async fn show(State(stats): State<Stats>) -> Response<Body> {
    reply(Answer::json(stats.to_json()))
}

async fn run(session: Session, body: Bytes) -> Response<Body> {
    script(&session, Script::parse(&body)).await
}

/// The extractor has read the form and told the session of it.
async fn form(session: Session, RawQuery(query): RawQuery, _: Input) -> Response<Body> {
    script(&session, probe::script(query.as_deref())).await
}

async fn readonly(session: ReadOnlySession, RawQuery(query): RawQuery) -> Response<Body> {
    script(&session, probe::script(query.as_deref())).await
}

async fn stream(session: Session, RawQuery(query): RawQuery) -> Response<Body> {
    match probe::script(query.as_deref()) {
        Ok(script) => {
            let status = StatusCode::from_u16(script.status()).unwrap_or_default();
            let body = Body::from_stream(probe::stream(session.into_inner(), script));
            (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
        }
        Err(error) => reply(probe::unreadable(&error)),
    }
}

async fn slow(session: Session, RawQuery(query): RawQuery) -> Response<Body> {
    load(probe::slow(&session, query.as_deref()).await)
}

async fn late(Extension(visit): Extension<Visit>, RawQuery(query): RawQuery) -> Response<Body> {
    match probe::late(&visit, query.as_deref()).await {
        Ok(done) => load(done),
        Err(error) => SessionRejection::from(error).into_response(),
    }
}

async fn script(session: &session_core::Session, script: Result<Script, NotAScript>) -> Response<Body> {
    match script {
        Ok(script) => reply(probe::run(session, &script).await),
        Err(error) => reply(probe::unreadable(&error)),
    }
}

fn load(done: Result<Answer, SessionError>) -> Response<Body> {
    reply(done.unwrap_or_else(|error| probe::failed(&error)))
}

fn reply(answer: Answer) -> Response<Body> {
    let status = StatusCode::from_u16(answer.status).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, answer.content_type)], answer.body).into_response()
}
