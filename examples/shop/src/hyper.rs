//! The shop on hyper alone: a service around a function. All the rest is the same under any framework.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue, LOCATION};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use session_core::{Clock, SystemClock};
use session_forms::Form;
use session_hyper::{RequestSession, SessionRejection, SessionService, plain};
use tokio::net::TcpListener;

use crate::ask::Ask;
use crate::shop::{Answer, SECURITY, Shop, asset};

type Reply = Response<Full<Bytes>>;

pub(crate) async fn serve(listener: TcpListener, shop: Arc<Shop>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let shop = shop.clone();
        tokio::spawn(async move {
            let sessions = shop.sessions.clone();
            let handle = service_fn(move |request| handle(shop.clone(), request));
            let server = auto::Builder::new(TokioExecutor::new());
            // An error here is the client's: it sent no HTTP, or went away.
            let _ =
                server.serve_connection(TokioIo::new(stream), SessionService::new(sessions, handle)).await;
        });
    }
}

async fn handle(shop: Arc<Shop>, request: Request<Incoming>) -> Result<Reply, Infallible> {
    // The files come first, so that they never ask for a session.
    if let Some((kind, content)) = asset(request.uri().path()) {
        let headers = [("content-type", kind), ("cache-control", "max-age=60")];
        return Ok(reply(200, content.into(), headers));
    }
    Ok(page(&shop, request).await.unwrap_or_else(|rejection| plain(rejection.failure())))
}

async fn page(shop: &Shop, request: Request<Incoming>) -> Result<Reply, SessionRejection> {
    let session = request.session().await?;
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, Form::MOST_BYTES).collect().await else {
        return Ok(reply(413, String::new(), []));
    };
    let header = |name: &str| head.headers.get(name)?.to_str().ok();
    let asking = Ask::new(head.method.as_str(), head.uri.path(), header, body.to_bytes(), SystemClock.now());
    Ok(match asking.await {
        Ok(ask) => respond(shop.answer(&session, &ask).await),
        Err(problem) => reply(problem.status(), String::new(), []),
    })
}

fn respond(answer: Answer) -> Reply {
    let mut response = reply(answer.status, answer.html, SECURITY);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("text/html; charset=utf-8"));
    if let Some(Ok(location)) = answer.location.map(HeaderValue::try_from) {
        headers.insert(LOCATION, location);
    }
    response
}

fn reply<const N: usize>(status: u16, body: String, headers: [(&'static str, &'static str); N]) -> Reply {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
