//! Forms: input is read, flashed, and shown again without its secrets.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::json;

use super::MULTIPART;
use crate::web::{Client, WebApp};

pub async fn features_3_input_nests_and_is_read_without_a_session(app: &impl WebApp) {
    let client = Client::new(app);
    let reply = client.post("/echo", "profile[email]=a%40b&profile.name=ada&tags[]=1&tags[]=2&a=1&a=2").await;
    let expected = json!({"profile": {"email": "a@b", "name": "ada"}, "tags": ["1", "2"], "a": "2"});
    assert_eq!(reply.json(), expected);
    assert_eq!(client.get("/echo?q=tea&n[]=1").await.json(), json!({"q": "tea", "n": ["1"]}));
    assert_eq!(app.store_calls(), 0);
}

pub async fn features_3_bad_bodies_are_refused_with_their_status(app: &impl WebApp) {
    let client = Client::new(app);
    let many = "a=1&".repeat(1_001);
    for (content_type, body, status) in [
        (Some(MULTIPART), "--X\r\nnonsense", 400),
        (Some("multipart/form-data"), "a", 400),
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
