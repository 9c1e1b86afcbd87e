//! Events, as an observer receives them, and the test client of applications.

use std::time::Duration;

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{Request, StatusCode};
use serde_json::json;
use session_core::{Event, Key, Session};

use crate::web::{Client, Setting, WebApp};
use session_testkit::TestClient;

/// Returns the names of the events since the last call.
fn heard(setting: &Setting) -> Vec<&'static str> {
    setting.events.take().iter().map(Event::name).collect()
}

pub async fn lc_12_features_8_events_tell_a_session_s_life(app: &impl WebApp) {
    let (client, setting) = (Client::new(app), app.setting());
    client.get("/plain").await;
    assert!(heard(setting).is_empty(), "nobody asked for a session");
    client.visit(|session| session.put("a", 1).unwrap()).await;
    assert_eq!(heard(setting), ["initiated", "created"]);
    client.visit(|session| session.put("a", 2).unwrap()).await;
    assert_eq!(heard(setting), ["initiated", "committed"]);
    let old = client.visit(|session| session.id().unwrap()).await;
    client.post("/login", "").await;
    let new = client.visit(|session| session.id().unwrap()).await;
    let events = setting.events.take();
    assert!(events.contains(&Event::Migrated { from: old, to: new }), "{events:?}");
    setting.clock.advance(Duration::from_secs(1_000));
    client.visit(drop_look).await;
    assert_eq!(heard(setting), ["initiated", "touched"]);
    let thief = client.copy();
    client.visit(|session| session.destroy().unwrap()).await;
    assert!(setting.events.take().contains(&Event::Destroyed(new)));
    thief.visit(drop_look).await;
    assert_eq!(setting.events.take(), [Event::Initiated { fresh: true }], "a tombstone stands for nobody");
    client.visit(|session| session.put("a", 1).unwrap()).await;
    heard(setting);
    setting.clock.advance(Duration::from_secs(7_200));
    client.visit(drop_look).await;
    assert_eq!(heard(setting), ["expired", "initiated"]);
}

fn drop_look(session: &Session) {
    assert!(!session.has("missing"));
}

pub async fn features_8_events_tell_of_cookies_that_are_not_acceptable(app: &impl WebApp) {
    let (client, setting) = (Client::new(app), app.setting());
    client.visit(|session| session.put("a", 1).unwrap()).await;
    let good = client.cookie().unwrap();
    heard(setting);
    let forged = Client::new(app);
    forged.wear(Some(format!("{good}x; {good}; {good}")));
    forged.visit(drop_look).await;
    let mut told = heard(setting);
    told.sort_unstable();
    assert_eq!(told, ["duplicate_cookies", "initiated", "rejected_cookie"]);
}

pub async fn features_8_events_tell_of_conflicts_and_of_writes_that_came_too_late(app: &impl WebApp) {
    let (client, setting) = (Client::new(app), app.setting());
    client.visit(|session| session.tag("ada").unwrap()).await;
    let mut other = TestClient::new(&setting.sessions);
    other.follow(client.cookie());
    let beaten = move |session: Session| async move {
        session.put("slow", 1).unwrap();
        other.with_session(json!({ "fast": 1 })).await;
    };
    heard(setting);
    client.wait(beaten).await;
    let told = heard(setting);
    assert!(told.contains(&"conflict"), "{told:?}");
    let all = client.visit(|session| session.all().to_json()).await;
    assert!(all.contains("slow") && all.contains("fast"), "both are kept: {all}");
    heard(setting);
    let ended = |session: Session| async move {
        session.put("late", 1).unwrap();
        session.sessions().of("ada").destroy_all().await.unwrap()
    };
    assert_eq!(client.wait(ended).await, 1);
    let told = heard(setting);
    assert!(told.contains(&"gone") && !told.contains(&"created"), "{told:?}");
    assert!(client.visit(|session| session.status().fresh()).await);
}

pub async fn features_8_the_test_client_arranges_and_reads_sessions(app: &impl WebApp) {
    let mut ada = TestClient::new(&app.setting().sessions);
    assert_eq!(ada.cookie(), None);
    ada.as_user("ada").await;
    ada.with_session(json!({ "cart": { "items": 2 } })).await;
    ada.with_flash(json!({ "status": "Saved" })).await;
    ada.with_input(json!({ "email": "e", "password": "p" })).await;
    ada.with_errors([("email", "is taken")]).await;
    ada.assert_flash("status", "Saved").await;
    ada.assert_validation_error("email", "is taken").await;

    let client = Client::new(app);
    client.wear(ada.cookie());
    let page = client.get("/page").await;
    assert_eq!(page.json()["old"], json!({ "email": "e" }), "without its secret");
    assert_eq!(page.json()["errors"], json!({ "email": ["is taken"] }));
    let act = |session: &Session| {
        assert_eq!(session.user().name().as_deref(), Some("ada"));
        session.increment("cart.items").unwrap();
        session.flash("status", "Ordered").unwrap();
        session.regenerate().unwrap();
    };
    let (_, reply) = client.submit("", act).await;
    let before = ada.cookie();
    ada.follow(reply.headers.get_all(SET_COOKIE));
    assert_ne!(ada.cookie(), before, "a new id is followed");
    ada.assert_session("cart.items", 3).await;
    ada.assert_flash("status", "Ordered").await;
    ada.assert_missing("user").await;
    assert_eq!(ada.session().await.user().name().as_deref(), Some("ada"));
    let (_, reply) = client.submit("", |session| session.destroy().unwrap()).await;
    ada.follow(reply.headers.get_all(SET_COOKIE));
    assert_eq!(ada.cookie(), None, "a removal is obeyed");
}

pub async fn features_8_the_test_client_sends_and_follows(app: &impl WebApp) {
    let mut ada = TestClient::new(&app.setting().sessions);
    ada.as_user("ada").await;
    // What was returned first is still valid after all later calls.
    let (token, cookie) = (ada.csrf_token().await, ada.cookie());
    ada.with_session(json!({ "user": "ada" })).await;
    ada.with_flash(json!({ "status": "Saved" })).await;
    assert!(ada.session().await.csrf().verify(&token) && ada.cookie() == cookie);
    assert!(ada.session().await.user().confirmed_within(std::time::Duration::from_secs(1)));

    let form = |path: &str, body: &'static str| {
        let request = Request::post(path).header("host", "shop.example");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(Bytes::from_static(body.as_bytes())).unwrap()
    };
    let response = ada.send(form("/guarded/echo", "a=1"), async |request| app.send(request).await).await;
    assert_eq!((response.status(), &**response.body()), (StatusCode::OK, br#"{"a":"1"}"#.as_slice()));
    ada.assert_flash("status", "Saved").await;
    let before = ada.cookie();
    ada.send(form("/login", ""), async |request| app.send(request).await).await;
    assert_ne!(ada.cookie(), before, "a new id is followed");
    ada.assert_session(Key::<String>::new("user"), "ada").await;
    ada.send(form("/sign-out", ""), async |request| app.send(request).await).await;
    assert_eq!(ada.cookie(), None);
}
