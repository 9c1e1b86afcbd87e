//! The claims, one function each.

#![expect(missing_docs, reason = "each name says what it claims")]

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::json;

use super::{Client, WebApp};

const MULTIPART: &str = "multipart/form-data; boundary=X";

pub async fn features_3_input_nests_and_is_read_without_a_session(app: &impl WebApp) {
    let client = Client::new(app);
    let reply = client.post("/echo", "profile[email]=a%40b&profile.name=ada&tags[]=1&tags[]=2&a=1&a=2").await;
    let expected = json!({"profile": {"email": "a@b", "name": "ada"}, "tags": ["1", "2"], "a": ["1", "2"]});
    assert_eq!(reply.json(), expected);
    assert_eq!(client.get("/echo?q=tea&n[]=1").await.json(), json!({"q": "tea", "n": ["1"]}));
    assert_eq!(app.store_calls(), 0);
}

pub async fn features_3_multipart_files_are_skipped(app: &impl WebApp) {
    let body = "--X\r\nContent-Disposition: form-data; name=\"user[name]\"\r\n\r\nada\r\n\
        --X\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"p.png\"\r\n\r\n\u{0}PNG\r\n--X--\r\n";
    let headers = [("content-type", MULTIPART)];
    let reply = Client::new(app).send(Method::POST, "/echo", &headers, body.into()).await;
    assert_eq!(reply.json(), json!({"user": {"name": "ada"}}));
}

pub async fn features_3_bad_bodies_are_refused_with_their_status(app: &impl WebApp) {
    let client = Client::new(app);
    let many = "a=1&".repeat(1_001);
    for (content_type, body, status) in [
        (Some(MULTIPART), "--X\r\nnonsense", 400),
        (Some("multipart/form-data"), "", 400),
        (Some("application/json"), "{}", 415),
        (None, "a=1", 415),
        (Some("application/x-www-form-urlencoded"), many.as_str(), 413),
    ] {
        let headers: Vec<_> = content_type.map(|kind| ("content-type", kind)).into_iter().collect();
        let reply =
            client.send(Method::POST, "/echo", &headers, Bytes::copy_from_slice(body.as_bytes())).await;
        assert_eq!(reply.status, status, "{content_type:?}");
    }
}

pub async fn features_3_a_body_is_not_read_beyond_its_limit(app: &impl WebApp) {
    let client = Client::new(app);
    assert_eq!(client.post("/small", &"a".repeat(64)).await.status, 200);
    assert_eq!(client.post("/small", &"a".repeat(65)).await.status, 413);
    assert_eq!(client.post("/echo", &"a".repeat(1024 * 1024)).await.status, 200);
    assert_eq!(client.post("/echo", &"a".repeat(1024 * 1024 + 1)).await.status, 413);
}

pub async fn features_3_input_becomes_the_type_that_is_asked_for(app: &impl WebApp) {
    let client = Client::new(app);
    assert_eq!(client.post("/count", "count=3").await.body, "3");
    let reply = client.post("/count", "count=hunter2").await;
    assert_eq!((reply.status, reply.body.is_empty()), (StatusCode::UNPROCESSABLE_ENTITY, true));
}

pub async fn features_3_flash_all_keeps_input_but_no_secret_at_any_depth(app: &impl WebApp) {
    let client = Client::new(app);
    let form = "email=a%40b&password=x&password_confirmation=x&_token=x&_csrf=x&_method=PUT\
        &user[password]=x&user[name]=ada&users[][password]=x&deep[a][b][_token]=x&deep[a][b][c]=1&deep.a.password=x";
    client.post("/flash?all", form).await;
    let old = client.get("/page").await.json()["old"].clone();
    assert_eq!((&old["email"], &old["user"]["name"]), (&json!("a@b"), &json!("ada")));
    assert_eq!(old["deep"]["a"]["b"], json!({"c": "1"}));
    assert!(!old.to_string().contains("\"x\""), "{old}");
    assert_eq!(client.get("/page").await.json()["old"], json!({}), "for one visit only");
}

pub async fn features_3_flash_only_and_except_choose_fields(app: &impl WebApp) {
    let client = Client::new(app);
    let form = "email=e&name=n&password=p&user[password]=q&user[name]=u";
    client.post("/flash?only=email,user", form).await;
    assert_eq!(client.get("/page").await.json()["old"], json!({"email": "e", "user": {"name": "u"}}));
    client.post("/flash?only=user.password", form).await;
    assert_eq!(client.get("/page").await.json()["old"], json!({"user": {"password": "q"}}), "it was named");
    client.post("/flash?except=email,user", form).await;
    assert_eq!(client.get("/page").await.json()["old"], json!({"name": "n"}));
}

pub async fn features_3_input_is_remembered_in_either_order(app: &impl WebApp) {
    let client = Client::new(app);
    for route in ["/flash?all", "/flash-late?all"] {
        client.post(route, "email=e").await;
        assert_eq!(client.get("/page").await.json()["old"], json!({"email": "e"}), "{route}");
    }
}

pub async fn features_3_a_post_that_flashes_nothing_costs_nothing(app: &impl WebApp) {
    let client = Client::new(app);
    client.csrf().await;
    let before = app.store_calls();
    let reply = client.post("/echo", "email=e").await;
    assert_eq!(app.store_calls(), before);
    assert!(reply.headers.get("vary").is_none() && reply.headers.get("set-cookie").is_none());
}

pub async fn features_5_back_leaves_message_errors_and_input(app: &impl WebApp) {
    let client = Client::new(app);
    let reply = client.post("/back", "email=e&password=p").await;
    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/fallback"));
    let page = client.get("/page").await.json();
    assert_eq!(page["flash_messages"], json!({"status": "Saved"}));
    assert_eq!(page["errors"], json!({"email": ["is taken"]}));
    assert_eq!(page["old"], json!({"email": "e"}));
}

pub async fn features_5_back_prefers_the_previous_page_to_the_referer(app: &impl WebApp) {
    let client = Client::new(app);
    client.get("/page?step=1").await;
    client.get("/other?step=2").await;
    let referer = [("referer", "https://shop.example/cart")];
    assert_eq!(client.post_with("/back", "", &referer).await.location(), "/other?step=2");
}

pub async fn features_5_back_follows_only_a_referer_of_this_host(app: &impl WebApp) {
    for (referer, location) in [
        ("https://shop.example/cart?x=1", "/cart?x=1"),
        ("http://SHOP.example", "/"),
        ("https://evil.example/", "/fallback"),
        ("https://shop.example.evil/", "/fallback"),
        ("https://shop.example@evil/", "/fallback"),
        ("https://evil/https://shop.example/", "/fallback"),
        ("https://shop.example//evil", "/fallback"),
        ("https://shop.example/%2fevil", "/fallback"),
        ("https://shop.example/\\evil", "/fallback"),
        ("//shop.example/cart", "/fallback"),
        ("javascript:alert(1)", "/fallback"),
        ("/cart", "/fallback"),
    ] {
        let reply = Client::new(app).post_with("/back", "", &[("referer", referer)]).await;
        assert_eq!(reply.location(), location, "{referer}");
    }
}

pub async fn features_5_pages_are_tracked_without_causing_a_load(app: &impl WebApp) {
    let client = Client::new(app);
    client.get("/page").await;
    for (path, headers) in [
        ("/plain", vec![]),
        ("/api", vec![]),
        ("/missing", vec![]),
        ("/other?prefetch", vec![("sec-purpose", "prefetch;prerender")]),
        ("/other?frame", vec![("sec-fetch-dest", "iframe")]),
        ("/other?script", vec![("x-requested-with", "XMLHttpRequest")]),
    ] {
        let before = app.store_calls();
        client.send(Method::GET, path, &headers, Bytes::new()).await;
        if path == "/plain" {
            assert_eq!(app.store_calls(), before, "nothing is loaded for a page without a session");
        }
        assert_eq!(client.post("/back", "").await.location(), "/page", "{path}");
    }
    client.get("/other").await;
    let before = app.store_calls();
    client.get("/other").await;
    assert_eq!(app.store_calls() - before, 1, "the same page again is no write");
}

pub async fn features_5_intended_urls_are_followed_once(app: &impl WebApp) {
    let client = Client::new(app);
    assert_eq!(client.post("/intend", "to=/orders%3Fopen%3D1").await.status, StatusCode::NO_CONTENT);
    let reply = client.post("/intended", "").await;
    assert_eq!((reply.status, reply.location()), (StatusCode::FOUND, "/orders?open=1"));
    assert_eq!(client.post("/intended", "").await.location(), "/fallback");
}

/// What leads elsewhere, each as a form sends it (percent-encoded once).
const ELSEWHERE: &[&str] = &[
    "https%3A%2F%2Fevil",
    "HTTPS%3A%2F%2Fevil",
    "http%3Aevil",
    "%2F%2Fevil",
    "%2F%2F%2Fevil",
    "%2F%5Cevil",
    "%5C%2Fevil",
    "%5C%5Cevil",
    "javascript%3Aalert(1)",
    "JavaScript%3Aalert(1)",
    "java%0Ascript%3Aalert(1)",
    "data%3Atext%2Fhtml%2Cx",
    "vbscript%3Ax",
    "file%3A%2F%2F%2Fetc%2Fpasswd",
    "%2F%252Fevil",
    "%2F%255Cevil",
    "%2F%25252Fevil",
    "%2F%2509%2Fevil",
    "%2F%09%2Fevil",
    "%2F%0A%2Fevil",
    "%2F%0D%0A%2Fevil",
    "%2F%00%2Fevil",
    "%09%2F%2Fevil",
    "%20%2F%2Fevil",
    "evil",
    "",
    "%3Fx",
];

/// What is not ASCII: refused as an intended URL, and harmless once it is percent-encoded.
const NOT_ASCII: &[&str] = &["%2F%EF%BC%8Fevil", "%2F%E2%80%A8%2Fevil", "%2Fcaf%C3%A9"];

pub async fn peers_25_no_redirect_leads_elsewhere(app: &impl WebApp) {
    let client = Client::new(app);
    for url in ELSEWHERE.iter().chain(NOT_ASCII) {
        let form = format!("to={url}");
        assert_eq!(client.post("/intend", &form).await.status, StatusCode::BAD_REQUEST, "{url}");
        assert_eq!(client.post("/intended", "").await.location(), "/fallback", "{url}");
    }
    for url in ELSEWHERE {
        let reply = client.post("/to", &format!("to={url}")).await;
        assert_eq!((reply.status, reply.location()), (StatusCode::INTERNAL_SERVER_ERROR, ""), "{url}");
    }
    for url in NOT_ASCII {
        let reply = client.post("/to", &format!("to={url}")).await;
        assert!(reply.location().starts_with("/%") || reply.location() == "/caf%C3%A9", "{url}");
    }
}

pub async fn features_5_a_redirect_target_ends_no_header_line(app: &impl WebApp) {
    let reply = Client::new(app).post("/to", "to=/a%0D%0ASet-Cookie%3A+b%3D1").await;
    assert_eq!(reply.location(), "/a%0D%0ASet-Cookie:%20b=1");
    assert!(reply.headers.get("set-cookie").is_none());
}

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
    for value in ["", "wrong", foreign.as_str()] {
        let form = format!("_csrf={token}");
        let reply = client.post_with("/guarded/echo", &form, &[("x-csrf-token", value)]).await;
        assert_eq!(reply.status, refused, "a header that is wrong is not made good by a field");
    }
    // Neither in the query nor in a body that is no form.
    let query = format!("/guarded/echo?_csrf={token}");
    assert_eq!(client.post(&query, "a=1").await.status, refused);
    let json = Bytes::from(format!("{{\"_csrf\":\"{token}\"}}"));
    let headers = [("content-type", "application/json")];
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(client.send(method, "/guarded/echo", &headers, json.clone()).await.status, refused);
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

pub async fn features_5_csrf_token_survives_a_login_in_another_tab(app: &impl WebApp) {
    let client = Client::new(app);
    let token = client.csrf().await;
    client.post("/login", "").await;
    assert_ne!(client.csrf().await, token, "a new id brings a new token");
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

pub async fn ck_11_a_page_with_a_token_varies_by_cookie(app: &impl WebApp) {
    let client = Client::new(app);
    let reply = client.get("/page").await;
    assert_eq!(reply.headers["vary"], "Cookie");
    assert_eq!(reply.headers["cache-control"], "no-store", "it set a cookie");
    assert!(client.get("/plain").await.headers.get("vary").is_none());
}
