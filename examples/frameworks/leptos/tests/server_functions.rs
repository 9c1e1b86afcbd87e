//! The server functions as a browser calls them: a sign-in, a counter, a sign-out, a store that fails, another site,
//! a plain form; and pages that count in a resource.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use axum::routing::get;
use http_body_util::BodyExt as _;
use leptos::prelude::*;
use leptos_sessions::{app, count};
use session_axum::{SecretKey, SessionLayer, Sessions};
use session_store_memory::MemoryStore;
use session_testkit::{Fault, FaultyStore, TestClient};
use tokio::sync::watch;
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
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
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
    assert_eq!(world.call("count", "").await, (StatusCode::OK, "[null,1]".to_owned()));
    assert_eq!(world.call("sign-in", "name=ada").await.0, StatusCode::OK);
    assert_eq!(world.call("count", "").await, (StatusCode::OK, "[\"ada\",2]".to_owned()));
    assert_eq!(world.call("sign-out", "").await.0, StatusCode::OK);
    assert_eq!(world.call("count", "").await, (StatusCode::OK, "[null,1]".to_owned()));
}

#[tokio::test]
async fn a_store_that_fails_is_a_503_without_its_reason() {
    let mut world = world();
    world.call("count", "").await;
    world.store.fail(Fault::every());
    // The test client would need the store for a CSRF token.
    let request = Request::post("/api/count").header("sec-fetch-site", "same-origin");
    let request = request.header(header::COOKIE, world.ada.cookie().unwrap()).body(Body::empty()).unwrap();
    let response = world.app.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).ends_with("the session is not available"), "{body:?}");
}

#[tokio::test]
async fn a_page_of_another_site_calls_nothing() {
    let world = world();
    let request = Request::post("/api/sign-in")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from("name=eve"))
        .unwrap();
    let response = world.app.oneshot(request).await.unwrap();
    assert_eq!(response.status().as_u16(), 419);
}

#[server(endpoint = "count-and-fail")]
async fn count_and_fail() -> Result<(), ServerFnError> {
    count().await?;
    Err(ServerFnError::new("after the change"))
}

#[tokio::test]
async fn a_function_that_fails_keeps_its_changes_for_a_plain_form_only() {
    for (accept, status, hits) in [("application/json", 500, 1), ("text/html", 302, 2)] {
        let mut world = world();
        let form = Request::post("/api/count-and-fail")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, accept)
            .header(header::REFERER, "http://localhost/form")
            .body(Body::empty())
            .unwrap();
        let app = world.app.clone();
        let response = world.ada.send(form, async |request| app.oneshot(request).await.unwrap()).await;
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(world.call("count", "").await.1, format!("[null,{hits}]"));
    }
}

/// A page whose resource counts after the gate has opened.
fn page(gate: watch::Receiver<bool>) -> impl IntoView {
    let hits = Resource::new(
        || (),
        move |()| {
            let mut gate = gate.clone();
            async move {
                gate.wait_for(|open| *open).await.unwrap();
                count().await.map(|(_, hits)| hits)
            }
        },
    );
    view! {
        <Suspense fallback=|| "counting">
            {move || Suspend::new(async move {
                match hits.await {
                    Ok(hits) => format!("visit number {hits}."),
                    Err(error) => format!("refused: {error}."),
                }
            })}
        </Suspense>
    }
}

fn pages(gate: watch::Receiver<bool>) -> Router {
    // Starts the executor of Leptos, as in an application.
    leptos_axum::generate_route_list(|| ());
    let sessions = Sessions::builder().store(MemoryStore::new()).key(SecretKey::generate().unwrap());
    let (streamed, whole) = (gate.clone(), gate);
    Router::new()
        .route("/streamed", get(leptos_axum::render_app_to_stream(move || page(streamed.clone()))))
        .route("/whole", get(leptos_axum::render_app_async(move || page(whole.clone()))))
        .layer(SessionLayer::new(sessions.build().unwrap()))
}

async fn text<B: axum::body::HttpBody>(response: Response<B>) -> String {
    let body = response.into_body().collect().await.ok().unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_resource_of_a_streamed_page_gets_no_session_after_the_head() {
    let (gate, open) = watch::channel(false);
    let response = pages(open).oneshot(Request::get("/streamed").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers().get(header::SET_COOKIE), None);
    gate.send(true).unwrap();
    let page = text(response).await;
    assert!(page.contains("the session is not available"), "{page}");
}

#[tokio::test]
async fn a_resource_of_a_page_rendered_as_a_whole_changes_the_session() {
    let (_gate, open) = watch::channel(true);
    let response = pages(open).oneshot(Request::get("/whole").body(Body::empty()).unwrap()).await.unwrap();
    assert!(response.headers().contains_key(header::SET_COOKIE));
    let page = text(response).await;
    assert!(page.contains("visit number 1."), "{page}");
}
