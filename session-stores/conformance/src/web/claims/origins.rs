//! CSRF by headers: which requests pass without a token, which are refused in any case, and what pages get.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use serde_json::json;

use crate::web::{Client, Reply, WebApp};
use session_testkit::Verb;

const SAME_ORIGIN: [&[(&str, &str)]; 5] = [
    &[("sec-fetch-site", "same-origin")],
    &[("sec-fetch-site", "none")],
    &[("sec-fetch-site", "same-origin"), ("origin", "https://behind.a.proxy")],
    &[("origin", "https://shop.example")],
    &[("origin", "http://SHOP.example:80")],
];

const ELSEWHERE: [&[(&str, &str)]; 7] = [
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site"), ("origin", "https://blog.shop.example")],
    &[("sec-fetch-site", "cross-site"), ("origin", "https://shop.example")],
    &[("origin", "https://evil.example")],
    &[("origin", "https://shop.example.evil.example")],
    &[("origin", "https://shop.example:8443")],
    &[("origin", "https://evil.example"), ("x-forwarded-host", "shop.example")],
];

pub async fn features_5_csrf_a_page_of_this_origin_needs_no_token(app: &impl WebApp) {
    for client in [Client::new(app), signed_in(app).await] {
        let before = app.store_calls();
        for headers in SAME_ORIGIN {
            let reply = client.post_with("/guarded/echo", "a=1", headers).await;
            assert_eq!(reply.json(), json!({"a": "1"}), "{headers:?}");
            let body = Bytes::from_static(b"\x00\xff no form");
            assert_eq!(client.send(Method::POST, "/guarded/raw", headers, body.clone()).await.body, body);
        }
        assert_eq!(app.store_calls(), before, "and no session is opened");
    }
}

pub async fn features_5_csrf_another_origins_page_is_refused_with_any_token(app: &impl WebApp) {
    let client = signed_in(app).await;
    let token = client.csrf().await;
    let before = app.store_calls();
    for headers in ELSEWHERE {
        let with_header = [headers, &[("x-csrf-token", token.as_str())]].concat();
        refused(&client.post_with("/guarded/echo", "a=1", &with_header).await);
        refused(&client.post_with("/guarded/echo", &format!("_csrf={token}"), headers).await);
        // Longer than the part of a body that is read.
        refused(&client.post_with("/guarded/raw", &"a".repeat(1_100_000), headers).await);
        assert_eq!(client.send(Method::GET, "/guarded/echo", headers, Bytes::new()).await.body, "plain");
        assert_eq!(client.post_with("/guarded/hooks/x", "a=1", headers).await.body, "plain", "exempt");
    }
    assert_eq!(app.store_calls(), before, "no session is opened for it");
}

fn refused(reply: &Reply) {
    assert_eq!((reply.status.as_u16(), reply.set_cookie()), (419, ""));
    assert_eq!(reply.headers["cache-control"], "no-store");
}

pub async fn features_5_csrf_where_no_header_says_the_origin_the_token_decides(app: &impl WebApp) {
    let client = Client::new(app);
    let token = client.csrf().await;
    let forwarded = [("origin", "https://evil.example"), ("x-forwarded-host", "evil.example")];
    assert_eq!(
        client.post_with("/guarded/echo", "a=1", &forwarded).await.status.as_u16(),
        419,
        "not unless said"
    );
    let silent: [&[(&str, &str)]; 3] =
        [&[], &[("origin", "null")], &[("origin", ""), ("sec-fetch-site", "")]];
    for headers in silent {
        assert_eq!(
            client.post_with("/guarded/echo", "a=1", headers).await.status.as_u16(),
            419,
            "{headers:?}"
        );
        let form = format!("a=1&_csrf={token}");
        assert_eq!(client.post_with("/guarded/echo", &form, headers).await.status, 200, "{headers:?}");
    }
}

pub async fn features_5_csrf_an_origin_is_at_its_host_however_both_are_written(app: &impl WebApp) {
    for (origin, host, status) in [
        ("https://shop.example.", "shop.example.", 200),
        ("http://[::1]:3000", "[::1]:3000", 200),
        ("http://[::1]", "[::1]:80", 200),
        ("https://[2001:DB8::1]", "[2001:db8::1]:443", 200),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", 200),
        ("http://xn--caf-dma.example", "XN--CAF-DMA.example", 200),
        ("https://shop.example.", "shop.example", 419),
        ("https://shop.example", "shop.example.", 419),
        ("http://[::1]:3000", "[::1]:3001", 419),
        ("http://127.0.0.1", "localhost", 419),
        ("https://shop.example:443:1", "shop.example", 419),
        ("https://shop.example", "shop.example:80", 419),
        ("file://", "shop.example", 419),
    ] {
        let headers = [("origin", origin), ("host", host)];
        let reply = Client::new(app).post_with("/guarded/echo", "a=1", &headers).await;
        assert_eq!(reply.status.as_u16(), status, "{origin} at {host}");
    }
}

pub async fn features_5_csrf_an_empty_header_carries_no_token(app: &impl WebApp) {
    let client = Client::new(app);
    let token = client.csrf().await;
    let form = format!("_csrf={token}");
    let both = |one, other| [("x-csrf-token", one), ("x-xsrf-token", other)];
    for (headers, body, status) in [
        (both("", token.as_str()), "", 200),
        (both("wrong", token.as_str()), "", 200),
        (both(token.as_str(), "wrong"), "", 200),
        (both("", ""), form.as_str(), 200),
        (both("", ""), "", 419),
        (both("wrong", ""), form.as_str(), 419),
    ] {
        let reply = client.post_with("/guarded/echo", body, &headers).await;
        assert_eq!(reply.status.as_u16(), status, "{headers:?} {body}");
    }
}

pub async fn features_5_csrf_a_form_of_no_bytes_has_no_token(app: &impl WebApp) {
    let client = Client::new(app);
    client.csrf().await;
    for content_type in ["multipart/form-data; boundary=X", "multipart/form-data", "application/json"] {
        let headers = [("content-type", content_type)];
        let reply = client.send(Method::POST, "/guarded/raw", &headers, Bytes::new()).await;
        assert_eq!(reply.status.as_u16(), 419, "{content_type}");
    }
}

pub async fn features_5_csrf_the_token_may_be_in_a_json_body(app: &impl WebApp) {
    let client = Client::new(app);
    let (token, foreign) = (client.csrf().await, Client::new(app).csrf().await);
    let send = async |content_type: &str, body: String| {
        client.send(Method::POST, "/guarded/raw", &[("content-type", content_type)], body.into()).await
    };
    for (content_type, name) in [
        ("application/json", "_csrf"),
        ("application/json; charset=utf-8", "_token"),
        ("Application/JSON", "_csrf"),
        ("application/vnd.api+json", "_token"),
    ] {
        let body = format!(r#"{{"a": [1, {{"_csrf": "x"}}], "{name}": "{token}"}}"#);
        assert_eq!(send(content_type, body.clone()).await.body, body, "{content_type}");
    }
    for body in [
        format!(r#"{{"_csrf": "{foreign}"}}"#),
        format!(r#"{{"a": {{"_csrf": "{token}"}}}}"#),
        format!(r#"{{"_csrf": ["{token}"]}}"#),
        format!(r#"{{"_csrf": "wrong", "_token": "{token}"}}"#),
        format!(r#"["_csrf", "{token}"]"#),
        format!(r#"{{"_csrf": "{token}""#),
        r#"{"_csrf": null}"#.to_owned(),
        "{}".to_owned(),
        String::new(),
    ] {
        assert_eq!(send("application/json", body.clone()).await.status.as_u16(), 419, "{body}");
    }
    assert_eq!(send("text/plain", format!(r#"{{"_csrf": "{token}"}}"#)).await.status.as_u16(), 419);
}

pub async fn features_5_csrf_may_always_ask_for_the_token_and_trust_other_origins(app: &impl WebApp) {
    let client = Client::new(app);
    let token = client.csrf().await;
    let accepted: [&[(&str, &str)]; 3] = [
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://partner.example")],
        &[("origin", "https://front.example"), ("x-forwarded-host", "front.example, shop.example")],
    ];
    for headers in accepted {
        assert_eq!(
            client.post_with("/strict/echo", "a=1", headers).await.status.as_u16(),
            419,
            "{headers:?}"
        );
        let with_token = [headers, &[("x-csrf-token", token.as_str())]].concat();
        assert_eq!(client.post_with("/strict/echo", "a=1", &with_token).await.body, "plain", "{headers:?}");
    }
    for headers in [
        [("sec-fetch-site", "cross-site"), ("origin", "http://partner.example")],
        [("sec-fetch-site", "same-site"), ("origin", "https://x.partner.example")],
        [("origin", "https://shop.example"), ("x-forwarded-host", "front.example")],
    ] {
        let with_token = [headers.as_slice(), &[("x-csrf-token", token.as_str())]].concat();
        assert_eq!(
            client.post_with("/strict/echo", "a=1", &with_token).await.status.as_u16(),
            419,
            "{headers:?}"
        );
    }
}

pub async fn at_5_no_form_from_before_a_sign_in_is_accepted_after_it(app: &impl WebApp) {
    let client = Client::new(app);
    let planted = client.csrf().await;
    client.visit(|session| session.regenerate().and_then(|()| session.tag("ada")).unwrap()).await;
    assert_eq!(client.post("/guarded/echo", &format!("_csrf={planted}")).await.status.as_u16(), 419);
    let own = client.csrf().await;
    assert_eq!(client.post("/guarded/echo", &format!("_csrf={own}")).await.status, 200);
    client.visit(|session| session.tag("bob").unwrap()).await;
    assert_eq!(client.post("/guarded/echo", &format!("_csrf={own}")).await.status.as_u16(), 419);
}

pub async fn at_6_the_csrf_token_of_every_page_is_different_and_valid(app: &impl WebApp) {
    let client = Client::new(app);
    let tokens = [client.csrf().await, client.csrf().await, client.csrf().await];
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2] && tokens[0] != tokens[2]);
    let shared = tokens[0].bytes().zip(tokens[1].bytes()).filter(|(one, other)| one == other).count();
    assert!(shared < 20, "{shared} of 86 characters at the same place");
    for token in tokens {
        assert_eq!(client.post("/guarded/echo", &format!("_csrf={token}")).await.status, 200);
    }
}

pub async fn at_9_a_socket_is_not_opened_by_another_origins_page(app: &impl WebApp) {
    let client = signed_in(app).await;
    let open = async |headers| client.send(Method::GET, "/socket", headers, Bytes::new()).await;
    for headers in SAME_ORIGIN {
        assert_eq!(open(headers).await.body, "plain", "{headers:?}");
    }
    assert_eq!(open(&[]).await.body, "plain", "no browser");
    assert_eq!(
        open(&[("origin", "https://partner.example")]).await.body,
        "plain",
        "trusted by the CSRF layer"
    );
    for headers in ELSEWHERE {
        let reply = open(headers).await;
        assert_eq!((reply.status, reply.body.len()), (StatusCode::FORBIDDEN, 0), "{headers:?}");
    }
    assert_eq!(open(&[("origin", "null")]).await.status, StatusCode::FORBIDDEN, "a sandboxed frame");
}

pub async fn at_19_private_pages_are_kept_out_of_caches(app: &impl WebApp) {
    let private = |reply: &Reply| {
        reply.headers.get(header::CACHE_CONTROL).is_some_and(|value| value == "no-store, private")
    };
    let ada = Client::new(app);
    assert!(private(&ada.get("/page").await), "it shows the token");
    assert!(private(&ada.get("/page").await), "and sets no cookie");
    assert!(!private(&ada.get("/optional").await), "of a session that has a token, which is not shown");
    assert!(!private(&Client::new(app).get("/optional").await));
    ada.visit(|session| session.tag("ada").unwrap()).await;
    assert!(private(&ada.get("/optional").await), "of a user");
    assert!(!private(&ada.get("/plain").await), "nobody looked");
}

pub async fn at_19_a_sign_out_may_clear_what_the_browser_keeps(app: &impl WebApp) {
    let ada = signed_in(app).await;
    assert!(!ada.copy().get("/page").await.headers.contains_key("clear-site-data"));
    let reply = ada.post("/sign-out?clear", "").await;
    assert_eq!(reply.headers["clear-site-data"], r#""cache", "storage""#);
    assert!(reply.set_cookie().contains("Max-Age=0"));
    let other = signed_in(app).await;
    assert!(!other.post("/sign-out", "").await.headers.contains_key("clear-site-data"));
}

pub async fn features_5_the_xsrf_cookie_is_what_axios_and_angular_send_back(app: &impl WebApp) {
    let client = Client::new(app);
    client.visit(|session| session.put("a", 1).unwrap()).await;
    assert_eq!(xsrf(&client.get("/optional").await), None, "there is no token yet");
    let set = xsrf(&client.get("/page").await).expect("a page with a token");
    let (pair, attributes) = set.split_once(';').unwrap();
    assert_eq!(
        attributes, " Path=/; Secure; SameSite=Lax",
        "those of the session's cookie, but for HttpOnly"
    );
    let (name, token) = pair.split_once('=').unwrap();
    assert_eq!(name, "XSRF-TOKEN");
    assert_eq!(client.post_with("/guarded/echo", "a=1", &[("x-xsrf-token", token)]).await.status, 200);

    app.setting().store.take();
    let with = |cookie: &str| {
        let browser = client.copy();
        browser.wear(client.cookie().map(|session| format!("{session}; {cookie}")));
        browser
    };
    for path in ["/page", "/optional"] {
        assert_eq!(xsrf(&with(pair).get(path).await), None, "the browser has it");
    }
    assert_eq!(app.setting().store.verbs(), [Verb::Load, Verb::Load], "and it costs nothing");
    for stale in ["XSRF-TOKEN=", "XSRF-TOKEN=wrong", "xsrf-token=wrong"] {
        let reply = with(stale).get("/optional").await;
        assert!(xsrf(&reply).is_some() && reply.headers["cache-control"] == "no-store", "{stale}");
    }
    assert_eq!(xsrf(&client.get("/plain").await), None, "nobody looked");
    client.visit(|session| session.tag("ada").unwrap()).await;
    assert!(xsrf(&with(pair).get("/page").await).is_some(), "a new user, a new token");
}

fn xsrf(reply: &Reply) -> Option<String> {
    let all = reply.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    all.filter(|value| value.starts_with("XSRF-TOKEN=")).map(str::to_owned).next()
}

async fn signed_in<A: WebApp>(app: &A) -> Client<'_, A> {
    let client = Client::new(app);
    client.visit(|session| session.tag("ada").unwrap()).await;
    client
}
