//! Redirects: back, to a page, to the intended page, and never to another site.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::json;
use session_core::SessionError;

use crate::web::{Client, WebApp};

pub async fn features_5_back_leaves_message_errors_and_input(app: &impl WebApp) {
    let client = Client::new(app);
    let reply = client.post("/back", "email=e&password=p").await;
    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/fallback"));
    let page = client.get("/page").await.json();
    assert_eq!(page["flash_messages"], json!({"status": "Saved"}));
    assert_eq!(page["errors"], json!({"email": ["is taken"]}));
    assert_eq!(page["old"], json!({"email": "e"}));
}

pub async fn features_5_back_prefers_a_referer_with_a_path_to_the_previous_page(app: &impl WebApp) {
    let client = Client::new(app);
    client.get("/page?step=1").await;
    client.get("/other?step=2").await;
    for (referer, location) in [
        ("https://shop.example/cart?x=1", "/cart?x=1"),
        // A `Referer` with only the origin, or with another site's page.
        ("https://shop.example/", "/other?step=2"),
        ("https://shop.example", "/other?step=2"),
        ("https://search.example/?q=shop", "/other?step=2"),
    ] {
        let reply = client.post_with("/back", "", &[("referer", referer)]).await;
        assert_eq!(reply.location(), location, "{referer}");
    }
    assert_eq!(client.post("/back", "").await.location(), "/other?step=2");
}

pub async fn features_5_back_leads_to_the_start_page_if_it_knows_no_other(app: &impl WebApp) {
    for referer in ["https://shop.example/", "https://shop.example"] {
        let reply = Client::new(app).post_with("/back", "", &[("referer", referer)]).await;
        assert_eq!(reply.location(), "/", "{referer}");
    }
    let client = Client::new(app);
    client.get("/page?step=1").await;
    for (referer, location) in
        [("https://shop.example/?tab=2", "/?tab=2"), ("https://shop.example/", "/page?step=1")]
    {
        assert_eq!(client.post_with("/back", "", &[("referer", referer)]).await.location(), location);
    }
}

pub async fn features_5_pages_that_a_script_loads_are_pages(app: &impl WebApp) {
    let client = Client::new(app);
    for (path, headers) in [
        ("/page?turbo", vec![("sec-fetch-dest", "empty"), ("x-turbo-request-id", "1")]),
        ("/api?inertia", vec![("x-requested-with", "XMLHttpRequest"), ("x-inertia", "true")]),
        ("/page?htmx", vec![("hx-request", "true"), ("hx-boosted", "true")]),
        ("/page?pjax", vec![("x-requested-with", "XMLHttpRequest"), ("x-pjax", "true")]),
    ] {
        client.send(Method::GET, path, &headers, Bytes::new()).await;
        assert_eq!(client.post("/back", "").await.location(), path);
        let frame = [("turbo-frame", "cart"), ("x-turbo-request-id", "2")];
        client.send(Method::GET, "/other?frame", &frame, Bytes::new()).await;
        client.send(Method::GET, "/other?part", &[("hx-request", "true")], Bytes::new()).await;
        assert_eq!(client.post("/back", "").await.location(), path, "a frame is no page");
    }
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

pub async fn features_5_back_knows_its_host_however_it_is_written(app: &impl WebApp) {
    for (host, site, referer, location) in [
        ("shop.example:443", "", "https://shop.example/cart", "/cart"),
        ("Shop.Example", "", "http://shop.example:80/cart", "/cart"),
        ("shop.example.", "", "https://shop.example./cart", "/cart"),
        ("[::1]:3000", "", "http://[::1]:3000/cart", "/cart"),
        ("shop.example:80", "", "https://shop.example/cart", "/fallback"),
        ("[::1]:3000", "", "http://[::1]/cart", "/fallback"),
        // A proxy has changed the host, and the browser says that the page is of this origin.
        ("10.0.0.1:8080", "same-origin", "https://shop.example/cart?x=1", "/cart?x=1"),
        ("10.0.0.1:8080", "same-origin", "https://shop.example//evil", "/fallback"),
        ("10.0.0.1:8080", "same-origin", "/cart", "/fallback"),
        ("10.0.0.1:8080", "same-site", "https://blog.shop.example/cart", "/fallback"),
        ("10.0.0.1:8080", "cross-site", "https://shop.example/cart", "/fallback"),
        ("10.0.0.1:8080", "", "https://shop.example/cart", "/fallback"),
    ] {
        let mut headers = vec![("host", host), ("referer", referer)];
        headers.extend((!site.is_empty()).then_some(("sec-fetch-site", site)));
        let reply = Client::new(app).post_with("/back", "", &headers).await;
        assert_eq!(reply.location(), location, "{headers:?}");
    }
}

pub async fn features_5_what_a_script_asks_for_is_no_page_where_no_header_says_so(app: &impl WebApp) {
    let client = Client::new(app);
    client.get("/page").await;
    for headers in [
        ("accept", "application/json, text/plain, */*"),
        ("accept", "text/event-stream"),
        ("accept", "image/avif,image/webp,*/*;q=0.8"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("purpose", "preview"),
    ] {
        client.send(Method::GET, "/other", &[headers], Bytes::new()).await;
        assert_eq!(client.post("/back", "").await.location(), "/page", "{headers:?}");
    }
    for accept in ["text/html,application/xhtml+xml,*/*;q=0.8", "*/*", "application/xml, text/html"] {
        client.get("/page").await;
        client.send(Method::GET, "/other", &[("accept", accept)], Bytes::new()).await;
        assert_eq!(client.post("/back", "").await.location(), "/other", "{accept}");
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

/// URLs that lead to another site, as browsers read them: schemes, authorities, backslashes, control characters that browsers drop,
/// and each of them percent-encoded once, twice, three times.
pub(crate) const ELSEWHERE: &[&str] = &[
    "https://evil",
    "HTTPS://evil",
    "https:/evil",
    "http:evil",
    "https://shop.example@evil/",
    "https://shop.example/",
    "//evil",
    "///evil",
    "/\\evil",
    "\\/evil",
    "\\\\evil",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:x",
    "/%2fevil",
    "/%2Fevil",
    "/%5cevil",
    "/%5Cevil",
    "/%252Fevil",
    "/%255Cevil",
    "/%25252Fevil",
    "%2f%2fevil",
    "/%09/evil",
    "/%0d%0a/evil",
    "/%00/evil",
    "/\t/evil",
    "/\n/evil",
    "/\r\n/evil",
    "/\0/evil",
    "/ /evil",
    "\t//evil",
    " //evil",
    "evil",
    "./evil",
    "",
    "?x",
    "#x",
];

/// Characters other than visible ASCII: refused in an intended URL, and percent-encoded by a redirect.
pub(crate) const NOT_ASCII: &[&str] =
    &["/\u{ff0f}evil", "/\u{2028}/evil", "/\u{2215}evil", "/caf\u{e9}", "/\u{7f}evil"];

pub async fn peers_25_no_redirect_leads_elsewhere(app: &impl WebApp) {
    let client = Client::new(app);
    for url in ELSEWHERE.iter().chain(NOT_ASCII) {
        let form = format!("to={}", encode(url));
        assert_eq!(client.post("/intend", &form).await.status, StatusCode::BAD_REQUEST, "{url:?}");
        assert_eq!(client.post("/intended", "").await.location(), "/fallback", "{url:?}");
    }
    for url in ELSEWHERE {
        let reply = client.post("/to", &format!("to={}", encode(url))).await;
        assert_eq!((reply.status, reply.location()), (StatusCode::INTERNAL_SERVER_ERROR, ""), "{url:?}");
    }
    for url in NOT_ASCII {
        let reply = client.post("/to", &format!("to={}", encode(url))).await;
        assert_eq!(reply.location(), format!("/{}", encode(&url[1..]).replace("%2F", "/")), "{url:?}");
    }
}

pub async fn peers_25_the_page_to_go_back_to_is_on_this_site(app: &impl WebApp) {
    let client = Client::new(app);
    for url in ELSEWHERE.iter().chain(NOT_ASCII) {
        let noted = client.visit(move |session| session.urls().set_previous(url)).await;
        assert!(matches!(noted, Err(SessionError::RefusedUrl)), "{url:?}");
        assert_eq!(client.post("/back", "").await.location(), "/fallback", "{url:?}");
    }
    client.visit(|session| session.urls().set_previous("/cart?step=2").unwrap()).await;
    assert_eq!(client.visit(|session| session.urls().previous()).await.as_deref(), Some("/cart?step=2"));
    assert_eq!(client.post("/back", "").await.location(), "/cart?step=2");
}

pub async fn features_5_only_hosts_that_the_application_lists_are_led_to(app: &impl WebApp) {
    let client = Client::new(app);
    for url in
        ["https://accounts.example/login?x=1", "https://ACCOUNTS.example", "https://accounts.example:8080/a"]
    {
        let form = format!("to={}", encode(url));
        assert_eq!(client.post("/to", &form).await.location(), url);
        assert_eq!(client.post("/intend", &form).await.status, StatusCode::NO_CONTENT, "{url}");
        assert_eq!(client.post("/intended", "").await.location(), url);
    }
    for url in [
        "https://accounts.example.evil/",
        "https://accounts.example@evil/",
        "https://evil/accounts.example",
        "https://accounts.example:8443/",
        "https://accounts.example\\@evil/",
        "http://accounts.example/",
        "https:///accounts.example",
        "https://",
        "ftp://accounts.example/",
        "//accounts.example/",
    ] {
        let form = format!("to={}", encode(url));
        assert_eq!(client.post("/to", &form).await.status, StatusCode::INTERNAL_SERVER_ERROR, "{url}");
        assert_eq!(client.post("/intend", &form).await.status, StatusCode::BAD_REQUEST, "{url}");
    }
}

pub async fn features_5_an_intended_url_is_seen_until_it_is_pulled_or_cleared(app: &impl WebApp) {
    let client = Client::new(app);
    client.visit(|session| session.urls().set_intended("/orders").unwrap()).await;
    for _ in 0..2 {
        assert_eq!(client.visit(|session| session.urls().intended()).await.as_deref(), Some("/orders"));
    }
    let pulled = client.visit(|session| session.urls().pull_intended().unwrap()).await;
    assert_eq!(pulled.as_deref(), Some("/orders"));
    assert_eq!(client.visit(|session| session.urls().intended()).await, None);
    client.visit(|session| session.urls().set_intended("/orders").unwrap()).await;
    client.visit(|session| session.urls().clear_intended().unwrap()).await;
    assert_eq!(client.post("/intended", "").await.location(), "/fallback");
}

pub async fn features_5_a_redirect_target_ends_no_header_line(app: &impl WebApp) {
    let reply = Client::new(app).post("/to", "to=/a%0D%0ASet-Cookie%3A+b%3D1").await;
    assert_eq!(reply.location(), "/a%0D%0ASet-Cookie:%20b=1");
    assert!(reply.headers.get("set-cookie").is_none());
}

/// Encodes it as a form does.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
