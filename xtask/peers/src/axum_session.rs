//! axum_session: in memory, and in Redis through its pool.

use axum::Router;
use axum::routing::get;
use axum_session::{DatabasePool, Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};
use axum_session_redispool::SessionRedisPool;

use crate::Failure;
use crate::data;

fn config() -> SessionConfig {
    SessionConfig::default().with_secure(false)
}

pub async fn in_memory() -> Result<Router, Failure> {
    let store = SessionStore::<SessionNullPool>::new(None, config()).await?;
    Ok(routes::<SessionNullPool>().layer(SessionLayer::new(store)))
}

pub async fn in_redis(url: &str) -> Result<Router, Failure> {
    let client = redis::Client::open(url)?;
    let pool = SessionRedisPool::from(redis_pool::RedisPool::from(client));
    let store = SessionStore::<SessionRedisPool>::new(Some(pool), config()).await?;
    Ok(routes::<SessionRedisPool>().layer(SessionLayer::new(store)))
}

fn routes<T: DatabasePool + Clone + std::fmt::Debug + Sync + Send + 'static>() -> Router {
    Router::new()
        .route("/none", get("ok"))
        .route(
            "/login",
            get(async |session: Session<T>| {
                for (key, value) in data::of_a_login() {
                    session.set(key, value);
                }
                session.renew();
                "ok"
            }),
        )
        .route(
            "/read",
            get(async |session: Session<T>| {
                session.get::<String>("user").unwrap_or_else(|| "anon".to_owned())
            }),
        )
        .route(
            "/write",
            get(async |session: Session<T>| {
                let hits = session.get::<u64>("hits").unwrap_or(0) + 1;
                session.set("hits", hits);
                hits.to_string()
            }),
        )
}
