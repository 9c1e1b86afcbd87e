//! The token of a session outside of the usual cookie: in a header for native clients, in a cookie for a tenant's domain.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use session_core::Session;

use crate::web::{Client, Reply, WebApp};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Returns the token in the response, which is empty after a sign-out, or `None` if there is no such header.
fn token(reply: &Reply) -> Option<String> {
    let mut all = reply.headers.get_all("x-session").iter();
    let one = all.next().map(|value| value.to_str().unwrap().to_owned());
    assert!(
        all.next().is_none() && !reply.headers.contains_key(header::SET_COOKIE),
        "a token, and no cookie"
    );
    one
}

fn has(reply: &Reply, name: &str, element: &str) -> bool {
    let values = reply.headers.get_all(name).iter().map(|value| value.to_str().unwrap());
    values.flat_map(|value| value.split(',')).any(|found| found.trim().eq_ignore_ascii_case(element))
}

/// Sends a request of a native client to this handler.
async fn act(app: &impl WebApp, token: &str, act: impl FnOnce(&Session) + Send + 'static) -> Reply {
    app.setting().handlers.give(Box::new(move |session| {
        act(&session);
        Box::pin(async {})
    }));
    Client::new(app).send(Method::POST, "/do", &[("X-Session", token), FORM], "".into()).await
}

pub async fn a_native_client_keeps_its_session_in_a_header_and_no_cookie(app: &impl WebApp) {
    let reply = act(app, "", |session| session.put("user", "ada").unwrap()).await;
    let first = token(&reply).expect("a new session");
    assert!(has(&reply, "vary", "x-session") && has(&reply, "cache-control", "no-store"), "{reply:?}");
    assert!(!has(&reply, "vary", "cookie"));
    let look = |session: &Session| assert_eq!(session.get::<String>("user").unwrap().as_deref(), Some("ada"));
    let reply = act(app, &first, look).await;
    assert!(token(&reply).is_none() && has(&reply, "vary", "x-session"));
    let reply = act(app, &first, |session| session.regenerate().unwrap()).await;
    let second = token(&reply).expect("a new id");
    act(app, &second, look).await;
    for stranger in [first.as_str(), "forged", &second[1..]] {
        act(app, stranger, |session| assert!(session.status().fresh())).await;
    }
    // The token is not accepted as a cookie: this route accepts only one of the two.
    let client = Client::new(app);
    client.wear(Some(format!("__Host-sid={second}; x-session={second}")));
    assert!(client.visit(|session| session.status().fresh()).await);
}

pub async fn a_token_in_a_header_needs_no_csrf_token(app: &impl WebApp) {
    for body in ["a=1", ""] {
        for headers in
            [&[FORM][..], &[FORM, ("X-Session", "forged")], &[("content-type", "application/json")]]
        {
            let reply = Client::new(app).send(Method::POST, "/guarded/raw", headers, body.into()).await;
            assert_eq!(reply.status, 200, "{headers:?}");
        }
    }
}

pub async fn a_native_client_is_sent_to_no_page(app: &impl WebApp) {
    for headers in
        [&[][..], &[("accept", "*/*")], &[("accept", "text/html")], &[("sec-fetch-dest", "document")]]
    {
        let reply = Client::new(app).send(Method::GET, "/account", headers, Bytes::new()).await;
        assert_eq!((reply.status, reply.body.len()), (StatusCode::UNAUTHORIZED, 0), "{headers:?}");
        assert_eq!(token(&reply), None, "no session is begun for it: {headers:?}");
    }
    let first = token(&act(app, "", |session| session.tag("ada").unwrap()).await).unwrap();
    let client = Client::new(app);
    let reply = client.send(Method::GET, "/account", &[("X-Session", &first)], Bytes::new()).await;
    assert_eq!(reply.body, "ada");
}

pub async fn a_head_by_a_native_client_takes_no_message(app: &impl WebApp) {
    let first = token(&act(app, "", |session| session.flash("status", "Saved").unwrap()).await).unwrap();
    let get = async |method, headers: &[(&str, &str)]| {
        let headers = [headers, &[("X-Session", first.as_str())]].concat();
        Client::new(app).send(method, "/page", &headers, Bytes::new()).await
    };
    get(Method::HEAD, &[]).await;
    get(Method::GET, &[("sec-purpose", "prefetch")]).await;
    assert_eq!(get(Method::GET, &[]).await.json()["flash_messages"]["status"], "Saved");
    assert_eq!(get(Method::GET, &[]).await.json()["flash_messages"].get("status"), None);
}

pub async fn a_token_in_a_header_is_ended_with_an_empty_one(app: &impl WebApp) {
    let first = token(&act(app, "", |session| session.put("user", "ada").unwrap()).await).unwrap();
    let reply = act(app, &first, |session| session.destroy().unwrap()).await;
    assert_eq!(token(&reply).as_deref(), Some(""));
    assert!(has(&reply, "cache-control", "no-store"));
    let reply = act(app, &first, |session| assert!(session.status().fresh())).await;
    assert_eq!(token(&reply), None);
}

pub async fn the_cookie_has_the_domain_to_which_the_host_belongs(app: &impl WebApp) {
    // All requests of these claims are sent to shop.example.
    let client = Client::new(app);
    let (_, reply) = client.submit("", |session| session.put("user", "ada").unwrap()).await;
    assert!(reply.set_cookie().contains("; Path=/; Domain=shop.example; Secure"), "{}", reply.set_cookie());
    assert_eq!(client.visit(|session| session.get::<String>("user").unwrap()).await.as_deref(), Some("ada"));
    let (_, reply) = client.submit("", |session| session.destroy().unwrap()).await;
    assert!(
        reply.set_cookie().contains("; Domain=shop.example; ") && reply.set_cookie().contains("Max-Age=0")
    );
}
