//! The server functions as a browser calls them: a sign-in, a counter, a sign-out, a store that fails, another site.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use dioxus_sessions::app;
use http_body_util::BodyExt as _;
use session_axum::{SecretKey, Sessions};
use session_store_memory::MemoryStore;
use session_testkit::{Fault, FaultyStore, TestClient};
use tower::ServiceExt as _;

struct World {
    app: Router,
    store: FaultyStore<MemoryStore>,
    ada: TestClient,
}

fn world() -> World {
    let store = FaultyStore::new(MemoryStore::new());
    let sessions =
        Sessions::builder().store(store.clone()).key(SecretKey::generate().unwrap()).build().unwrap();
    World { ada: TestClient::new(&sessions), store, app: app(sessions) }
}

impl World {
    async fn call(&mut self, name: &str, form: &str) -> (StatusCode, String) {
        let request = Request::post(format!("/api/{name}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(Body::from(form.to_owned()))
            .unwrap();
        let app = self.app.clone();
        let response = self.ada.send(request, async |request| app.oneshot(request).await.unwrap()).await;
        let (status, body) = (response.status(), response.into_body().collect().await.unwrap().to_bytes());
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn a_visitor_is_known_from_sign_in_to_sign_out() {
    let mut world = world();
    assert_eq!(world.call("count", "{}").await, (StatusCode::OK, "[null,1]".to_owned()));
    assert_eq!(world.call("sign-in", r#"{"name":"ada"}"#).await.0, StatusCode::OK);
    assert_eq!(world.call("count", "{}").await, (StatusCode::OK, "[\"ada\",2]".to_owned()));
    assert_eq!(world.call("sign-out", "{}").await.0, StatusCode::OK);
    assert_eq!(world.call("count", "{}").await, (StatusCode::OK, "[null,1]".to_owned()));
}

#[tokio::test]
async fn a_store_that_fails_is_a_503_without_its_reason() {
    let mut world = world();
    world.call("count", "{}").await;
    world.store.fail(Fault::every());
    // The test client would need the store for a CSRF token.
    let request = Request::post("/api/count").header("sec-fetch-site", "same-origin");
    let request = request.header(header::COOKIE, world.ada.cookie().unwrap()).body(Body::empty()).unwrap();
    let response = world.app.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.is_empty(), "{body:?}");
}

#[tokio::test]
async fn a_page_of_another_site_calls_nothing() {
    let world = world();
    let request = Request::post("/api/sign-in")
        .header(header::CONTENT_TYPE, "application/json")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from(r#"{"name":"eve"}"#))
        .unwrap();
    let response = world.app.oneshot(request).await.unwrap();
    assert_eq!(response.status().as_u16(), 419);
}
