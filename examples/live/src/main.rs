//! A chat over WebSockets, which close when their user signs out.
//!
//! Run it with `cargo run -p live`; see the README.

mod actix;
mod axum;
mod room;
#[cfg(test)]
mod tests;

use std::time::Duration;

use session_axum::stores::MemoryStore;
use session_axum::{Cookie, SecretKey, Sessions};
use tokio::net::TcpListener;

use crate::room::Room;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some((adapter, address)) = read(std::env::args().skip(1)) else {
        return Err("usage: live [--adapter axum|actix] [ADDRESS]".into());
    };
    let sessions = Sessions::builder()
        .store(MemoryStore::new())
        .key(SecretKey::generate()?) // in production: from the configuration
        .cookie(Cookie::insecure_http("sid"))
        .build()?;
    let room = Room::new();
    tokio::spawn(room.clone().keep_looking(LOOK_AGAIN));
    let listener = std::net::TcpListener::bind(address)?;
    println!("listening on http://{} ({adapter:?})", listener.local_addr()?);
    Ok(serve(adapter, listener, sessions, room).await?)
}

/// The framework that serves the chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Adapter {
    Axum,
    Actix,
}

async fn serve(
    adapter: Adapter,
    listener: std::net::TcpListener,
    sessions: Sessions,
    room: Room,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    match adapter {
        Adapter::Axum => axum::serve(TcpListener::from_std(listener)?, sessions, room).await,
        Adapter::Actix => actix::serve(listener, sessions, room).await,
    }
}

/// Parses the command line. Returns `None` if it is invalid.
fn read(mut arguments: impl Iterator<Item = String>) -> Option<(Adapter, String)> {
    let (mut adapter, mut address) = (Adapter::Axum, "127.0.0.1:8080".to_owned());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--adapter" => {
                adapter = match arguments.next()?.as_str() {
                    "axum" => Adapter::Axum,
                    "actix" => Adapter::Actix,
                    _ => return None,
                }
            }
            option if option.starts_with('-') => return None,
            _ => address = argument,
        }
    }
    Some((adapter, address))
}

/// The maximum time for which an idle socket stays open after its session has ended.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
