//! CSRF: which requests pass, and what a refused request does not change.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::json;

use super::MULTIPART;
use crate::web::{Client, PLEASE, Reply, WebApp};
use session_testkit::Verb;

pub async fn features_5_csrf_header_or_field_lets_a_request_through(app: &impl WebApp) {
    let client = Client::new(app);
    let token = client.csrf().await;
    for header in ["X-CSRF-TOKEN", "x-xsrf-token"] {
        let reply = client.post_with("/guarded/echo", "a=1", &[(header, &token)]).await;
        assert_eq!(reply.json(), json!({"a": "1"}), "{header}");
    }
    for field in ["_csrf", "_token"] {
        let reply = client.post("/guarded/echo", &format!("a=1&{field}={token}")).await;
        assert_eq!(reply.json()["a"], "1", "{field}");
    }
    let part = format!("--X\r\nContent-Disposition: form-data; name=\"_csrf\"\r\n\r\n{token}\r\n--X--\r\n");
    let reply = client.send(Method::POST, "/guarded/echo", &[("content-type", MULTIPART)], part.into()).await;
    assert_eq!(reply.status, 200);
}

pub async fn features_5_csrf_refuses_what_carries_no_token_or_a_wrong_one(app: &impl WebApp) {
    let (client, other) = (Client::new(app), Client::new(app));
    let (token, foreign) = (client.csrf().await, other.csrf().await);
    let refused = StatusCode::from_u16(419).unwrap();
    for form in ["a=1", "_csrf=", "_csrf=wrong", &format!("_csrf={foreign}"), &format!("_csrf[]={foreign}")] {
        let reply = client.post("/guarded/echo", form).await;
        assert_eq!((reply.status, reply.body.len()), (refused, 0), "{form}");
    }
    for value in ["wrong", foreign.as_str()] {
        let form = format!("_csrf={token}");
        let reply = client.post_with("/guarded/echo", &form, &[("x-csrf-token", value)]).await;
        assert_eq!(reply.status, refused, "a header that is wrong is not made good by a field");
    }
    // Neither in the query nor in a body of another type.
    let query = format!("/guarded/echo?_csrf={token}");
    assert_eq!(client.post(&query, "a=1").await.status, refused);
    let headers = [("content-type", "text/plain")];
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let body = Bytes::from(format!("_csrf={token}"));
        assert_eq!(client.send(method, "/guarded/echo", &headers, body).await.status, refused);
    }
}

pub async fn features_5_csrf_gives_the_body_on_untouched(app: &impl WebApp) {
    let client = Client::new(app);
    let token = client.csrf().await;
    let form = format!("b=%zz&_csrf={token}&&=x&a=+");
    assert_eq!(client.post("/guarded/raw", &form).await.body, form);
    let bytes = Bytes::from_static(b"\x00\xff not a form");
    let reply = client.send(Method::POST, "/guarded/raw", &[("x-csrf-token", &token)], bytes.clone()).await;
    assert_eq!(reply.body, bytes);
}

pub async fn features_5_csrf_costs_nothing_on_safe_and_exempt_routes(app: &impl WebApp) {
    let client = Client::new(app);
    client.csrf().await;
    let before = app.store_calls();
    assert_eq!(client.get("/guarded/echo").await.body, "plain");
    assert_eq!(client.post("/guarded/hooks/x", "a=1").await.body, "plain");
    assert_eq!(app.store_calls(), before);
}

pub async fn features_5_csrf_refusal_eats_no_flash(app: &impl WebApp) {
    let client = Client::new(app);
    client.post("/flash?all", "email=e").await;
    assert_eq!(client.post("/guarded/echo", "_csrf=wrong").await.status.as_u16(), 419);
    assert_eq!(client.get("/page").await.json()["old"], json!({"email": "e"}));
}

pub async fn features_5_csrf_token_survives_a_new_id_in_another_tab(app: &impl WebApp) {
    let client = Client::new(app);
    let token = client.csrf().await;
    client.post("/login", "").await;
    assert_eq!(client.post("/guarded/echo", &format!("_csrf={token}")).await.status, 200);
}

pub async fn features_5_csrf_reads_no_body_of_a_stranger_and_no_body_too_long(app: &impl WebApp) {
    let stranger = Client::new(app);
    let long = format!("a={}", "x".repeat(1024 * 1024));
    assert_eq!(stranger.post("/guarded/echo", &long).await.status.as_u16(), 419);
    let client = Client::new(app);
    let token = client.csrf().await;
    assert_eq!(client.post("/guarded/echo", &format!("_csrf={token}&{long}")).await.status.as_u16(), 413);
}

pub async fn features_5_csrf_grace_for_the_token_before_a_new_id_is_short(app: &impl WebApp) {
    let client = Client::new(app);
    let clock = &app.setting().clock;
    let token = client.csrf().await;
    client.post("/login", "").await;
    clock.advance(Duration::from_secs(119));
    assert_eq!(client.post("/guarded/echo", &format!("_csrf={token}")).await.status, 200);
    clock.advance(Duration::from_secs(1));
    let reply = client.post("/guarded/echo", &format!("_csrf={token}")).await;
    assert_eq!(reply.status.as_u16(), 419, "two minutes, not more");
    let token = client.csrf().await;
    client.post("/login", "").await;
    client.post("/login", "").await;
    let reply = client.post("/guarded/echo", &format!("_csrf={token}")).await;
    assert_eq!(reply.status.as_u16(), 419, "one token back, not two");
}

pub async fn features_5_csrf_renewed_on_purpose_has_no_grace(app: &impl WebApp) {
    let client = Client::new(app);
    let old = client.csrf().await;
    let new = client.visit(|session| session.csrf().regenerate().unwrap()).await;
    assert_eq!(client.post("/guarded/echo", &format!("_csrf={old}")).await.status.as_u16(), 419);
    assert_eq!(client.post("/guarded/echo", &format!("_csrf={new}")).await.status, 200);
}

/// A request that another site makes a browser send has no session cookie (`SameSite=Lax`) or, from an old browser, has
/// it.
pub async fn features_5_csrf_refusal_makes_no_session_and_changes_none(app: &impl WebApp) {
    let stranger = Client::new(app);
    let form = format!("_csrf={}", "A".repeat(43));
    for (path, body) in [("/guarded/echo", form.as_str()), ("/guarded/echo", ""), ("/guarded/raw", "a=1")] {
        refused(&stranger.post(path, body).await);
        refused(&stranger.post_with(path, body, &[("x-csrf-token", "wrong")]).await);
        refused(&stranger.send(Method::POST, path, &[], Bytes::copy_from_slice(body.as_bytes())).await);
    }
    assert_eq!(app.store_calls(), 0, "and asks the store nothing");
    let client = Client::new(app);
    client.csrf().await;
    let before = client.cookie();
    app.setting().store.take();
    refused(&client.post("/guarded/echo", &form).await);
    assert_eq!(app.setting().store.verbs(), [Verb::Load], "a look");
    assert_eq!(client.cookie(), before);
}

fn refused(reply: &Reply) {
    assert_eq!((reply.status.as_u16(), reply.set_cookie(), reply.body.len()), (419, "", 0));
    assert_eq!(reply.headers["cache-control"], "no-store");
}

pub async fn features_5_csrf_on_refused_is_the_applications_answer(app: &impl WebApp) {
    let client = Client::new(app);
    let token = client.csrf().await;
    for form in ["", "_csrf=wrong"] {
        let reply = client.post("/polite/echo", form).await;
        assert_eq!((reply.status, &*reply.body), (StatusCode::FORBIDDEN, PLEASE.as_bytes()), "{form}");
    }
    assert_eq!(client.post("/polite/echo", &format!("_csrf={token}")).await.body, "plain");
}

pub async fn features_5_csrf_exempt_when_a_predicate_says_so(app: &impl WebApp) {
    let client = Client::new(app);
    client.csrf().await;
    let before = app.store_calls();
    assert_eq!(client.send(Method::PUT, "/guarded/signed", &[], Bytes::new()).await.body, "plain");
    assert_eq!(app.store_calls(), before, "nothing is opened for it");
    assert_eq!(client.post("/guarded/signed", "").await.status.as_u16(), 419, "not of this method");
    for path in ["/guarded/hooks/../echo", "/guarded/hooks%2f..%2fecho", "/guarded/hooks2"] {
        assert_eq!(client.post(path, "a=1").await.status.as_u16(), 419, "{path}");
    }
}

pub async fn ck_11_a_request_that_was_checked_varies_by_cookie(app: &impl WebApp) {
    let client = Client::new(app);
    let token = client.csrf().await;
    for form in ["_csrf=wrong", &format!("_csrf={token}")] {
        assert!(client.post("/guarded/echo", form).await.varies_by_cookie(), "{form}");
    }
    assert!(!client.get("/guarded/echo").await.varies_by_cookie(), "nobody looked");
}

pub async fn ck_11_a_page_with_a_token_varies_by_cookie(app: &impl WebApp) {
    let client = Client::new(app);
    let reply = client.get("/page").await;
    assert!(reply.varies_by_cookie());
    assert_eq!(reply.headers["cache-control"], "no-store", "it set a cookie");
    assert!(!client.get("/plain").await.varies_by_cookie());
}
