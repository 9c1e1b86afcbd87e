//! Configuration: sessions that are switched off, and sessions in their cookies.

use http::{Method, StatusCode};

use crate::web::{Client, WebApp};

pub async fn features_7_sessions_that_are_switched_off_step_aside(app: &impl WebApp) {
    let client = Client::new(app);
    let stale = "__Host-sid=".to_owned() + &"A".repeat(164);
    for cookie in [None, Some(stale)] {
        client.wear(cookie);
        let plain = client.get("/plain").await;
        assert_eq!((plain.status, &*plain.body), (StatusCode::OK, b"plain".as_slice()));
        let form = client.post("/echo", "email=e&tags[]=x").await;
        assert_eq!(
            form.json(),
            serde_json::json!({ "email": "e", "tags": ["x"] }),
            "forms are read all the same"
        );
        assert_eq!(
            client.post("/echo", &"a".repeat(1024 * 1024 + 1)).await.status,
            413,
            "within their limits"
        );
        for reply in [plain, form] {
            assert_eq!(reply.set_cookie(), "");
            assert!(reply.headers.get("vary").is_none());
        }
    }
    assert_eq!(app.store_calls(), 0);
}

pub async fn features_7_a_handler_that_asks_for_a_session_that_is_switched_off_is_a_bare_500(
    app: &impl WebApp,
) {
    let client = Client::new(app);
    for (method, path) in [
        (Method::GET, "/page"),
        (Method::POST, "/login"),
        (Method::POST, "/intended"),
        // No token is valid, so no request that needs one passes.
        (Method::POST, "/guarded/echo"),
    ] {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let reply = client.send(method, path, &headers, "a=1".into()).await;
        assert_eq!((reply.status, reply.body.len()), (StatusCode::INTERNAL_SERVER_ERROR, 0), "{path}");
        assert_eq!(reply.set_cookie(), "", "{path}");
    }
    assert_eq!(client.get("/guarded/echo").await.body, "plain", "what needs no token needs no session");
    assert_eq!(app.store_calls(), 0);
}

pub async fn features_7_a_session_in_its_cookie_asks_no_store(app: &impl WebApp) {
    let client = Client::new(app);
    client.visit(|session| session.put("user", "ada").unwrap()).await;
    let first = client.cookie();
    let token = client.csrf().await;
    assert_ne!(client.cookie(), first, "what changed is sealed anew");
    assert_eq!(client.post("/guarded/echo", &format!("_csrf={token}")).await.status, 200);
    client.submit("email=e&password=p", |session| session.flash_all().unwrap()).await;
    assert_eq!(client.get("/page").await.json()["old"], serde_json::json!({ "email": "e" }));
    let user = client.visit(|session| session.get::<String>("user").unwrap()).await;
    assert_eq!(user.as_deref(), Some("ada"));
    let (_, reply) = client.submit("", |session| session.errors().any()).await;
    assert_eq!(reply.set_cookie(), "", "a look changes nothing");
    assert_eq!(app.store_calls(), 0);
}
