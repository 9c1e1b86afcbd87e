//! A small shop: what a session does, in a browser.
//!
//! The pages are functions over a session, in `pages`; `shop` puts them together; `axum`, `actix` and `hyper` carry them.
//! What is particular to a framework is in its one file.

mod actix;
mod ask;
mod axum;
mod catalog;
mod config;
mod go;
mod hyper;
mod pages;
mod people;
mod seen;
mod shop;
mod templates;
#[cfg(test)]
mod tests;
mod tls;
mod words;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tokio::net::TcpListener;

use crate::config::{Adapter, Config, Flags};
use crate::seen::Seen;
use crate::shop::Shop;
use crate::tls::Tls;

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::read(Flags::parse(), environment()) {
        Ok(config) => config,
        Err(problem) => return fail(&problem),
    };
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => fail(&*problem),
    }
}

async fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let (adapter, confirm_after, https) = (config.adapter, config.confirm_after, config.https);
    let what = format!("{adapter:?}, SESSION_DRIVER={}", config.driver());
    let listener = listen(&config.listen).map_err(|error| {
        format!("cannot listen on {}: {error}; --listen chooses another address", config.listen)
    })?;
    let seen = Seen::default();
    let shop = Shop::new(config.into_sessions(seen.clone()).await?, confirm_after);
    if !https {
        println!("shop: http://{} ({what})", listener.local_addr()?);
        return Ok(serve(adapter, listener, Arc::new(shop)).await?);
    }
    let (tls, inside) = (Tls::generate()?, listen("127.0.0.1:0")?);
    println!("shop: Chromium trusts it with --ignore-certificate-errors-spki-list={}", tls.spki);
    println!("shop: https://localhost:{} ({what})", listener.local_addr()?.port());
    let forwarding = tls.forward(TcpListener::from_std(listener)?, inside.local_addr()?);
    tokio::select! {
        ended = serve(adapter, inside, Arc::new(shop.seeing(seen))) => Ok(ended?),
        ended = forwarding => Ok(ended?),
    }
}

fn listen(address: &str) -> std::io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves the shop until something breaks. The listener is non-blocking.
async fn serve(adapter: Adapter, listener: std::net::TcpListener, shop: Arc<Shop>) -> std::io::Result<()> {
    match adapter {
        Adapter::Axum => axum::serve(TcpListener::from_std(listener)?, shop).await,
        Adapter::Actix => actix::serve(listener, shop).await,
        Adapter::Hyper => hyper::serve(TcpListener::from_std(listener)?, shop).await,
    }
}

/// All variables that are text; others cannot be ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn fail(problem: &dyn std::error::Error) -> ExitCode {
    eprintln!("shop: {problem}");
    let mut source = problem.source();
    while let Some(cause) = source {
        eprintln!("  because {cause}");
        source = cause.source();
    }
    ExitCode::FAILURE
}
