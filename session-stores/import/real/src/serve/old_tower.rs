//! The old application on tower-sessions, with a signed cookie.

use std::error::Error;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tower_sessions::cookie::Key;
use tower_sessions::{Expiry, Session, SessionManagerLayer, SessionStore};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike as _, Config, Pool};
use tower_sessions_sqlx_store::{PostgresStore, sqlx::PgPool};

use super::{OLD_KEY, listening};
use crate::Old;
use crate::process::Urls;

pub(super) async fn serve(old: Old, urls: &Urls) -> Result<(), Box<dyn Error>> {
    if old == Old::TowerPostgres {
        let store = PostgresStore::new(PgPool::connect(&urls.postgres).await?);
        store.migrate().await?;
        return on(store).await;
    }
    let pool = Pool::new(Config::from_url(&urls.redis)?, None, None, None, 4)?;
    _ = pool.connect();
    pool.wait_for_connect().await?;
    on(RedisStore::new(pool)).await
}

async fn on(store: impl SessionStore + Clone) -> Result<(), Box<dyn Error>> {
    let layer = SessionManagerLayer::new(store)
        .with_expiry(Expiry::OnInactivity(time::Duration::hours(1)))
        .with_signed(Key::from(&OLD_KEY));
    let app = Router::new()
        .route("/sign-in/{user}", post(sign_in))
        .route("/add", post(add))
        .route("/cart", get(cart))
        .layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    listening(listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

type Failure = (StatusCode, String);

async fn sign_in(session: Session, Path(user): Path<String>) -> Result<&'static str, Failure> {
    session.cycle_id().await.map_err(failed)?;
    session.insert("user", user).await.map_err(failed)?;
    Ok("welcome")
}

async fn add(session: Session) -> Result<String, Failure> {
    let items: u64 = session.get("items").await.map_err(failed)?.unwrap_or(0);
    session.insert("items", items + 1).await.map_err(failed)?;
    cart(session).await
}

async fn cart(session: Session) -> Result<String, Failure> {
    let user: Option<String> = session.get("user").await.map_err(failed)?;
    let user = user.ok_or((StatusCode::UNAUTHORIZED, String::new()))?;
    let items: u64 = session.get("items").await.map_err(failed)?.unwrap_or(0);
    Ok(format!("{user} {items}"))
}

fn failed(error: tower_sessions::session::Error) -> Failure {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}
