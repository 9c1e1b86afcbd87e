//! Claims that need an application's own handlers: existing headers, other layers, custom failure responses.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use http_body_util::BodyExt as _;
use session_axum::stores::MemoryStore;
use session_axum::{
    Cookie, ReadOnlySession, SecretKey, Session, SessionError, SessionLayer, Sessions, SessionsBuilder,
    SignOut,
};
use session_testkit::{Fault, FaultyStore};
use tower_service::Service as _;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn all(&self, name: header::HeaderName) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    fn cookie(&self, name: &str) -> Option<String> {
        let pairs = self.all(header::SET_COOKIE).into_iter().filter_map(|cookie| cookie.split(';').next());
        pairs.filter(|pair| pair.starts_with(&format!("{name}="))).map(str::to_owned).next()
    }
}

fn builder() -> SessionsBuilder {
    Sessions::builder().key(SecretKey::generate().unwrap())
}

fn in_memory() -> Sessions {
    builder().store(MemoryStore::new()).build().unwrap()
}

async fn ask(app: &Router, path: &str, cookies: &[&str]) -> Answer {
    let mut request = Request::get(path);
    for cookie in cookies {
        request = request.header(header::COOKIE, *cookie);
    }
    let response = app.clone().call(request.body(Body::empty()).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: head.status, headers: head.headers, body: String::from_utf8_lossy(&body).into_owned() }
}

#[tokio::test]
async fn headers_that_were_there_are_kept() {
    let app = Router::new()
        .route(
            "/",
            get(async |session: Session| {
                session.put("a", 1).unwrap();
                [
                    (header::SET_COOKIE, "theme=dark"),
                    (header::VARY, "Accept-Encoding"),
                    (header::CACHE_CONTROL, "public, max-age=60"),
                ]
            }),
        )
        .layer(SessionLayer::new(in_memory()));
    let answer = ask(&app, "/", &[]).await;
    let cookies = answer.all(header::SET_COOKIE);
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    assert_eq!(cookies[0], "theme=dark");
    assert_eq!(answer.all(header::VARY), ["Accept-Encoding", "Cookie"]);
    assert_eq!(answer.all(header::CACHE_CONTROL), ["no-store"]);
}

#[tokio::test]
async fn headers_that_say_enough_are_not_doubled() {
    let app = Router::new()
        .route(
            "/",
            get(async |session: Session| {
                session.put("a", 1).unwrap();
                [(header::VARY, "accept, COOKIE"), (header::CACHE_CONTROL, "private, no-store")]
            }),
        )
        .layer(SessionLayer::new(in_memory()));
    let answer = ask(&app, "/", &[]).await;
    assert_eq!(answer.all(header::VARY), ["accept, COOKIE"]);
    assert_eq!(answer.all(header::CACHE_CONTROL), ["private, no-store"]);
}

#[tokio::test]
async fn a_session_without_a_layer_is_a_500_that_says_nothing() {
    let app = Router::new().route("/", get(async |_: Session| "never"));
    let answer = ask(&app, "/", &[]).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::INTERNAL_SERVER_ERROR, ""));
}

#[tokio::test]
async fn a_failure_response_is_the_applications_to_make() {
    let store = FaultyStore::new(MemoryStore::new());
    store.fail(Fault::every());
    let sessions = builder().store(store).build().unwrap();
    let teapot = SessionLayer::new(sessions)
        .on_failure(|failure, _| (StatusCode::IM_A_TEAPOT, failure.status().to_string()).into_response());
    let app = Router::new()
        .route("/", get(async |session: Session| session.put("a", 1).map(|()| "done").unwrap_or("never")))
        .layer(teapot);
    let answer = ask(&app, "/", &[]).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::IM_A_TEAPOT, "503"));
    assert!(answer.all(header::SET_COOKIE).is_empty());
}

#[tokio::test]
async fn a_sign_out_costs_one_call_and_removes_the_cookie() {
    let store = session_testkit::OpLog::new(MemoryStore::new());
    let sessions = builder().store(store.clone()).build().unwrap();
    let app = Router::new()
        .route("/in", get(async |session: Session| session.put("a", 1).map(|()| "in").unwrap_or("never")))
        .route("/out", get(async |sign_out: SignOut| sign_out.now().await.map(|()| "out")))
        .layer(SessionLayer::new(sessions));
    let cookie = ask(&app, "/in", &[]).await.cookie("__Host-sid").unwrap();
    store.take();
    let answer = ask(&app, "/out", &[&cookie]).await;
    assert_eq!(store.verbs(), [session_testkit::Verb::Destroy]);
    assert!(answer.all(header::SET_COOKIE)[0].contains("Max-Age=0"));
}

#[tokio::test]
async fn two_layers_of_different_names_never_meet() {
    let (shop, admin) = (in_memory(), builder().store(MemoryStore::new()).cookie(Cookie::host("admin")));
    let write = async |session: Session| session.increment("n").map(|n| n.to_string()).unwrap_or_default();
    let app = Router::new()
        .route("/shop", get(write))
        .layer(SessionLayer::new(shop))
        .merge(Router::new().route("/admin", get(write)).layer(SessionLayer::new(admin.build().unwrap())));
    let shop = ask(&app, "/shop", &[]).await.cookie("__Host-sid").unwrap();
    let admin = ask(&app, "/admin", &[&shop]).await;
    assert_eq!(admin.body, "1");
    let both = [shop.as_str(), &admin.cookie("__Host-admin").unwrap()];
    assert_eq!(
        (ask(&app, "/shop", &both).await.body, ask(&app, "/admin", &both).await.body),
        ("2".into(), "2".into())
    );
}

#[tokio::test]
async fn two_extractors_of_one_request_are_one_session_and_one_load() {
    let store = session_testkit::OpLog::new(MemoryStore::new());
    let sessions = builder().store(store.clone()).build().unwrap();
    let app = Router::new()
        .route("/in", get(async |session: Session| session.put("a", 1).map(|()| "in").unwrap_or("never")))
        .route(
            "/both",
            get(async |one: Session, view: ReadOnlySession, two: Session| {
                one.put("b", 2).unwrap();
                assert!(matches!(view.put("c", 3), Err(SessionError::ReadOnly)));
                format!("{:?} {:?}", two.get::<u8>("b").unwrap(), view.get::<u8>("a").unwrap())
            }),
        )
        .layer(SessionLayer::new(sessions));
    let cookie = ask(&app, "/in", &[]).await.cookie("__Host-sid").unwrap();
    store.take();
    assert_eq!(ask(&app, "/both", &[&cookie]).await.body, "Some(2) Some(1)");
    assert_eq!(store.verbs(), [session_testkit::Verb::Load, session_testkit::Verb::Replace]);
}

#[tokio::test]
async fn a_stream_of_events_writes_through_a_detached_session() {
    async fn events(axum::Extension(visit): axum::Extension<session_axum::Visit>) -> Body {
        let session = visit.detached().await.unwrap();
        let events = futures_util::stream::unfold(0_u8, move |sent| {
            let session = session.clone();
            async move {
                session.increment("seen").unwrap();
                session.commit().await.unwrap();
                (sent < 3).then(|| (Ok::<_, Infallible>(Bytes::from_static(b"data: tick\n\n")), sent + 1))
            }
        });
        Body::from_stream(events)
    }
    let app = Router::new()
        .route("/in", get(async |session: Session| session.put("seen", 0).map(|()| "in").unwrap_or("never")))
        .route("/events", get(events))
        .route("/seen", get(async |session: Session| session.get_or("seen", 0_u8).unwrap().to_string()))
        .layer(SessionLayer::new(in_memory()));
    let cookie = ask(&app, "/in", &[]).await.cookie("__Host-sid").unwrap();
    let streamed = ask(&app, "/events", &[&cookie]).await;
    assert_eq!(streamed.body, "data: tick\n\n".repeat(3));
    assert!(streamed.all(header::SET_COOKIE).is_empty());
    assert_eq!(ask(&app, "/seen", &[&cookie]).await.body, "4");
}
