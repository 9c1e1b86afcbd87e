//! Several sessions in one application under hyper: the testkit's claims, on services inside of services.

use std::convert::Infallible;

use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use session_conformance::adapter::Server;
use session_conformance::adapter::several::{Sites, act};
use session_hyper::stores::MemoryStore;
use session_hyper::{RequestSession as _, SessionRejection, SessionService, Sessions};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

type Reply = Response<Full<Bytes>>;

async fn start(sites: Sites) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its number");
    let (guard, mut over) = oneshot::channel::<()>();
    tokio::spawn(async move {
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => accepted.expect("a connection").0,
                _ = &mut over => break,
            };
            let sites = sites.clone();
            let service = service_fn(move |request| root(sites.clone(), request));
            let server = Builder::new(TokioExecutor::new());
            tokio::spawn(async move { drop(server.serve_connection(TokioIo::new(stream), service).await) });
        }
    });
    Server::new(address, guard).with_http2()
}

async fn root(sites: Sites, request: Request<Incoming>) -> Result<Reply, Infallible> {
    if below(&request, "/api") {
        return within(sites.api, request, answer).await;
    }
    let shop = sites.shop.clone();
    within(shop, request, move |request| inside_shop(sites.clone(), request)).await
}

async fn inside_shop(sites: Sites, request: Request<Incoming>) -> Result<Reply, Infallible> {
    if !below(&request, "/admin") {
        return answer(request).await;
    }
    let deep = sites.deep;
    within(sites.admin, request, move |request| inside_admin(deep.clone(), request)).await
}

async fn inside_admin(deep: Sessions, request: Request<Incoming>) -> Result<Reply, Infallible> {
    if below(&request, "/admin/deep") { within(deep, request, answer).await } else { answer(request).await }
}

async fn within<F, R>(sessions: Sessions, request: Request<Incoming>, routes: F) -> Result<Reply, Infallible>
where
    F: Fn(Request<Incoming>) -> R,
    R: Future<Output = Result<Reply, Infallible>>,
{
    SessionService::new(sessions, service_fn(routes)).call(request).await
}

async fn answer(request: Request<Incoming>) -> Result<Reply, Infallible> {
    Ok(routed(&request).await.unwrap_or_else(SessionRejection::into_response))
}

async fn routed(request: &Request<Incoming>) -> Result<Reply, SessionRejection> {
    let route = request.uri().path().rsplit('/').next().unwrap_or_default();
    if route == "none" {
        return Ok(Response::new("ok".into()));
    }
    let answer = act(&request.session().await?, route)?;
    let mut response = Response::new(Full::from(answer.body));
    if route == "theme" {
        response.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_static("theme=dark"));
    }
    Ok(response)
}

fn below(request: &Request<Incoming>, area: &str) -> bool {
    request.uri().path().strip_prefix(area).is_some_and(|rest| rest.starts_with('/'))
}

session_conformance::several_suite!(start, MemoryStore::default());
