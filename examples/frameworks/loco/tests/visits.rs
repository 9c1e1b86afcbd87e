//! The application as Loco boots it: a sign-in, a counter, a sign-out, another site.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use loco_rs::app::Hooks as _;
use loco_rs::boot::StartMode;
use loco_rs::config::Config;
use loco_rs::environment::Environment;
use loco_sessions::App;
use session_axum::Sessions;
use session_testkit::TestClient;
use tower::ServiceExt as _;

async fn boot() -> (Router, TestClient) {
    let config: Config = serde_json::from_value(serde_json::json!({
        "logger": { "enable": false, "level": "off", "format": "compact" },
        "server": { "port": 0, "host": "http://localhost" },
        "workers": { "mode": "ForegroundBlocking" },
    }))
    .unwrap();
    let boot = App::boot(StartMode::ServerOnly, &Environment::Test, config).await.unwrap();
    let sessions: Sessions = boot.app_context.shared_store.get().unwrap();
    (boot.router.unwrap(), TestClient::new(&sessions))
}

async fn post(app: &Router, visitor: &mut TestClient, path: &str, form: &str) -> (StatusCode, String) {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap();
    let app = app.clone();
    let response = visitor.send(request, async |request| app.oneshot(request).await.unwrap()).await;
    let (status, body) = (response.status(), response.into_body().collect().await.unwrap().to_bytes());
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_visitor_is_known_from_sign_in_to_sign_out() {
    let (app, mut ada) = boot().await;
    assert_eq!(post(&app, &mut ada, "/count", "").await, (StatusCode::OK, "stranger 1".to_owned()));
    assert_eq!(post(&app, &mut ada, "/sign-in", "").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(post(&app, &mut ada, "/sign-in", "name=ada").await.0, StatusCode::OK);
    assert_eq!(post(&app, &mut ada, "/count", "").await, (StatusCode::OK, "ada 2".to_owned()));
    assert_eq!(post(&app, &mut ada, "/sign-out", "").await.0, StatusCode::OK);
    assert_eq!(post(&app, &mut ada, "/count", "").await, (StatusCode::OK, "stranger 1".to_owned()));
}

#[tokio::test]
async fn a_page_of_another_site_calls_nothing() {
    let (app, _) = boot().await;
    let request = Request::post("/sign-in")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from("name=eve"))
        .unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status().as_u16(), 419);
}
