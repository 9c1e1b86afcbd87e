//! A tiny_http server with sessions: the example of `docs/new-framework.md`.
//!
//! `cargo run -p tiny-http-sessions -- 127.0.0.1:8080`

mod adapter;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;
use std::thread;

use session_core::{Cookie, SecretKey, Sessions, adapter::Visit};
use session_stores::MemoryStore;
use session_web::Rejection;
use tiny_http::{Method, Request, Response, Server};

use crate::adapter::{Page, answer, plain};

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let server = Arc::new(Server::http(address).map_err(|error| error.to_string())?);
    println!("listening on {}", server.server_addr());
    let sessions = Sessions::builder()
        .store(MemoryStore::new())
        .key(SecretKey::generate()?) // in production: from the configuration
        .cookie(Cookie::insecure_http("sid"))
        .build()?;
    for thread in serve(&server, &sessions, 4) {
        thread.join().map_err(|_| "a thread of the server has panicked")?;
    }
    Ok(())
}

fn serve(server: &Arc<Server>, sessions: &Sessions, threads: usize) -> Vec<thread::JoinHandle<()>> {
    let thread = |_| {
        let (server, sessions) = (server.clone(), sessions.clone());
        thread::spawn(move || {
            while let Ok(request) = server.recv() {
                let page = respond(&sessions, &request);
                // Fails if the client has disconnected.
                let _ = request.respond(page);
            }
        })
    };
    (0..threads).map(thread).collect()
}

fn respond(sessions: &Sessions, request: &Request) -> Page {
    answer(sessions, request, async |visit| {
        route(request, &visit).await.unwrap_or_else(|rejection| plain(rejection.response()))
    })
}

async fn route(request: &Request, visit: &Visit) -> Result<Page, Rejection> {
    Ok(match (request.method(), request.url()) {
        (Method::Get, "/") => {
            let session = visit.session().await?;
            let user = session.get::<String>("user")?.unwrap_or_else(|| "stranger".to_owned());
            Response::from_string(format!("hello {user}, this is visit {}\n", session.increment("visits")?))
        }
        (Method::Post, "/sign-in") => {
            let session = visit.session().await?;
            session.regenerate()?;
            session.put("user", "ada")?;
            Response::from_string("welcome\n")
        }
        (Method::Post, "/sign-out") => {
            visit.destroy().await?;
            Response::from_string("bye\n")
        }
        _ => Response::from_string("no such page\n").with_status_code(404),
    })
}
