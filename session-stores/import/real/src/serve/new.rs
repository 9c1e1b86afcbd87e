//! The new application on this library, with its sessions in Redis.

use std::error::Error;
use std::time::Duration;

use actix_web::{App, HttpServer, web};
use axum::Router;
use axum::routing::{get, post};
use serde_json::{Map, Value};
use session_core::{SecretKey, Sessions, SessionsBuilder, Timestamp};
use session_import::{ActixSession, Key, OldCookie, RedisRecords, SqlRecords, TowerSessions};
use session_store_redis::RedisStore;

use super::{OLD_COOKIE, OLD_KEY, PATIENCE, Role, listening};
use crate::Old;
use crate::process::Urls;

pub(super) async fn on_axum(old: Old, role: Role, urls: &Urls) -> Result<(), Box<dyn Error>> {
    use session_axum::{Session, SessionLayer, SessionRejection, SignedIn};

    async fn add(user: SignedIn, session: Session) -> Result<String, SessionRejection> {
        Ok(format!("{} {}", &*user, session.increment("items")?))
    }

    async fn cart(user: SignedIn, session: Session) -> Result<String, SessionRejection> {
        Ok(format!("{} {}", &*user, session.get_or("items", 0)?))
    }

    let sessions = with_importer(sessions(urls).await?, old, role, urls).await?.build()?;
    let app = Router::new()
        .route("/add", post(add))
        .route("/cart", get(cart))
        .layer(SessionLayer::new(sessions).sign_in_page("/sign-in"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    listening(listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

pub(super) async fn on_actix(old: Old, role: Role, urls: &Urls) -> Result<(), Box<dyn Error>> {
    use session_actix::{Session, SessionMiddleware, SessionRejection, SignedIn};

    async fn add(user: SignedIn, session: Session) -> Result<String, SessionRejection> {
        Ok(format!("{} {}", &*user, session.increment("items")?))
    }

    async fn cart(user: SignedIn, session: Session) -> Result<String, SessionRejection> {
        Ok(format!("{} {}", &*user, session.get_or("items", 0)?))
    }

    let sessions = with_importer(sessions(urls).await?, old, role, urls).await?.build()?;
    let server = HttpServer::new(move || {
        App::new()
            .route("/add", web::post().to(add))
            .route("/cart", web::get().to(cart))
            .wrap(SessionMiddleware::new(sessions.clone()).sign_in_page("/sign-in"))
    });
    let server =
        server.workers(2).keep_alive(PATIENCE).client_request_timeout(PATIENCE).bind(("127.0.0.1", 0))?;
    server.addrs().first().copied().map(listening);
    Ok(server.run().await?)
}

/// The configuration of the new application, which has a store and a key of its own.
pub(super) async fn sessions(urls: &Urls) -> Result<SessionsBuilder, Box<dyn Error>> {
    let store = RedisStore::builder(&urls.redis).prefix("new:").connect().await?;
    Ok(Sessions::builder().store(store).key(SecretKey::from_bytes(&NEW_KEY)?))
}

/// Adds the importer for the old application's visitors, unless it has been removed.
async fn with_importer(
    builder: SessionsBuilder,
    old: Old,
    role: Role,
    urls: &Urls,
) -> Result<SessionsBuilder, Box<dyn Error>> {
    let tomorrow = Timestamp::now().plus(Duration::from_secs(24 * 60 * 60));
    let key = Key::from(&OLD_KEY);
    Ok(match old {
        _ if role == Role::New => builder,
        Old::TowerRedis => {
            let records = RedisRecords::connect(&urls.redis).await?;
            let cookie = OldCookie::signed(OLD_COOKIE, key);
            builder.import_from(TowerSessions::new(cookie, records).with_user(user), tomorrow)
        }
        Old::TowerPostgres => {
            let records = SqlRecords::postgres(&urls.postgres).await?;
            let cookie = OldCookie::signed(OLD_COOKIE, key);
            builder.import_from(TowerSessions::new(cookie, records).with_user(user), tomorrow)
        }
        Old::ActixRedis => {
            let records = RedisRecords::connect(&urls.redis).await?;
            let cookie = OldCookie::private(OLD_COOKIE, key);
            builder.import_from(ActixSession::new(cookie, records).with_user(user), tomorrow)
        }
        Old::ActixCookie => {
            let cookie = OldCookie::private(OLD_COOKIE, key);
            builder.import_from(ActixSession::in_cookie(cookie).with_user(user), tomorrow)
        }
    })
}

/// The old applications keep the user's name under `user`.
fn user(data: &Map<String, Value>) -> Option<String> {
    Some(data.get("user")?.as_str()?.to_owned())
}

const NEW_KEY: [u8; 32] = *b"\x8f\x11\xd2\x3c\x9a\x40\x57\xe6\x0b\x72\xc5\x1e\xa9\x64\x38\xfd\x2d\x96\xb3\x07\x5a\xee\x41\x7c\xd8\x13\x6f\xb0\x29\x84\xca\x55";
