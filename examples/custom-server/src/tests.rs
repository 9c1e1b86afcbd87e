//! The claims of the README, over real sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use session_core::SecretKey;

use crate::{serve, sessions};

#[test]
fn a_visitor_is_known_from_sign_in_to_sign_out() {
    let mut browser = Browser::of(start());
    assert!(browser.send("GET", "/", "").ends_with("hello stranger, this is visit 1\n"));
    let before = browser.cookie.clone();
    assert!(browser.send("POST", "/sign-in", "user=ada").ends_with("welcome\n"));
    assert_ne!(browser.cookie, before, "signing in changes the id");
    assert!(browser.send("GET", "/", "").ends_with("hello ada, this is visit 2\n"));
    let copied = browser.cookie.clone();
    assert!(browser.send("POST", "/sign-out", "").contains("Max-Age=0"));
    browser.cookie = copied;
    assert!(browser.send("GET", "/", "").ends_with("hello stranger, this is visit 1\n"));
}

#[test]
fn of_twenty_visits_at_once_each_one_counts() {
    let server = start();
    let mut browser = Browser::of(server);
    browser.send("GET", "/", "");
    let visits = (0..20).map(|_| {
        let mut browser = Browser { server, cookie: browser.cookie.clone() };
        thread::spawn(move || browser.send("GET", "/", ""))
    });
    for visit in visits.collect::<Vec<_>>() {
        assert!(visit.join().unwrap().starts_with("HTTP/1.1 200"));
    }
    assert!(browser.send("GET", "/", "").ends_with("this is visit 22\n"));
}

#[test]
fn a_response_that_is_one_visitor_s_own_is_not_kept_by_caches() {
    let mut browser = Browser::of(start());
    let first = browser.send("GET", "/", "");
    assert!(first.contains("vary: Cookie") && first.contains("cache-control: no-store"), "{first}");
    let second = browser.send("GET", "/", "");
    assert!(second.contains("vary: Cookie") && !second.contains("set-cookie"), "{second}");
}

#[test]
fn another_site_s_form_does_not_replace_the_visitor_s_cookie() {
    let mut stream = TcpStream::connect(start()).unwrap();
    write!(
        stream,
        "GET / HTTP/1.1\r\nhost: a\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: no-cors\r\n\r\n"
    )
    .unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.ends_with("this is visit 1\n") && !response.contains("set-cookie"), "{response}");
}

#[test]
fn a_page_without_a_session_sets_no_cookie() {
    let response = Browser::of(start()).send("GET", "/favicon.ico", "");
    assert!(response.starts_with("HTTP/1.1 404") && !response.contains("set-cookie"));
}

fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let sessions = sessions(SecretKey::generate().unwrap()).unwrap();
    thread::spawn(move || serve(&listener, sessions).unwrap());
    address
}

struct Browser {
    server: SocketAddr,
    cookie: String,
}

impl Browser {
    fn of(server: SocketAddr) -> Self {
        Self { server, cookie: String::new() }
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.server).unwrap();
        let (cookie, length) = (&self.cookie, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: a\r\ncookie: {cookie}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        if let Some((_, rest)) = response.split_once("set-cookie: ") {
            rest.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        response
    }
}
