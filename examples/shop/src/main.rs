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
mod shop;
mod templates;
#[cfg(test)]
mod tests;
mod words;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tokio::net::TcpListener;

use crate::config::{Adapter, Config, Flags};
use crate::shop::Shop;

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
    let (adapter, confirm_after, driver) = (config.adapter, config.confirm_after, config.driver().to_owned());
    let listener = std::net::TcpListener::bind(&config.listen).map_err(|error| {
        format!("cannot listen on {}: {error}; --listen chooses another address", config.listen)
    })?;
    listener.set_nonblocking(true)?;
    let shop = Arc::new(Shop::new(config.into_sessions().await?, confirm_after));
    println!("shop: http://{} ({adapter:?}, SESSION_DRIVER={driver})", listener.local_addr()?);
    Ok(serve(adapter, listener, shop).await?)
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
