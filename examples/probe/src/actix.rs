//! The probe under actix-web: its routes, and the extractor that each of them uses.

use std::io;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Payload, PayloadConfig, ReqData, ServiceConfig, get, post, route, scope};
use actix_web::{App, FromRequest as _, HttpRequest, HttpResponse, HttpServer, Responder, Route, guard};
use session_actix::{
    Input, ReadOnlySession, Session, SessionError, SessionMiddleware, SessionRejection, Visit,
};
use session_conformance::probe::{self, Answer, Application, Stats};
use session_conformance::script::{NotAScript, Script};

/// Serves the probe until `stopped`, then finishes the requests that it has begun.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) async fn serve(
    listener: tokio::net::TcpListener,
    application: Application,
    threads: Option<usize>,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stats, listener) = (application.stats.clone(), listener.into_std()?);
    let Application { sessions, stats: shown } = application;
    let workers = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    // A client that closes its side has gone, here as under hyper; else actix runs the handler to its end.
    let server = match sessions {
        Some(sessions) => HttpServer::new(move || {
            // `/healthz` and `/stats` are outside of the middleware: neither opens a session, even under `--eager`.
            let with_sessions = scope("").configure(routes).wrap(SessionMiddleware::new(sessions.clone()));
            App::new()
                .app_data(Data::new(shown.clone()))
                .app_data(PayloadConfig::new(LARGEST_BODY))
                .route("/healthz", get().to(ok))
                .route("/stats", get().to(show))
                .service(with_sessions)
        })
        .on_connect(move |_, _| stats.connected())
        .h1_allow_half_closed(false)
        .workers(workers)
        .disable_signals()
        .listen(listener)?
        .run(),
        None => HttpServer::new(move || {
            App::new().configure(|config: &mut ServiceConfig| baseline(config, &shown))
        })
        .on_connect(move |_, _| stats.connected())
        .h1_allow_half_closed(false)
        .workers(workers)
        .disable_signals()
        .listen(listener)?
        .run(),
    };
    tokio::spawn(stop(server.handle(), stopped));
    server.await
}

async fn stop(server: ServerHandle, stopped: impl Future<Output = ()>) {
    stopped.await;
    server.stop(true).await;
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/run", post().to(run))
        .route("/form", post().to(form))
        .route("/readonly", read().to(readonly))
        .route("/stream", read().to(stream))
        .route("/none", read().to(ok))
        .route("/read", read().to(async |session: Session| load(probe::read(&session))))
        .route("/hits", read().to(async |session: Session| load(probe::hits(&session))))
        .route("/write", read().to(async |session: Session| load(probe::write(&session))))
        .route("/login", read().to(async |session: Session| load(probe::login(&session))))
        .route("/logout", read().to(async |session: Session| load(probe::logout(&session))))
        .route("/rotate", read().to(async |session: Session| load(probe::rotate(&session))))
        .route("/slow", read().to(slow))
        .route("/late", read().to(late));
}

/// As on the other frameworks, a route for GET answers HEAD as well.
fn read() -> Route {
    route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

fn baseline(config: &mut ServiceConfig, stats: &Stats) {
    config
        .app_data(Data::new(stats.clone()))
        .route("/healthz", get().to(ok))
        .route("/stats", get().to(show))
        .default_service(get().to(async |request: HttpRequest| {
            probe::baseline(request.path()).map_or_else(|| HttpResponse::NotFound().finish(), reply)
        }));
}

async fn ok() -> impl Responder {
    reply(Answer::text("ok"))
}

async fn show(stats: Data<Stats>) -> HttpResponse {
    reply(Answer::json(stats.to_json()))
}

async fn run(session: Session, body: Bytes) -> HttpResponse {
    script(&session, Script::parse(&body)).await
}

/// Session first, form second, as under the other frameworks: as extractors, they would be asked at once.
async fn form(
    session: Session,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, SessionRejection> {
    Input::from_request(&request, &mut body.into_inner()).await?;
    Ok(script(&session, probe::script(query(&request))).await)
}

async fn readonly(session: ReadOnlySession, request: HttpRequest) -> HttpResponse {
    script(&session, probe::script(query(&request))).await
}

async fn stream(session: Session, request: HttpRequest) -> HttpResponse {
    match probe::script(query(&request)) {
        Ok(script) => HttpResponse::build(status(script.status()))
            .content_type("text/plain; charset=utf-8")
            .streaming(probe::stream(session.into_inner(), script)),
        Err(error) => reply(probe::unreadable(&error)),
    }
}

async fn slow(session: Session, request: HttpRequest) -> HttpResponse {
    load(probe::slow(&session, query(&request)).await)
}

async fn late(visit: ReqData<Visit>, request: HttpRequest) -> Result<HttpResponse, SessionRejection> {
    Ok(load(probe::late(&visit, query(&request)).await?))
}

async fn script(session: &session_core::Session, script: Result<Script, NotAScript>) -> HttpResponse {
    match script {
        Ok(script) => reply(probe::run(session, &script).await),
        Err(error) => reply(probe::unreadable(&error)),
    }
}

fn query(request: &HttpRequest) -> Option<&str> {
    request.uri().query()
}

fn load(done: Result<Answer, SessionError>) -> HttpResponse {
    reply(done.unwrap_or_else(|error| probe::failed(&error)))
}

fn reply(answer: Answer) -> HttpResponse {
    HttpResponse::build(status(answer.status)).content_type(answer.content_type).body(answer.body)
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or_default()
}

/// As large as axum's.
const LARGEST_BODY: usize = 2 * 1024 * 1024;
