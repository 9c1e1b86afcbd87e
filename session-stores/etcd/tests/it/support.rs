//! The server that these tests share, and its HTTP API, to read what the store has written.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use session_test_servers::{Kind, Shared, shared};

pub(crate) static SERVER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Etcd));

/// Calls a method of the v3 API of the server at `etcd://host:port`.
pub(crate) fn ask(url: &str, path: &str, body: &Value) -> Value {
    let place = url.trim_start_matches("etcd://");
    let body = body.to_string();
    let mut stream = TcpStream::connect(place).unwrap();
    let length = body.len();
    write!(stream, "POST /v3/{path} HTTP/1.0\r\nhost: {place}\r\ncontent-length: {length}\r\n\r\n{body}")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{answer}");
    serde_json::from_str(body).unwrap()
}

pub(crate) fn encode(text: impl AsRef<[u8]>) -> String {
    STANDARD.encode(text)
}

pub(crate) fn decode(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

/// Tests share a machine; where the deadline is not the claim, there is time.
pub(crate) const PATIENT: Duration = Duration::from_secs(60);
