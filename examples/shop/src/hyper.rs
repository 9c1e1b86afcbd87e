//! The shop on hyper alone: two services around a function. All the rest is the same under any framework.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue, LOCATION, USER_AGENT};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use session_hyper::{CheckedBody, CsrfService, Input, SessionRejection, SessionService, redirects};
use tokio::net::TcpListener;

use crate::ask::Ask;
use crate::shop::{Answer, SECURITY, Shop, asset};

type Reply = Response<Full<Bytes>>;

pub(crate) async fn serve(listener: TcpListener, shop: Arc<Shop>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let (sessions, handling, refuse) = (shop.sessions.clone(), shop.clone(), shop.clone());
        let pages = service_fn(move |request| handle(handling.clone(), request));
        let pages = CsrfService::new(pages).on_refused(move |refusal| respond(refuse.refuse(refusal)));
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let service = SessionService::new(sessions, pages);
            // An error here is the client's: it sent no HTTP, or went away.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn handle(shop: Arc<Shop>, request: Request<CheckedBody<Incoming>>) -> Result<Reply, Infallible> {
    // The files come first, so that they never ask for a session.
    if let Some((kind, content)) = asset(request.uri().path()) {
        return Ok(reply(200, content.into(), [("content-type", kind), ("cache-control", "max-age=60")]));
    }
    Ok(page(&shop, request).await.unwrap_or_else(SessionRejection::into_response))
}

async fn page(shop: &Shop, request: Request<CheckedBody<Incoming>>) -> Result<Reply, SessionRejection> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let agent = request.headers().get(USER_AGENT).cloned();
    let redirects = redirects(&request).await?;
    let input = Input::read(request).await?;
    let ask = Ask::new(redirects, input.into_form(), agent.as_ref().and_then(|agent| agent.to_str().ok()));
    Ok(respond(shop.answer(method.as_str(), &path, &ask).await))
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
