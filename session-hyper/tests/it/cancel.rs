//! Requests under hyper, dropped at every await, and a server that stops while they write.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use session_conformance::cancel::{Handler, Place, Responding, every_request_may_be_dropped_at_any_await};
use session_conformance::shutdown::a_shutdown_loses_no_commit;
use session_hyper::stores::{FileStore, MemoryStore};
use session_hyper::{RequestSession as _, SessionService, Sessions};

#[tokio::test]
async fn a_dropped_request_leaves_nothing_half_done_in_memory() {
    let place = || Place::Store(Arc::new(MemoryStore::new()));
    every_request_may_be_dropped_at_any_await(place, serve).await;
}

#[tokio::test]
async fn a_dropped_request_leaves_nothing_half_done_in_the_cookie() {
    let place = || Place::Cookie(Arc::new(MemoryStore::new()));
    every_request_may_be_dropped_at_any_await(place, serve).await;
}

#[tokio::test]
async fn a_dropped_request_leaves_nothing_half_done_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::builder(folder.path()).timeout(Duration::from_secs(60)).open().unwrap();
    let place = || Place::Store(Arc::new(store.clone()));
    every_request_may_be_dropped_at_any_await(place, serve).await;
}

#[tokio::test]
async fn a_shutdown_loses_no_commit_under_hyper() {
    a_shutdown_loses_no_commit(
        || Arc::new(MemoryStore::new()),
        async |listener, sessions, stopped| {
            let hits = service_fn(async |request: Request<hyper::body::Incoming>| {
                let session = request.session().await.unwrap();
                Ok::<_, Infallible>(Response::new(session.increment("hits").unwrap().to_string()))
            });
            let (connections, mut stopped) = (GracefulShutdown::new(), pin!(stopped));
            let builder = Builder::new(TokioExecutor::new());
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap().0,
                    () = &mut stopped => break,
                };
                let service = SessionService::new(sessions.clone(), hits);
                let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
                tokio::spawn(connections.watch(connection));
            }
            connections.shutdown().await;
        },
    )
    .await;
}

fn serve(sessions: Sessions, cookie: Option<String>, handler: Handler) -> Responding {
    let inner = service_fn(move |request: Request<String>| {
        let handling = handler(request.visit().unwrap());
        async move {
            handling.await;
            Ok::<_, Infallible>(Response::new(String::new()))
        }
    });
    let service = SessionService::new(sessions, inner);
    let mut request = Request::new(String::new());
    if let Some(cookie) = cookie {
        request.headers_mut().insert("cookie", HeaderValue::from_str(&cookie).unwrap());
    }
    Box::pin(async move {
        let response = service.call(request).await.unwrap();
        assert_eq!(response.status(), 200);
        response.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned())
    })
}
