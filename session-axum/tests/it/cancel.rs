//! Requests under axum, dropped at every await, and a server that stops while they write.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use axum::routing::get;
use axum::{Extension, Router};
use session_axum::stores::{FileStore, MemoryStore};
use session_axum::{Session, SessionLayer, Sessions, Visit};
use session_conformance::cancel::{Handler, Place, Responding, every_request_may_be_dropped_at_any_await};
use session_conformance::shutdown::a_shutdown_loses_no_commit;
use tower_service::Service;

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

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_dropped_request_leaves_nothing_half_done_in_sqlite() {
    use session_axum::stores::{SqlConfig, SqliteStore};
    let folder = tempfile::tempdir().unwrap();
    let config = SqlConfig::new().deadline(Duration::from_secs(60));
    let store = Arc::new(SqliteStore::open(folder.path().join("sessions.db"), &config).unwrap());
    store.migrate().await.unwrap();
    let place = || Place::Store(store.clone());
    every_request_may_be_dropped_at_any_await(place, serve).await;
}

#[tokio::test]
async fn a_shutdown_loses_no_commit_under_axum() {
    a_shutdown_loses_no_commit(
        || Arc::new(MemoryStore::new()),
        async |listener, sessions, stopped| {
            let hits = async |session: Session| session.increment("hits").unwrap().to_string();
            let app = Router::new().route("/", get(hits)).layer(SessionLayer::new(sessions));
            axum::serve(listener, app).with_graceful_shutdown(stopped).await.unwrap();
        },
    )
    .await;
}

fn serve(sessions: Sessions, cookie: Option<String>, handler: Handler) -> Responding {
    let route = get(async move |Extension(visit): Extension<Visit>| handler(visit).await);
    let mut app = Router::new().route("/", route).layer(SessionLayer::new(sessions));
    let mut request = Request::new(Body::empty());
    if let Some(cookie) = cookie {
        request.headers_mut().insert("cookie", HeaderValue::from_str(&cookie).unwrap());
    }
    Box::pin(async move {
        let response = app.call(request).await.unwrap();
        assert_eq!(response.status(), 200);
        response.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned())
    })
}
