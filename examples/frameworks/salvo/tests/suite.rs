//! The adapter suite on salvo, HTTP/1.1 and HTTP/2, with sessions in memory and in cookies.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use salvo::conn::tcp::TcpAcceptor;
use salvo::http::header::CONTENT_TYPE;
use salvo::http::{HeaderValue, ResBody, StatusCode};
use salvo::{Depot, Request, Response, Router, Server, Service, handler};
use salvo_sessions::{SessionHoop, SessionRejection, input, visit};
use session_conformance::adapter::{self, Place};
use session_conformance::probe::{self, Answer, Application, Stats};
use session_conformance::script::{NotAScript, Script};
use session_core::Session;
use tokio::sync::oneshot;

fn service(application: Application) -> Service {
    let sessions = SessionHoop::new(application.sessions.unwrap());
    let routes = Router::new()
        .push(Router::with_path("none").get(none).head(none))
        .push(Router::with_path("run").post(run))
        .push(Router::with_path("form").post(form))
        .push(Router::with_path("readonly").get(read_only))
        .push(Router::with_path("stream").get(stream))
        .push(Router::with_path("late").get(late))
        .push(Router::with_path("{load}").get(load).head(load));
    let outside = Router::new()
        .push(Router::with_path("healthz").get(none))
        .push(Router::with_path("stats").get(Shown(application.stats)));
    let is_inside = |request: &Request, _: &Depot| !matches!(request.uri().path(), "/healthz" | "/stats");
    Service::new(Router::new().push(outside).push(routes)).hoop_when(sessions, is_inside)
}

#[handler]
async fn none(response: &mut Response) {
    reply(response, Answer::text("ok"));
}

struct Shown(Stats);

#[handler]
impl Shown {
    async fn handle(&self, response: &mut Response) {
        reply(response, Answer::json(self.0.to_json()));
    }
}

#[handler]
async fn run(request: &mut Request, response: &mut Response) -> Result<(), SessionRejection> {
    let session = visit(request)?.session().await?;
    match request.payload_with_max_size(LARGEST_BODY).await {
        Ok(body) => {
            let script = Script::parse(body);
            run_script(response, &session, script).await;
        }
        Err(_) => drop(response.status_code(StatusCode::PAYLOAD_TOO_LARGE)),
    }
    Ok(())
}

#[handler]
async fn form(request: &mut Request, response: &mut Response) -> Result<(), SessionRejection> {
    let session = visit(request)?.session().await?;
    input(request).await?;
    run_script(response, &session, probe::script(request.uri().query())).await;
    Ok(())
}

#[handler]
async fn read_only(request: &mut Request, response: &mut Response) -> Result<(), SessionRejection> {
    let session = visit(request)?.read_only().await?;
    run_script(response, &session, probe::script(request.uri().query())).await;
    Ok(())
}

#[handler]
async fn stream(request: &mut Request, response: &mut Response) -> Result<(), SessionRejection> {
    let session = visit(request)?.session().await?;
    match probe::script(request.uri().query()) {
        Err(error) => reply(response, probe::unreadable(&error)),
        Ok(script) => {
            response.status_code(StatusCode::from_u16(script.status()).unwrap());
            response.stream(probe::stream(session, script));
        }
    }
    Ok(())
}

#[handler]
async fn late(request: &mut Request, response: &mut Response) -> Result<(), SessionRejection> {
    let done = probe::late(&visit(request)?, request.uri().query()).await?;
    reply(response, done.unwrap_or_else(|error| probe::failed(&error)));
    Ok(())
}

#[handler]
async fn load(request: &mut Request, response: &mut Response) -> Result<(), SessionRejection> {
    let session = visit(request)?.session().await?;
    let done = match request.uri().path() {
        "/read" => probe::read(&session),
        "/hits" => probe::hits(&session),
        "/write" => probe::write(&session),
        "/login" => probe::login(&session),
        "/logout" => probe::logout(&session),
        "/rotate" => probe::rotate(&session),
        "/slow" => probe::slow(&session, request.uri().query()).await,
        _ => {
            response.status_code(StatusCode::NOT_FOUND);
            return Ok(());
        }
    };
    reply(response, done.unwrap_or_else(|error| probe::failed(&error)));
    Ok(())
}

async fn run_script(response: &mut Response, session: &Session, script: Result<Script, NotAScript>) {
    let answer = match script {
        Ok(script) => probe::run(session, &script).await,
        Err(error) => probe::unreadable(&error),
    };
    reply(response, answer);
}

fn reply(response: &mut Response, answer: Answer) {
    response.status_code(StatusCode::from_u16(answer.status).unwrap());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    response.body(ResBody::Once(answer.body.into()));
}

async fn start(application: Application) -> adapter::Server {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // Dropped with the server's guard, the sender stops the server.
    let (guard, over) = oneshot::channel::<()>();
    let server = Server::new(TcpAcceptor::try_from(listener).unwrap());
    let handle = server.handle();
    tokio::spawn(server.try_serve(service(application)));
    tokio::spawn(async move {
        drop(over.await);
        handle.stop_graceful(None);
    });
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
