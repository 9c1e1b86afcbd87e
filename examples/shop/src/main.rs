//! A small shop: what a session does, in a browser.
//!
//! The pages are functions over a session, in `pages`; `shop` puts them together; `axum` carries them. Everything that
//! is particular to a framework is in that one file.

mod ask;
mod axum;
mod catalog;
mod config;
mod go;
mod pages;
mod people;
mod shop;
mod templates;
mod words;

use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::config::{Config, ConfigProblem};
use crate::shop::Shop;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let config = match Config::read(&arguments, |name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(ConfigProblem::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => return fail(&problem),
    };
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => fail(&*problem),
    }
}

async fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let sessions = config.sessions()?;
    if config.keys.is_empty() {
        eprintln!(
            "shop: SESSION_KEYS is not set: this key is made up, and every session ends with this process"
        );
    }
    let listener = TcpListener::bind(&config.listen).await?;
    println!("shop: http://{} (axum, sessions in {})", listener.local_addr()?, config.driver.place());
    let shop = Arc::new(Shop::new(sessions, config.confirm_after));
    Ok(::axum::serve(listener, axum::router(shop)).await?)
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

const USAGE: &str = "\
A small shop: what a session does, in a browser.

    shop [--listen ADDRESS]

    SESSION_DRIVER=cookie|memory|file   where sessions live; cookie unless said
    SESSION_KEYS=KEY[,OLDER…]           32 bytes each, as hex or base64; made up when missing
    SESSION_FILE_LOCATION=DIRECTORY     for the file driver; shop-sessions in the temporary directory unless said
    SHOP_ADDR=ADDRESS                   127.0.0.1:3000 unless said
    SHOP_CONFIRM_AFTER=SECONDS          how old a proof of identity may be for the account page; 300 unless said";
