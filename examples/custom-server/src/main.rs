//! Sessions in a plain blocking server: threads, `std::net` and the core; no async, no framework.
//!
//! `cargo run -p custom-server -- 127.0.0.1:8080`, then see the README.

mod http;
mod sessions;
mod store;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use session_core::machine::SessionState;
use session_core::{CommitError, SecretKey};

use crate::http::{Request, Response};
use crate::sessions::{Sessions, token};

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    // A real server takes its key from its configuration; with this one nobody stays signed in over a restart.
    serve(&listener, Sessions::new(SecretKey::generate()?)?)
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
        _ => return Response::text("404 Not Found", "no such page\n"),
    };
    let Ok(mut session) = sessions.open(&request.cookies) else {
        return Response::text("503 Service Unavailable", "");
    };
    let mut response = match page(&mut session, &request.body) {
        Ok(text) => Response::text("200 OK", text),
        Err(_) => {
            // What a failed page changed is dropped; what it ended stays ended.
            session.drop_data();
            Response::text("500 Internal Server Error", "")
        }
    };
    match sessions.close(&mut session) {
        Ok(Some(cookie)) => {
            response.headers.push(("set-cookie", cookie));
            response.headers.push(("cache-control", "no-store".to_owned()));
        }
        Ok(None) | Err(CommitError::Gone) => {}
        Err(_) => response = Response::text("503 Service Unavailable", ""),
    }
    response.headers.push(("vary", "Cookie".to_owned()));
    response
}

fn home(session: &mut SessionState, _: &str) -> Result<String, Box<dyn Error>> {
    let visits = session.data_mut().increment("visits")?;
    let user = session.data().get::<String>("user")?.unwrap_or_else(|| "stranger".to_owned());
    Ok(format!("hello {user}, this is visit {visits}\n"))
}

fn sign_in(session: &mut SessionState, body: &str) -> Result<String, Box<dyn Error>> {
    session.regenerate(token)?;
    session.data_mut().put("user", body.trim_start_matches("user="))?;
    Ok("welcome\n".to_owned())
}

fn sign_out(session: &mut SessionState, _: &str) -> Result<String, Box<dyn Error>> {
    session.destroy();
    Ok("bye\n".to_owned())
}
