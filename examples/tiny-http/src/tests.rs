//! Tests of the server over real sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use session_core::{Cookie, SecretKey, Sessions};
use session_stores::MemoryStore;
use tiny_http::Server;

use crate::serve;

#[test]
fn a_visitor_is_known_from_sign_in_to_sign_out() {
    let mut browser = Browser::start();
    assert!(browser.send("GET", "/").ends_with("hello stranger, this is visit 1\n"));
    let before = browser.cookie.clone();
    assert!(browser.send("POST", "/sign-in").ends_with("welcome\n"));
    assert_ne!(browser.cookie, before, "signing in changes the id");
    assert!(browser.send("GET", "/").ends_with("hello ada, this is visit 2\n"));
    let copied = browser.cookie.clone();
    assert!(browser.send("POST", "/sign-out").contains("Max-Age=0"));
    browser.cookie = copied;
    assert!(browser.send("GET", "/").ends_with("hello stranger, this is visit 1\n"));
}

#[test]
fn a_response_says_what_caches_must_know_and_no_more() {
    let mut browser = Browser::start();
    let first = browser.send("GET", "/").to_ascii_lowercase();
    assert!(first.contains("vary: cookie") && first.contains("cache-control: no-store"));
    let missing = browser.send("GET", "/favicon.ico").to_ascii_lowercase();
    assert!(
        !missing.contains("vary") && !missing.contains("cache-control") && !missing.contains("set-cookie")
    );
}

struct Browser {
    server: std::net::SocketAddr,
    cookie: String,
}

impl Browser {
    fn start() -> Self {
        let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let cookie = Cookie::insecure_http("sid");
        let sessions = Sessions::builder().store(MemoryStore::new()).key(SecretKey::generate().unwrap());
        serve(&server, &sessions.cookie(cookie).build().unwrap(), 2);
        Self { server: server.server_addr().to_ip().unwrap(), cookie: String::new() }
    }

    fn send(&mut self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(self.server).unwrap();
        let cookie = &self.cookie;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: a\r\ncookie: {cookie}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        if let Some((_, rest)) = response.split_once("sid=") {
            self.cookie = format!("sid={}", rest.split(';').next().unwrap());
        }
        response
    }
}
