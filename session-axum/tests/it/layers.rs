//! The session layer with other tower layers, inside and outside of it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use axum::routing::get;
use session_axum::stores::MemoryStore;
use session_axum::{SecretKey, Session, SessionLayer, SessionRejection, Sessions};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

fn sessions() -> Sessions {
    let key = SecretKey::generate().unwrap();
    Sessions::builder().store(MemoryStore::new()).key(key).build().unwrap()
}

async fn page(session: Session) -> Result<String, SessionRejection> {
    session.put("seen", true)?;
    Ok("a page that is long enough to be worth compressing ".repeat(20))
}

/// Writes, orders a new id, and never answers.
async fn hang(session: Session) -> Result<String, SessionRejection> {
    session.put("half", "done")?;
    session.regenerate()?;
    std::future::pending().await
}

fn ask(path: &str) -> Request<Body> {
    Request::get(path).header(header::ACCEPT_ENCODING, "gzip").body(Body::empty()).unwrap()
}

fn assert_compressed_and_personal(response: &Response<Body>) {
    let headers = response.headers();
    assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    assert!(headers.contains_key(header::SET_COOKIE));
    let vary: Vec<_> = headers.get_all(header::VARY).iter().map(|value| value.to_str().unwrap()).collect();
    let vary = vary.join(", ").to_lowercase();
    assert!(vary.contains("cookie") && vary.contains("accept-encoding"), "{vary}");
}

#[tokio::test]
async fn a_compressed_page_sets_its_cookie_in_either_order() {
    let (trace, compress) = (TraceLayer::new_for_http(), CompressionLayer::new());
    let routes = || Router::<()>::new().route("/", get(page));
    let inside = ServiceBuilder::new()
        .layer(SessionLayer::new(sessions()))
        .layer(trace.clone())
        .layer(compress.clone());
    let outside = ServiceBuilder::new().layer(trace).layer(compress).layer(SessionLayer::new(sessions()));
    for app in [routes().layer(inside), routes().layer(outside)] {
        assert_compressed_and_personal(&app.oneshot(ask("/")).await.unwrap());
    }
}

#[tokio::test]
async fn a_service_without_axum_may_have_any_body() {
    let hello = tower::service_fn(async |request: Request<String>| {
        let visit: &session_axum::Visit = request.extensions().get().unwrap();
        visit.session().await.unwrap().put("said", request.body()).unwrap();
        Ok::<_, std::convert::Infallible>(Response::new(http_body_util::Full::new(bytes::Bytes::from(
            "hello",
        ))))
    });
    let mut service = ServiceBuilder::new().layer(SessionLayer::new(sessions())).service(hello);
    let response = service.call(Request::new("something".to_owned())).await.unwrap();
    assert!(response.headers().contains_key(header::SET_COOKIE));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_in_either_order_drops_the_data_and_ends_the_old_id() {
    for is_inside in [true, false] {
        let sessions = sessions();
        let routes = Router::<()>::new().route("/", get(page)).route("/hang", get(hang));
        let timeout = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(5));
        let layer = SessionLayer::new(sessions.clone());
        let app =
            if is_inside { routes.layer(timeout).layer(layer) } else { routes.layer(layer).layer(timeout) };
        let mut ada = session_testkit::TestClient::new(&sessions);
        ada.with_session(serde_json::json!({ "user": "ada" })).await;
        let mut request = ask("/hang");
        let before = ada.cookie().unwrap();
        request.headers_mut().insert(header::COOKIE, before.parse().unwrap());
        let response = app.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
        // Inside, the layer sees the 504 and can send the new id; outside, its own response was dropped with the handler.
        assert_eq!(response.headers().contains_key(header::SET_COOKIE), is_inside);
        sessions.drain().await;
        ada.assert_missing("user").await;
        ada.follow(response.headers().get_all(header::SET_COOKIE));
        if is_inside {
            ada.assert_session("user", "ada").await;
            ada.assert_missing("half").await;
        }
    }
}
