//! Bodies of forms: charsets, files, missing and oversized bodies; and what CSRF protection reads of them.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::json;

use super::MULTIPART;
use crate::overheard::Overheard;
use crate::web::{Client, WebApp};

const URLENCODED: &str = "application/x-www-form-urlencoded";

fn part(head: &str, body: &[u8]) -> Vec<u8> {
    [b"--X\r\nContent-Disposition: form-data; ", head.as_bytes(), b"\r\n\r\n", body, b"\r\n"].concat()
}

pub async fn features_3_a_form_has_one_shape_for_every_reader(app: &impl WebApp) {
    let client = Client::new(app);
    let typed = "active=0&active=1&tags=&tags[]=x&opt[30]=a&opt[4]=b&rows[1][q]=2&rows[0][q]=1&l[][a]=1&l[][b]=2&l[][a]=3";
    let expected = r#"{"active":"1","tags":["x"],"opt":{"30":"a","4":"b"},"rows":[{"q":"1"},{"q":"2"}],"l":[{"a":"1","b":"2"},{"a":"3"}]}"#;
    assert_eq!(client.post("/echo", typed).await.body, expected);
    client.post("/flash?all", typed).await;
    assert_eq!(client.get("/page").await.json()["old"].to_string(), expected);
    assert_eq!(client.post("/count", "count=1&count=3").await.body, "3", "the typed form too");
}

pub async fn features_3_text_is_of_its_charset_or_refused(app: &impl WebApp) {
    let client = Client::new(app);
    let post = async |content_type: &str, body: &[u8]| {
        let headers = [("content-type", content_type)];
        client.send(Method::POST, "/echo", &headers, Bytes::copy_from_slice(body)).await
    };
    let latin = format!("{URLENCODED}; charset=ISO-8859-1");
    assert_eq!(post(&latin, b"city=K%F6ln").await.json(), json!({"city": "K\u{f6}ln"}));
    assert_eq!(post(URLENCODED, b"city=K%F6ln").await.status, 400);
    assert_eq!(post(URLENCODED, b"city=K\xf6ln").await.status, 400);
    let bytes = [part("name=\"city\"", b"K\xf6ln"), b"--X--\r\n".to_vec()].concat();
    assert_eq!(post(MULTIPART, &bytes).await.status, 400);
    assert_eq!(client.get("/echo?city=K%F6ln").await.status, 400);
}

pub async fn features_3_a_file_is_skipped_whatever_names_it(app: &impl WebApp) {
    let client = Client::new(app);
    for name in [
        "filename*0*=UTF-8''a; filename*1*=.png",
        "filename=\"a.png\"",
        "filename*=UTF-8''a%20b.png",
        "filename=\"\"; filename*=UTF-8''a",
    ] {
        let file = part(&format!("name=\"photo\"; {name}\r\nContent-Type: image/png"), b"\x89PNG\xff\0");
        let body = [part("name=\"a\"", b"1"), file, b"--X--\r\n".to_vec()].concat();
        let reply = client.send(Method::POST, "/echo", &[("content-type", MULTIPART)], body.into()).await;
        assert_eq!(reply.json(), json!({"a": "1"}), "{name}");
    }
}

pub async fn features_3_a_post_without_a_body_is_an_empty_form(app: &impl WebApp) {
    let client = Client::new(app);
    for headers in [
        &[][..],
        &[("content-length", "0")],
        &[("content-type", "text/plain;charset=UTF-8")],
        &[("content-type", MULTIPART)],
        &[("content-type", "multipart/form-data")],
        &[("content-type", "application/x-www-form-urlencoded; charset=")],
    ] {
        let reply = client.send(Method::POST, "/echo", headers, Bytes::new()).await;
        assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({})), "{headers:?}");
    }
    let none = client.send(Method::POST, "/echo", &[("content-type", MULTIPART)], "--X--\r\n".into()).await;
    assert_eq!((none.status, none.json()), (StatusCode::OK, json!({})), "a form without fields");
    assert_eq!(client.send(Method::POST, "/echo", &[], Bytes::from_static(b"a=1")).await.status, 415);
}

pub async fn features_3_limits_are_settable_and_named_in_the_log(app: &impl WebApp) {
    let client = Client::new(app);
    let fields = |count| "a=1&".repeat(count);
    assert_eq!(client.post("/many", &fields(1_500)).await.status, 200);
    let (heard, _guard) = Overheard::on_this_thread();
    for (path, form, limit) in [
        ("/echo", fields(1_001), "more than 1000 fields (`InputLimit::fields`)"),
        ("/many", fields(1_501), "more than 1500 fields (`InputLimit::fields`)"),
        ("/small", "a".repeat(65), "longer than 64 bytes (`InputLimit::bytes`)"),
    ] {
        let before = heard.lines().len();
        assert_eq!(client.post(path, &form).await.status, 413, "{path}");
        let lines = heard.lines().split_off(before);
        assert!(lines.iter().any(|line| line.text.contains(limit)), "{path}: {lines:?}");
    }
}

pub async fn features_5_csrf_reads_no_file_behind_the_token(app: &impl WebApp) {
    let client = Client::new(app);
    let token = client.csrf().await;
    let token = part("name=\"_csrf\"", token.as_bytes());
    let file = part("name=\"f\"; filename=\"a.bin\"", &vec![0xff; 1_200_000]);
    let end = b"--X--\r\n".to_vec();
    let upload: Bytes = [token.clone(), file.clone(), end.clone()].concat().into();
    let headers = [("content-type", MULTIPART)];
    let reply = client.send(Method::POST, "/guarded/raw", &headers, upload.clone()).await;
    assert_eq!((reply.status, reply.body.len()), (StatusCode::OK, upload.len()));
    assert!(reply.body == upload, "it arrives as it was sent");
    let (heard, _guard) = Overheard::on_this_thread();
    let late = [file, token, end].concat();
    let reply = client.send(Method::POST, "/guarded/raw", &headers, late.into()).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(heard.lines().iter().any(|line| line.text.contains("put its field before the files")));
}
