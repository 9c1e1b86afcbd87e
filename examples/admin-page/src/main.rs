//! An application with a sign-in and, if it is asked for, a page where its administrators see and end sessions.
//!
//! Run it with `cargo run -p admin-page -- --admin ada`; see the README.

mod admin;
mod application;
mod templates;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use clap::Parser;
use session_axum::stores::MemoryStore;
use session_axum::{ConfigError, Cookie, CsrfLayer, SecretKey, SessionLayer, Sessions, SessionsBuilder};
use session_core::adapter::{Clock, SystemClock};

use crate::admin::{Desk, Trail};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Flags { admins, address } = Flags::parse();
    let sessions = Sessions::builder()
        .store(MemoryStore::new())
        .key(SecretKey::generate()?) // in production: from the configuration
        .cookie(Cookie::insecure_http("sid"));
    let app = router(sessions, Arc::new(SystemClock), admins)?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// An application whose administrators can see and end sessions.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// A user who may open /admin; may be given several times. Without it, there is no such page.
    #[arg(long = "admin", value_name = "USER")]
    admins: Vec<String>,
    /// Where to listen.
    #[arg(default_value = "127.0.0.1:3000")]
    address: String,
}

fn router(
    sessions: SessionsBuilder,
    clock: Arc<dyn Clock>,
    admins: Vec<String>,
) -> Result<Router, ConfigError> {
    let trail = Trail::new(clock.clone());
    let sessions = sessions.observer(trail.clone()).build()?;
    let mut app = application::routes();
    if !admins.is_empty() {
        app = app.nest("/admin", admin::routes(Desk::new(sessions.clone(), trail, clock, admins)));
    }
    Ok(app.layer(CsrfLayer::new()).layer(SessionLayer::new(sessions).sign_in_page("/sign-in")))
}
