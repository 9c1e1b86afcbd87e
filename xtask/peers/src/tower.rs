//! tower-sessions: in memory, and in Redis through its Redis store.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tower_sessions::{MemoryStore, SessionManagerLayer};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike as _, Config, Pool};

use crate::Failure;
use crate::data;

/// The routes, with the `Session` of one version of the library.
macro_rules! routes {
    ($library:ident) => {
        Router::new()
            .route("/none", get("ok"))
            .route(
                "/login",
                get(async |session: $library::Session| {
                    for (key, value) in data::of_a_login() {
                        session.insert(key, value).await.map_err(internal)?;
                    }
                    session.cycle_id().await.map_err(internal)?;
                    Ok::<_, StatusCode>("ok")
                }),
            )
            .route(
                "/read",
                get(async |session: $library::Session| {
                    let user: Option<String> = session.get("user").await.map_err(internal)?;
                    Ok::<_, StatusCode>(user.unwrap_or_else(|| "anon".to_owned()))
                }),
            )
            .route(
                "/write",
                get(async |session: $library::Session| {
                    let hits = session.get::<u64>("hits").await.map_err(internal)?.unwrap_or(0) + 1;
                    session.insert("hits", hits).await.map_err(internal)?;
                    Ok::<_, StatusCode>(hits.to_string())
                }),
            )
    };
}

pub fn in_memory() -> Router {
    routes!(tower_sessions).layer(SessionManagerLayer::new(MemoryStore::default()).with_secure(false))
}

pub async fn in_redis(url: &str) -> Result<Router, Failure> {
    let pool = Pool::new(Config::from_url(url)?, None, None, None, 6)?;
    pool.init().await?;
    let layer = tower_sessions_0_14::SessionManagerLayer::new(RedisStore::new(pool)).with_secure(false);
    Ok(routes!(tower_sessions_0_14).layer(layer))
}

fn internal<E>(_: E) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
