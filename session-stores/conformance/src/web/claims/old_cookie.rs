//! Visitors who come with a cookie of an earlier configuration.

use http::header;
use serde_json::json;
use session_core::{Event, Session, Sessions, SessionsBuilder};
use session_testkit::TestClient;

use crate::web::setting::rules::{old_cookie, old_key};
use crate::web::{Client, Reply, WebApp};

fn set_cookies(reply: &Reply) -> Vec<&str> {
    reply.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
}

/// The cookie of `ada`, whose theme is dark, as the application set it before.
async fn old(app: &impl WebApp, placed: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> String {
    let builder = Sessions::builder().key(old_key()).cookie(old_cookie()).clock(app.setting().clock.clone());
    let mut ada = TestClient::new(&placed(builder).build().unwrap());
    ada.as_user("ada").await;
    ada.with_session(json!({ "theme": "dark" })).await;
    let cookie = ada.cookie().unwrap();
    assert!(cookie.starts_with("old="));
    cookie
}

fn look(session: &Session) -> (Option<String>, Option<String>) {
    (session.user().name(), session.get("theme").unwrap())
}

/// Comes with the old cookie, then with the one that is set in its place.
async fn stays_signed_in(app: &impl WebApp, cookie: String) {
    let client = Client::new(app);
    client.wear(Some(format!("theme=light; {cookie}")));
    let ada = (Some("ada".to_owned()), Some("dark".to_owned()));
    let (seen, reply) = client.submit("", look).await;
    assert_eq!(seen, ada);
    assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store");
    assert!(reply.varies_by_cookie());
    let set = set_cookies(&reply);
    let cleared = set.iter().find(|set| set.starts_with("old=;")).unwrap();
    assert!(cleared.contains("; Domain=shop.example;") && cleared.contains("; Max-Age=0;"), "{cleared}");
    let current: Vec<_> = set.iter().filter(|set| set.starts_with("__Host-sid=")).collect();
    assert_eq!(current.len(), 1, "{set:?}");
    client.wear(current[0].split(';').next().map(str::to_owned));
    let (seen, reply) = client.submit("", look).await;
    assert_eq!(seen, ada);
    assert!(set_cookies(&reply).iter().all(|set| !set.starts_with("old=")), "{reply:?}");
}

pub async fn a_visitor_with_a_cookie_of_the_earlier_configuration_stays_signed_in(app: &impl WebApp) {
    let store = app.setting().sessions.store().unwrap().clone();
    stays_signed_in(app, old(app, |builder| builder.shared_store(store)).await).await;
}

pub async fn a_visitor_whose_session_was_in_the_cookie_stays_signed_in(app: &impl WebApp) {
    stays_signed_in(app, old(app, SessionsBuilder::in_cookie).await).await;
}

pub async fn a_forged_cookie_of_the_earlier_configuration_is_a_stranger(app: &impl WebApp) {
    let store = app.setting().sessions.store().unwrap().clone();
    let good = old(app, |builder| builder.shared_store(store)).await;
    for bad in [
        "old=".to_owned(),
        "old=x; old".to_owned(),
        good.replace("old=", "old=A"),
        good.replace("old=", "Old="),
    ] {
        let client = Client::new(app);
        let is_ours = bad.starts_with("old=");
        client.wear(Some(bad));
        let _ = app.setting().events.take();
        let (fresh, reply) = client.submit("", |session| session.status().fresh()).await;
        assert!(fresh && reply.status.is_success() && set_cookies(&reply).is_empty(), "{reply:?}");
        let rejected = |event: &Event| matches!(event, Event::RejectedCookie(_));
        assert_eq!(app.setting().events.take().iter().any(rejected), is_ours);
    }
}

pub async fn who_signs_out_with_a_cookie_of_the_earlier_configuration_is_signed_out(app: &impl WebApp) {
    let store = app.setting().sessions.store().unwrap().clone();
    let cookie = old(app, |builder| builder.shared_store(store)).await;
    let client = Client::new(app);
    client.wear(Some(cookie.clone()));
    let reply = client.post("/sign-out", "").await;
    let set = set_cookies(&reply);
    for removed in ["old=;", "__Host-sid=;"] {
        assert!(set.iter().any(|set| set.starts_with(removed) && set.contains("Max-Age=0")), "{set:?}");
    }
    client.wear(Some(cookie));
    assert_eq!(client.visit(look).await, (None, None));
}
