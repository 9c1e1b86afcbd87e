//! An application on axum-login and axum-messages works over the bridge, and keeps writes that its own store loses.

use axum::Router;
use axum::body::Body;
use http::{Request, Response, header};
use http_body_util::BodyExt as _;
use session_store_memory::MemoryStore;
use session_tower_bridge::TowerSessionsBridge;
use tower::ServiceExt as _;

fn app() -> Router {
    tower_bridge_apps::app(TowerSessionsBridge::new(MemoryStore::new()))
}

async fn send(app: &Router, method: &str, path: &str, cookie: &str, form: &str) -> Response<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap();
    app.clone().oneshot(request).await.unwrap()
}

fn cookie(response: &Response<Body>) -> String {
    let set = response.headers()[header::SET_COOKIE].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn signed_in(app: &Router) -> String {
    let response = send(app, "POST", "/sign-in", "", "id=1&password=lovelace").await;
    assert_eq!(response.headers()[header::LOCATION], "/members");
    cookie(&response)
}

#[tokio::test]
async fn a_member_signs_in_sees_the_message_once_and_signs_out() {
    let app = app();
    assert!(send(&app, "GET", "/members", "", "").await.status().is_redirection());
    let refused = send(&app, "POST", "/sign-in", "", "id=1&password=byron").await;
    let visitor = cookie(&refused);
    assert_eq!(text(send(&app, "GET", "/", &visitor, "").await).await, "Wrong number or password.");
    let response = send(&app, "POST", "/sign-in", &visitor, "id=1&password=lovelace").await;
    let member = cookie(&response);
    assert_ne!(member, visitor, "the id changes at sign-in");
    assert!(send(&app, "GET", "/members", &visitor, "").await.status().is_redirection());
    assert_eq!(text(send(&app, "GET", "/members", &member, "").await).await, "member 1: Welcome back.");
    assert_eq!(text(send(&app, "GET", "/members", &member, "").await).await, "member 1: ");
    assert!(send(&app, "POST", "/sign-out", &member, "").await.status().is_redirection());
    assert!(send(&app, "GET", "/members", &member, "").await.status().is_redirection());
}

async fn counted_by_many(app: Router) -> u64 {
    let member = signed_in(&app).await;
    let tasks = (0..64).map(|counter| {
        let (app, member) = (app.clone(), member.clone());
        tokio::spawn(async move {
            for _ in 0..50 {
                let response = send(&app, "POST", &format!("/count/{counter}"), &member, "").await;
                assert!(response.status().is_success());
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let mut sum = 0;
    for counter in 0..64 {
        let response = send(&app, "POST", &format!("/count/{counter}"), &member, "").await;
        sum += text(response).await.parse::<u64>().unwrap() - 1;
    }
    sum
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_of_different_names_lose_nothing() {
    assert_eq!(counted_by_many(app()).await, 64 * 50);
    let theirs = tower_bridge_apps::app(tower_sessions_0_14::MemoryStore::default());
    let counted = counted_by_many(theirs).await;
    assert!(counted < 64 * 50, "without the bridge the same application loses writes: {counted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_with_requests_in_flight_stays_a_sign_out() {
    for _ in 0..50 {
        let app = app();
        let member = signed_in(&app).await;
        let tasks: Vec<_> = (0..8)
            .map(|counter| {
                let (app, member) = (app.clone(), member.clone());
                tokio::spawn(async move {
                    let response = send(&app, "POST", &format!("/count/{counter}"), &member, "").await;
                    assert!(response.status().as_u16() != 200 || cookie(&response) == member);
                })
            })
            .collect();
        send(&app, "POST", "/sign-out", &member, "").await;
        for task in tasks {
            task.await.unwrap();
        }
        assert!(send(&app, "GET", "/members", &member, "").await.status().is_redirection());
    }
}
