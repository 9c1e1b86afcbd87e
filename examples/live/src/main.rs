//! A chat over WebSockets, which close when their user signs out.
//!
//! Run it with `cargo run -p live`; see the README.

mod actix;
mod axum;
mod room;
#[cfg(test)]
mod tests;

use std::time::Duration;

use clap::{Parser, ValueEnum};
use session_axum::stores::MemoryStore;
use session_axum::{Cookie, SecretKey, Sessions};
use tokio::net::TcpListener;

use crate::room::Room;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Flags { adapter, address } = Flags::parse();
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

/// A chat whose sockets know who is signed in, and end when that person signs out.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// The framework that serves.
    #[arg(long, value_enum, default_value_t = Adapter::Axum)]
    adapter: Adapter,
    /// Where to listen.
    #[arg(default_value = "127.0.0.1:8080")]
    address: String,
}

/// Which framework serves the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
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

/// The maximum time for which an idle socket stays open after its session has ended.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
