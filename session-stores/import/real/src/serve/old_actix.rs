//! The old application on actix-session, with an encrypted cookie.

use std::error::Error;

use actix_session::storage::{CookieSessionStore, RedisSessionStore, SessionStore};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::error::ErrorUnauthorized;
use actix_web::{App, HttpServer, web};

use super::{OLD_KEY, PATIENCE, listening};
use crate::Old;
use crate::process::Urls;

pub(super) async fn serve(old: Old, urls: &Urls) -> Result<(), Box<dyn Error>> {
    if old == Old::ActixCookie {
        return on(CookieSessionStore::default).await;
    }
    let store = RedisSessionStore::new(&urls.redis).await?;
    on(move || store.clone()).await
}

async fn on<S: SessionStore + 'static>(
    store: impl Fn() -> S + Clone + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let server = HttpServer::new(move || {
        App::new()
            .route("/sign-in/{user}", web::post().to(sign_in))
            .route("/add", web::post().to(add))
            .route("/cart", web::get().to(cart))
            .wrap(SessionMiddleware::new(store(), Key::from(&OLD_KEY)))
    });
    let server =
        server.workers(2).keep_alive(PATIENCE).client_request_timeout(PATIENCE).bind(("127.0.0.1", 0))?;
    server.addrs().first().copied().map(listening);
    Ok(server.run().await?)
}

async fn sign_in(session: Session, user: web::Path<String>) -> actix_web::Result<&'static str> {
    session.renew();
    session.insert("user", user.into_inner())?;
    Ok("welcome")
}

async fn add(session: Session) -> actix_web::Result<String> {
    let items: u64 = session.get("items")?.unwrap_or(0);
    session.insert("items", items + 1)?;
    cart(session).await
}

async fn cart(session: Session) -> actix_web::Result<String> {
    let user: String = session.get("user")?.ok_or_else(|| ErrorUnauthorized(""))?;
    let items: u64 = session.get("items")?.unwrap_or(0);
    Ok(format!("{user} {items}"))
}
