//! actix-session: in the encrypted cookie, and in Redis.

use std::net::TcpListener;

use actix_session::storage::{CookieSessionStore, RedisSessionStore, SessionStore};
use actix_session::{Session, SessionGetError, SessionInsertError, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::web::{ServiceConfig, get};
use actix_web::{App, HttpServer};

use crate::Failure;
use crate::data;

pub async fn serve(listener: TcpListener, store: &str) -> Result<(), Failure> {
    match store {
        "cookie" => run(listener, CookieSessionStore::default).await,
        url => {
            let store = RedisSessionStore::new(url).await.map_err(|error| error.to_string())?;
            run(listener, move || store.clone()).await
        }
    }
}

async fn run<S>(listener: TcpListener, store: impl Fn() -> S + Clone + Send + 'static) -> Result<(), Failure>
where
    S: SessionStore + 'static,
{
    let key = Key::generate();
    let server = HttpServer::new(move || {
        let layer = SessionMiddleware::builder(store(), key.clone()).cookie_secure(false).build();
        App::new().configure(routes).wrap(layer)
    });
    Ok(server.workers(1).listen(listener)?.run().await?)
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/none", get().to(async || "ok"))
        .route(
            "/login",
            get().to(async |session: Session| {
                for (key, value) in data::of_a_login() {
                    session.insert(key, value)?;
                }
                session.renew();
                Ok::<_, SessionInsertError>("ok")
            }),
        )
        .route(
            "/read",
            get().to(async |session: Session| {
                let user: Option<String> = session.get("user")?;
                Ok::<_, SessionGetError>(user.unwrap_or_else(|| "anon".to_owned()))
            }),
        )
        .route(
            "/write",
            get().to(async |session: Session| {
                let hits = session.get::<u64>("hits")?.unwrap_or(0) + 1;
                session.insert("hits", hits)?;
                Ok::<_, actix_web::Error>(hits.to_string())
            }),
        );
}
