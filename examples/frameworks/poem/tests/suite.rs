//! The adapter suite on poem, HTTP/1.1 and HTTP/2, with sessions in memory and in cookies.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use futures_util::StreamExt as _;
use poem::http::StatusCode;
use poem::listener::TcpAcceptor;
use poem::web::Data;
use poem::{Body, Endpoint, EndpointExt as _, Request, Response, Route, Server, get, handler, post};
use poem_sessions::{Input, Session, SessionMiddleware, SessionRejection};
use session_conformance::adapter::{self, Place};
use session_conformance::probe::{self, Answer, Application};
use session_conformance::script::{NotAScript, Script};
use session_core::adapter::Visit;
use tokio::sync::oneshot;

type Result = poem::Result<Response>;

fn routes(application: Application) -> impl Endpoint {
    let stats = application.stats;
    let sessions = application.sessions.unwrap();
    let routes = Route::new()
        .at("/none", get(none))
        .at("/run", post(run))
        .at("/form", post(form))
        .at("/readonly", get(read_only))
        .at("/stream", get(stream))
        .at("/late", get(late))
        .at("/*path", get(load));
    Route::new()
        .at("/healthz", get(none))
        .at("/stats", get(shown.data(stats)))
        .nest("/", routes.with(SessionMiddleware::new(sessions)))
}

#[handler]
fn none() -> Response {
    reply(Answer::text("ok"))
}

#[handler]
fn shown(Data(stats): Data<&probe::Stats>) -> Response {
    reply(Answer::json(stats.to_json()))
}

#[handler]
async fn run(Session(session): Session, body: Body) -> Result {
    let body = body.into_bytes_limit(LARGEST_BODY).await?;
    Ok(run_script(&session, Script::parse(&body)).await)
}

#[handler]
async fn form(request: &Request, Session(session): Session, _input: Input) -> Response {
    run_script(&session, probe::script(request.uri().query())).await
}

#[handler]
async fn read_only(request: &Request, Data(visit): Data<&Visit>) -> Result {
    let session = visit.read_only().await.map_err(SessionRejection::from)?;
    Ok(run_script(&session, probe::script(request.uri().query())).await)
}

#[handler]
fn stream(request: &Request, Session(session): Session) -> Response {
    match probe::script(request.uri().query()) {
        Err(error) => reply(probe::unreadable(&error)),
        Ok(script) => {
            let status = StatusCode::from_u16(script.status()).unwrap();
            let body = probe::stream(session, script).map(|chunk| chunk.map_err(std::io::Error::other));
            Response::builder()
                .status(status)
                .content_type("text/plain; charset=utf-8")
                .body(Body::from_bytes_stream(body))
        }
    }
}

#[handler]
async fn late(request: &Request, Data(visit): Data<&Visit>) -> Result {
    let done = probe::late(visit, request.uri().query()).await.map_err(SessionRejection::from)?;
    Ok(reply(done.unwrap_or_else(|error| probe::failed(&error))))
}

#[handler]
async fn load(request: &Request, Session(session): Session) -> Response {
    let done = match request.original_uri().path() {
        "/read" => probe::read(&session),
        "/hits" => probe::hits(&session),
        "/write" => probe::write(&session),
        "/login" => probe::login(&session),
        "/logout" => probe::logout(&session),
        "/rotate" => probe::rotate(&session),
        "/slow" => probe::slow(&session, request.uri().query()).await,
        _ => return StatusCode::NOT_FOUND.into(),
    };
    reply(done.unwrap_or_else(|error| probe::failed(&error)))
}

async fn run_script(
    session: &session_core::Session,
    script: std::result::Result<Script, NotAScript>,
) -> Response {
    reply(match script {
        Ok(script) => probe::run(session, &script).await,
        Err(error) => probe::unreadable(&error),
    })
}

fn reply(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap();
    Response::builder().status(status).content_type(answer.content_type).body(answer.body)
}

async fn start(application: Application) -> adapter::Server {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // Dropped with the server's guard, the sender stops the server.
    let (guard, over) = oneshot::channel::<()>();
    let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener).unwrap());
    let stopped = async move { drop(over.await) };
    tokio::spawn(server.run_with_graceful_shutdown(routes(application), stopped, None));
    adapter::Server::new(address, guard).with_http2()
}

const LARGEST_BODY: usize = 2 * 1024 * 1024;

mod in_memory {
    async fn place() -> super::Place {
        super::Place::store(session_store_memory::MemoryStore::new(), ())
    }

    session_conformance::adapter_suite!(super::start, place);
}

mod in_cookies {
    async fn place() -> super::Place {
        super::Place::cookie()
    }

    session_conformance::adapter_suite!(super::start, place);
}
