//! What handlers get and return: optional sessions, one error type with a log line for each error, farewells.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::json;

use crate::overheard::Overheard;
use crate::web::{Client, Reply, WebApp};
use session_testkit::{Fault, Verb};

const OPTIONAL: [&str; 2] = ["/optional", "/optional-read-only"];

async fn signed_in<A: WebApp>(app: &A) -> Client<'_, A> {
    let client = Client::new(app);
    client.visit(|session| session.put("user", "ada").unwrap()).await;
    client
}

fn is_bare(reply: &Reply, status: u16) -> bool {
    reply.status == status && reply.body.is_empty() && reply.set_cookie().is_empty()
}

pub async fn an_optional_session_is_none_only_without_a_layer(app: &impl WebApp) {
    let (ada, stranger) = (signed_in(app).await, Client::new(app));
    for path in OPTIONAL {
        assert_eq!(ada.get(path).await.body, "ada", "{path}");
        assert_eq!(stranger.get(path).await.body, "stranger", "{path}");
    }
    assert_eq!(ada.get("/bare/optional").await.body, "no session");
}

pub async fn an_optional_session_is_none_where_sessions_are_switched_off(app: &impl WebApp) {
    for path in OPTIONAL {
        let reply = Client::new(app).get(path).await;
        assert_eq!((reply.status, &*reply.body), (StatusCode::OK, b"no session".as_slice()), "{path}");
    }
}

pub async fn an_optional_session_of_a_failing_store_is_a_503(app: &impl WebApp) {
    let ada = signed_in(app).await;
    app.setting().faults.fail(Fault::every().on(Verb::Load));
    for path in OPTIONAL {
        let reply = ada.get(path).await;
        assert!(is_bare(&reply, 503), "{path}: {reply:?}");
        assert_eq!(reply.headers["cache-control"], "no-store", "{path}");
    }
    app.setting().faults.heal();
    assert_eq!(ada.get("/optional").await.body, "ada");
}

pub async fn every_error_of_a_handler_has_its_status(app: &impl WebApp) {
    for (how, status) in [
        ("nothing", 204),
        ("a value of another type", 500),
        ("a value of another type, in a copy", 500),
        ("too many sessions", 409),
        ("a form that does not fit", 422),
        ("a redirect", 303),
        ("sold out", 410),
    ] {
        let ada = signed_in(app).await;
        let reply = ada.post("/fail", &format!("how={how}")).await;
        assert_eq!(reply.status, status, "{how}");
        assert_eq!(reply.location(), if status == 303 { "/sign-in" } else { "" }, "{how}");
    }
}

pub async fn a_store_that_fails_in_a_handler_is_a_503(app: &impl WebApp) {
    let ada = signed_in(app).await;
    for (how, verb) in [("nothing", Verb::Load), ("a commit", Verb::Replace), ("devices", Verb::Page)] {
        app.setting().faults.fail(Fault::every().on(verb));
        let reply = ada.post("/fail", &format!("how={how}")).await;
        app.setting().faults.heal();
        assert!(is_bare(&reply, 503), "{how}: {reply:?}");
    }
}

pub async fn a_missing_field_comes_back_as_its_error(app: &impl WebApp) {
    for (form, message) in [("note=hi", "is missing"), ("note=hi&count=x", "is not a number")] {
        let client = Client::new(app);
        let reply = client.post("/order", form).await;
        assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/order"), "{form}");
        let page = client.get("/page").await.json();
        assert_eq!((&page["errors"], &page["old"]["note"]), (&json!({ "count": [message] }), &json!("hi")));
    }
    assert_eq!(Client::new(app).post("/order", "count=3").await.body, "3");
}

pub async fn every_wrong_field_comes_back_with_its_error(app: &impl WebApp) {
    let multipart = "--X\r\nContent-Disposition: form-data; name=\"price\"\r\n\r\nmuch\r\n--X\r\n\
                     Content-Disposition: form-data; name=\"gift\"\r\n\r\nperhaps\r\n--X--\r\n";
    let bodies = [
        ("application/x-www-form-urlencoded", "price=much&gift=perhaps"),
        ("multipart/form-data; boundary=X", multipart),
    ];
    for (content_type, body) in bodies {
        let client = Client::new(app);
        let reply = client.send(Method::POST, "/order", &[("content-type", content_type)], body.into()).await;
        assert_eq!(reply.location(), "/order", "{content_type}");
        let page = client.get("/page").await.json();
        let expected = json!({
            "count": ["is missing"],
            "gift": ["is not a boolean"],
            "price": ["is not a number"],
        });
        assert_eq!((&page["errors"], &page["old"]["price"]), (&expected, &json!("much")), "{content_type}");
    }
}

pub async fn what_is_refused_leaves_its_reason_in_the_log(app: &impl WebApp) {
    let client = signed_in(app).await;
    let (heard, _guard) = Overheard::on_this_thread();
    for (path, form, status, reason) in [
        ("/count", "count=three", 422, "`count` is not a number"),
        ("/count", "", 422, "`count` is missing"),
        ("/guarded/echo", "a=1", 419, "the body has no CSRF token"),
        ("/guarded/echo", "_csrf=wrong", 419, "is not the session's own"),
        ("/misplaced", "a=1", 500, "put it inside the session layer"),
        ("/fail", "how=a value of another type", 500, "\"user\" holds a string"),
    ] {
        let before = heard.lines().len();
        assert_eq!(client.post(path, form).await.status, status, "{path} {form}");
        let lines = heard.lines().split_off(before);
        let said = lines.iter().filter(|line| line.target == "session" && line.text.contains(reason)).count();
        assert_eq!(said, 1, "{path} {form}: {lines:?}");
        assert!(lines.iter().all(|line| !line.text.contains("three")), "what was typed is not logged");
    }
    // Which header disagrees, and its value: a proxy may have changed the other one.
    let before = heard.lines().len();
    let elsewhere = [("origin", "https://elsewhere.example")];
    assert_eq!(client.post_with("/guarded/echo", "a=1", &elsewhere).await.status, 419);
    let lines = heard.lines().split_off(before);
    let said = |text: &str| lines.iter().any(|line| line.target == "session" && line.text.contains(text));
    assert!(said("https://elsewhere.example") && said("requested host (`host`)"), "{lines:?}");
}

pub async fn a_handle_is_a_path_parameter(app: &impl WebApp) {
    let client = signed_in(app).await;
    let handle = client.visit(|session| session.id().unwrap()).await;
    assert_eq!(client.get(&format!("/device/{handle}")).await.body, handle.to_string());
    assert!(client.get("/device/nonsense").await.status.is_client_error());
}

pub async fn a_farewell_is_shown_in_a_session_that_holds_nothing_else(app: &impl WebApp) {
    let ada = signed_in(app).await;
    ada.visit(|session| session.tag("ada").unwrap()).await;
    let thief = ada.copy();
    let reply = ada.post("/farewell", "").await;
    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/page"));
    let page = ada.get("/page").await.json();
    assert_eq!(page["flash_messages"], json!({ "status": "Bye", "more": "Soon" }));
    let left = ada.visit(|session| (session.user().name(), session.all().to_json())).await;
    assert_eq!(left, (None, "{}".to_owned()));
    assert_eq!(thief.get("/optional").await.body, "stranger", "the old id is dead");
}

pub async fn a_message_after_a_sign_out_is_dropped_and_its_redirect_is_sent(app: &impl WebApp) {
    let ada = signed_in(app).await;
    let reply = ada.post("/sign-out", "").await;
    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/page"));
    assert!(reply.set_cookie().contains("Max-Age=0"), "{}", reply.set_cookie());
    assert_eq!(ada.get("/page").await.json()["flash_messages"], json!({}));
}

pub async fn features_6_a_page_for_users_sends_strangers_to_sign_in_and_back(app: &impl WebApp) {
    for path in ["/account?tab=2", "/area/account"] {
        let client = Client::new(app);
        client.visit(|session| session.flash("status", "Saved").unwrap()).await;
        let reply = client.get(path).await;
        assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/sign-in"), "{path}");
        let shown = client.get("/page").await.json();
        assert_eq!(shown["flash_messages"]["status"], "Saved", "the redirect has shown nothing");
        client.visit(|session| session.tag("ada").unwrap()).await;
        assert_eq!(client.post("/intended", "").await.location(), path);
        assert_eq!(client.get(path).await.body, "ada", "{path}");
    }
    let stranger = Client::new(app);
    assert!(is_bare(&stranger.post("/account", "a=1").await, 401), "a form cannot be sent again");
    let script = [("sec-fetch-dest", "empty")];
    let reply = stranger.send(Method::GET, "/account", &script, Bytes::new()).await;
    assert!(is_bare(&reply, 401), "nor is a script led anywhere");
}

pub async fn features_6_only_a_navigation_is_sent_to_sign_in(app: &impl WebApp) {
    for path in ["/account", "/secret"] {
        for (method, headers) in [
            (Method::HEAD, &[][..]),
            (Method::GET, &[("accept", "application/json")]),
            (Method::GET, &[("accept", "application/json, text/plain, */*")]),
            (Method::GET, &[("accept", "text/event-stream")]),
            (
                Method::GET,
                &[("sec-websocket-key", "AAAA"), ("upgrade", "websocket"), ("connection", "upgrade")],
            ),
            (Method::GET, &[("x-requested-with", "XMLHttpRequest"), ("accept", "text/html")]),
            (Method::GET, &[("hx-request", "true")]),
            (Method::GET, &[("turbo-frame", "cart"), ("x-turbo-request-id", "1")]),
            (Method::GET, &[("sec-purpose", "prefetch;prerender"), ("sec-fetch-dest", "document")]),
            (Method::GET, &[("purpose", "preview")]),
            (Method::GET, &[("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "navigate")]),
        ] {
            let client = Client::new(app);
            client.visit(|session| session.put("user", "ada").unwrap()).await;
            let reply = client.send(method.clone(), path, headers, Bytes::new()).await;
            assert!(is_bare(&reply, 401), "{method} {path} {headers:?}: {reply:?}");
            let intended = client.visit(|session| session.urls().intended()).await;
            assert_eq!(intended, None, "{method} {path} {headers:?}");
        }
        for headers in [
            &[("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")][..],
            &[("accept", "*/*")],
            &[
                ("sec-fetch-dest", "document"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[("hx-request", "true"), ("hx-boosted", "true")],
            &[("x-inertia", "true"), ("x-requested-with", "XMLHttpRequest")],
            &[("x-turbo-request-id", "1"), ("sec-fetch-dest", "empty")],
        ] {
            let reply = Client::new(app).send(Method::GET, path, headers, Bytes::new()).await;
            assert_eq!((reply.status.as_u16(), reply.location()), (303, "/sign-in"), "{path} {headers:?}");
        }
    }
}

pub async fn features_6_a_page_for_users_costs_a_user_one_load(app: &impl WebApp) {
    let client = Client::new(app);
    client.visit(|session| session.tag("ada").unwrap()).await;
    app.setting().store.take();
    for method in [Method::GET, Method::POST] {
        assert_eq!(client.send(method, "/account", &[], Bytes::new()).await.body, "ada");
        assert_eq!(app.setting().store.take().len(), 1);
    }
    app.setting().faults.fail(Fault::every().on(Verb::Load));
    assert!(is_bare(&client.get("/account").await, 503), "a user is never taken for a stranger");
}

pub async fn features_6_a_page_that_needs_a_recent_confirmation_asks_again(app: &impl WebApp) {
    let client = Client::new(app);
    client.visit(|session| session.tag("ada").unwrap()).await;
    assert_eq!(client.get("/secret").await.location(), "/sign-in", "signed in, and never confirmed");
    client.visit(|session| session.user().confirm().unwrap()).await;
    assert_eq!(client.get("/secret").await.body, "ada");
    app.setting().clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(client.get("/secret").await.location(), "/sign-in");
}
