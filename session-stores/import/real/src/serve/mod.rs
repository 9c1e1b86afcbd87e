//! The applications: the same three routes on each library.
//!
//! `POST /sign-in/{user}` signs a user in, `POST /add` adds one to the cart, and `GET /cart` shows the user and the
//! cart. A visitor who is not signed in gets 401.

mod new;
mod old_actix;
mod old_tower;

use std::error::Error;
use std::time::Duration;

use clap::ValueEnum;

use crate::Old;
use crate::process::Urls;

/// Which of the applications a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    Old,
    /// The new application, with an importer for the visitors of the old one.
    Importing,
    New,
}

pub(crate) fn run(old: Old, role: Role) -> Result<(), Box<dyn Error>> {
    let urls = Urls { redis: std::env::var(REDIS)?, postgres: std::env::var(POSTGRES)? };
    match (old, role) {
        (Old::TowerRedis | Old::TowerPostgres, Role::Old) => tokio(old_tower::serve(old, &urls)),
        (Old::TowerRedis | Old::TowerPostgres, role) => tokio(new::on_axum(old, role, &urls)),
        (Old::ActixRedis | Old::ActixCookie, Role::Old) => actix(old_actix::serve(old, &urls)),
        (Old::ActixRedis | Old::ActixCookie, role) => actix(new::on_actix(old, role, &urls)),
    }
}

/// The users that have exactly one session in the new store.
pub(crate) async fn users_with_one_session(urls: &Urls, visitors: usize) -> Result<usize, Box<dyn Error>> {
    let sessions = new::sessions(urls).await?.build()?;
    let mut count = 0;
    for number in 0..visitors {
        count += usize::from(sessions.of(&format!("visitor-{number}")).count().await? == 1);
    }
    Ok(count)
}

fn tokio(application: impl Future<Output = Result<(), Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(application)
}

fn actix(application: impl Future<Output = Result<(), Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    actix_web::rt::System::new().block_on(application)
}

/// Tells the demonstration where this application listens.
fn listening(address: std::net::SocketAddr) {
    println!("{}", address.port());
}

pub(crate) const REDIS: &str = "DEMONSTRATION_REDIS";
pub(crate) const POSTGRES: &str = "DEMONSTRATION_POSTGRES";
/// The name of the old applications' cookie.
pub(crate) const OLD_COOKIE: &str = "id";
/// How long actix-web keeps a connection without a request. A request that is sent at the moment of its end gets no answer.
const PATIENCE: Duration = Duration::from_secs(120);
/// The key of the old applications' cookie.
const OLD_KEY: [u8; 64] = [7; 64];
