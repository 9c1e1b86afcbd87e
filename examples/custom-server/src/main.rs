//! Sessions in a plain blocking server: threads, `std::net` and the core; no async, no framework.
//!
//! `cargo run -p custom-server -- 127.0.0.1:8080`, then see the README.

mod http;
mod store;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use session_core::adapter::{CookieHeaders, RequestHead};
use session_core::machine::{Access, BlockingSessions, CookieCodec, SessionState};
use session_core::{Cookie, KeyRing, Policy, SecretKey};

use crate::http::{Request, Response};
use crate::store::Store;

type Sessions = BlockingSessions<Store>;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    // A real server takes its key from its configuration; with this one nobody stays signed in over a restart.
    serve(&listener, sessions(SecretKey::generate()?)?)
}

/// Sessions under one key, in a cookie for plain HTTP.
fn sessions(key: SecretKey) -> Result<Sessions, Box<dyn Error>> {
    let codec = CookieCodec::new(KeyRing::new([key])?, Cookie::insecure_http("sid").build()?, "session");
    Ok(BlockingSessions::new(codec, Policy::default(), Store::default())?)
}

fn serve(listener: &TcpListener, sessions: Sessions) -> Result<(), Box<dyn Error>> {
    let sessions = Arc::new(sessions);
    loop {
        let (stream, _) = listener.accept()?;
        let sessions = sessions.clone();
        thread::spawn(move || answer(&stream, &sessions));
    }
}

fn answer(stream: &TcpStream, sessions: &Sessions) -> io::Result<()> {
    let request = http::read(stream)?;
    respond(&request, sessions).write(stream)
}

/// Opens, routes, closes. A request for anything else than these pages never touches a session.
fn respond(request: &Request, sessions: &Sessions) -> Response {
    let page = match request.line.as_str() {
        "GET /" => home,
        "POST /sign-in" => sign_in,
        "POST /sign-out" => sign_out,
        _ => return Response::text(404, "no such page\n"),
    };
    let (method, url) = request.line.split_once(' ').unwrap_or(("GET", "/"));
    let head = RequestHead { method, url, authority: None, header: |name| request.header(name) };
    let cookies = CookieHeaders::of(&request.cookies, &head);
    let Ok(mut session) = sessions.open(&cookies, Access::Full) else {
        return Response::text(503, "");
    };
    let mut response = match page(sessions, &mut session, &request.body) {
        Ok(text) => Response::text(200, text),
        // What a failed page changed is dropped; what it ended stays ended.
        Err(_) => Response::text(500, ""),
    };
    let report = sessions.close(session, response.status);
    if let Some(failure) = report.failure() {
        response = Response::text(failure.status(), "");
    }
    // No page sets one of these headers itself, so there is nothing to replace.
    for header in report.headers(|_| []).into_iter().flatten() {
        response.headers.push((header.name(), header.value().to_owned()));
    }
    response
}

fn home(_: &Sessions, session: &mut SessionState, _: &str) -> Result<String, Box<dyn Error>> {
    let visits = session.data_mut().increment("visits")?;
    let user = session.data().get::<String>("user")?.unwrap_or_else(|| "stranger".to_owned());
    Ok(format!("hello {user}, this is visit {visits}\n"))
}

fn sign_in(sessions: &Sessions, session: &mut SessionState, body: &str) -> Result<String, Box<dyn Error>> {
    session.regenerate(|| sessions.token())?;
    session.data_mut().put("user", body.trim_start_matches("user="))?;
    Ok("welcome\n".to_owned())
}

fn sign_out(_: &Sessions, session: &mut SessionState, _: &str) -> Result<String, Box<dyn Error>> {
    session.destroy();
    Ok("bye\n".to_owned())
}
