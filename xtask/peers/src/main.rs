//! The routes of the benchmark (`/none`, `/login`, `/read`, `/write`) on other session libraries, each set up as its
//! documentation shows.
//!
//! `peers --library tower-sessions --store memory --listen 127.0.0.1:0` prints the address it listens on. One worker
//! thread.

mod actix;
mod axum_session;
mod data;
mod tower;

use std::net::SocketAddr;

use clap::{Parser, ValueEnum};
use tokio::net::TcpListener;

pub type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
struct Args {
    /// Which library.
    #[arg(long)]
    library: Library,
    /// `memory`, `cookie` or `redis://…`, as far as the library has it.
    #[arg(long)]
    store: String,
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
}

#[derive(Clone, Copy, ValueEnum)]
enum Library {
    TowerSessions,
    AxumSession,
    ActixSession,
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(serve(args))
}

async fn serve(args: Args) -> Result<(), Failure> {
    let listener = TcpListener::bind(args.listen).await?;
    println!("listening on {}", listener.local_addr()?);
    let router = match (args.library, args.store.as_str()) {
        (Library::TowerSessions, "memory") => tower::in_memory(),
        (Library::TowerSessions, url) => tower::in_redis(url).await?,
        (Library::AxumSession, "memory") => axum_session::in_memory().await?,
        (Library::AxumSession, url) => axum_session::in_redis(url).await?,
        (Library::ActixSession, store) => return actix::serve(listener.into_std()?, store).await,
    };
    Ok(axum::serve(listener, router).await?)
}
