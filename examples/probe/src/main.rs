//! A server whose requests are scripts: what a session does, shown, tested and measured.
//!
//! `cargo run -p probe -- --adapter axum --store memory --listen 127.0.0.1:8080`

mod actix;
mod args;
mod axum;
mod hyper;
mod stores;
mod tls;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use session_conformance::probe::{Application, Stats};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{Adapter, Args, Refused};

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("probe: {error}");
            ExitCode::from(2)
        }
    }
}

fn start() -> Result<(), Box<dyn std::error::Error>> {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(Refused::Asked(text)) => {
            print!("{text}");
            return Ok(());
        }
        Err(Refused::Wrong(flag)) => return Err(flag.into()),
    };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = args.threads {
        builder.worker_threads(threads);
    }
    let runtime = builder.enable_all().build()?;
    let served = runtime.block_on(serve(args));
    runtime.shutdown_background();
    served
}

async fn serve(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let stats = Stats::default();
    let acceptor = args.tls.as_ref().map(|[cert, key]| tls::acceptor(cert, key)).transpose()?;
    let sessions = match args.bare {
        true => None,
        false => Some(stores::sessions(args.rules, acceptor.is_some(), &stats).await?),
    };
    let application = Application { sessions: sessions.clone(), stats };
    let stopped = stop_signal()?;
    let listener =
        TcpListener::bind(args.listen).await.map_err(|error| format!("--listen {}: {error}", args.listen))?;
    println!("listening on {}", listener.local_addr()?);
    let listener = match acceptor {
        None => listener,
        Some(acceptor) => {
            let inside = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
            tokio::spawn(tls::forward(listener, acceptor, inside.local_addr()?));
            inside
        }
    };
    match args.adapter {
        Adapter::Axum => axum::serve(listener, application, stopped).await?,
        Adapter::Actix => actix::serve(listener, application, args.threads, stopped).await?,
        Adapter::Hyper => hyper::serve(listener, application, stopped).await?,
    }
    if let Some(sessions) = sessions {
        // Within the store's deadline, unless somebody has set a long one.
        drop(tokio::time::timeout(PATIENCE, sessions.drain()).await);
    }
    Ok(())
}

/// Ready at the first SIGTERM or SIGINT.
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// How long writes in flight are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(3);
