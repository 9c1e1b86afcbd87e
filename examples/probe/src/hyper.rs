//! The probe under hyper alone: one function from request to response, HTTP/1.1 and HTTP/2 on the same port.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::{Service as _, service_fn};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use session_conformance::probe::{self, Answer, Application, Stats};
use session_conformance::script::Script;
use session_hyper::{Input, RequestSession as _, SessionRejection, SessionService};

type Reply = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Serves the probe until `stopped`, then finishes the requests that it has begun.
///
/// # Errors
/// When a connection cannot be accepted.
pub(crate) async fn serve(
    listener: tokio::net::TcpListener,
    application: Application,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let Application { sessions, stats } = application;
    let connections = GracefulShutdown::new();
    let mut stopped = pin!(stopped);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted?.0,
            () = &mut stopped => break,
        };
        stats.connected();
        let shown = stats.clone();
        let server = Builder::new(TokioExecutor::new());
        let io = TokioIo::new(stream);
        // An error here is the client's: it sent no HTTP, or went away.
        match sessions.clone() {
            Some(sessions) => {
                let with_sessions = SessionService::with_bodies(sessions, service_fn(answer), |text| {
                    Full::from(text).boxed_unsync()
                });
                // `/healthz` and `/stats` are outside of the service: neither opens a session, even under `--eager`.
                let service = service_fn(move |request: Request<Incoming>| {
                    let (with_sessions, shown) = (with_sessions.clone(), shown.clone());
                    async move {
                        match request.uri().path() {
                            "/healthz" => Ok(reply(Answer::text("ok"))),
                            "/stats" => Ok(reply(Answer::json(shown.to_json()))),
                            _ => with_sessions.call(request).await,
                        }
                    }
                });
                let connection = server.serve_connection(io, service).into_owned();
                drop(tokio::spawn(connections.watch(connection)));
            }
            None => {
                let routes = service_fn(move |request| baseline(request, shown.clone()));
                let connection = server.serve_connection(io, routes).into_owned();
                drop(tokio::spawn(connections.watch(connection)));
            }
        }
    }
    drop(listener);
    tokio::select! {
        () = connections.shutdown() => {}
        () = tokio::time::sleep(PATIENCE) => {}
    }
    Ok(())
}

async fn answer(request: Request<Incoming>) -> Result<Reply, Infallible> {
    let routed = match (request.method(), request.uri().path()) {
        (&(Method::GET | Method::HEAD), "/none") => Ok(reply(Answer::text("ok"))),
        (&Method::POST, "/run") => run(request).await,
        (&Method::POST, "/form") => form(request).await,
        (&(Method::GET | Method::HEAD), path) => get(&request, path).await,
        _ => Ok(empty(StatusCode::NOT_FOUND)),
    };
    Ok(routed.unwrap_or_else(SessionRejection::into_response))
}

async fn get(request: &Request<Incoming>, path: &str) -> Result<Reply, SessionRejection> {
    let query = request.uri().query();
    let done = match path {
        "/readonly" => {
            let session = request.read_only_session().await?;
            return Ok(match probe::script(query) {
                Ok(script) => reply(probe::run(&session, &script).await),
                Err(error) => reply(probe::unreadable(&error)),
            });
        }
        "/stream" => {
            let session = request.session().await?;
            return Ok(match probe::script(query) {
                Ok(script) => stream(session, script),
                Err(error) => reply(probe::unreadable(&error)),
            });
        }
        "/read" => probe::read(&request.session().await?),
        "/hits" => probe::hits(&request.session().await?),
        "/write" => probe::write(&request.session().await?),
        "/login" => probe::login(&request.session().await?),
        "/logout" => probe::logout(&request.session().await?),
        "/rotate" => probe::rotate(&request.session().await?),
        "/slow" => probe::slow(&request.session().await?, query).await,
        "/late" => probe::late(&request.visit()?, query).await?,
        _ => return Ok(empty(StatusCode::NOT_FOUND)),
    };
    Ok(reply(done.unwrap_or_else(|error| probe::failed(&error))))
}

async fn run(request: Request<Incoming>) -> Result<Reply, SessionRejection> {
    let session = request.session().await?;
    let Ok(body) = Limited::new(request.into_body(), LARGEST_BODY).collect().await else {
        return Ok(empty(StatusCode::PAYLOAD_TOO_LARGE));
    };
    Ok(match Script::parse(&body.to_bytes()) {
        Ok(script) => reply(probe::run(&session, &script).await),
        Err(error) => reply(probe::unreadable(&error)),
    })
}

async fn form(request: Request<Incoming>) -> Result<Reply, SessionRejection> {
    let session = request.session().await?;
    let script = probe::script(request.uri().query());
    Ok(match (Input::read(request).await, script) {
        (Err(rejection), _) => rejection.into_response(),
        (Ok(_), Ok(script)) => reply(probe::run(&session, &script).await),
        (Ok(_), Err(error)) => reply(probe::unreadable(&error)),
    })
}

async fn baseline(request: Request<Incoming>, stats: Stats) -> Result<Reply, Infallible> {
    Ok(match request.uri().path() {
        "/healthz" => reply(Answer::text("ok")),
        "/stats" => reply(Answer::json(stats.to_json())),
        path => probe::baseline(path).map_or_else(|| empty(StatusCode::NOT_FOUND), reply),
    })
}

fn stream(session: session_hyper::Session, script: Script) -> Reply {
    let status = StatusCode::from_u16(script.status()).unwrap_or_default();
    let frames = probe::stream(session, script).map(|chunk| chunk.map(Frame::data));
    let body = StreamBody::new(frames).boxed_unsync();
    respond(status, "text/plain; charset=utf-8", body)
}

fn reply(answer: Answer) -> Reply {
    let status = StatusCode::from_u16(answer.status).unwrap_or_default();
    respond(status, answer.content_type, Full::from(answer.body).boxed_unsync())
}

fn respond(status: StatusCode, content_type: &'static str, body: UnsyncBoxBody<Bytes, Infallible>) -> Reply {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn empty(status: StatusCode) -> Reply {
    let mut response = Response::new(UnsyncBoxBody::default());
    *response.status_mut() = status;
    response
}

/// As large as axum's.
const LARGEST_BODY: usize = 2 * 1024 * 1024;

/// How long connections are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(30);
