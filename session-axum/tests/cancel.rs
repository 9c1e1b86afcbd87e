//! Requests under axum, dropped at every await.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use axum::routing::get;
use session_axum::stores::MemoryStore;
use session_axum::{Session, SessionLayer};
use session_testkit::cancel::every_request_may_be_dropped_at_any_await;
use tower_service::Service;

#[tokio::test]
async fn a_dropped_request_leaves_nothing_half_done() {
    every_request_may_be_dropped_at_any_await(
        || Arc::new(MemoryStore::new()),
        |sessions, cookie, handler| {
            let route = get(async move |session: Session| handler(session.into_inner()).await);
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
        },
    )
    .await;
}
