//! Visitors of an application on actix-session, whose sessions are in their cookies or in Redis.

use std::sync::LazyLock;

use actix_session::config::CookieContentSecurity;
use actix_session::storage::{CookieSessionStore, RedisSessionStore, SessionStore};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key as TheirKey;
use actix_web::http::header;
use actix_web::{App, HttpResponse, test, web};
use session_core::import::RefusedImport;
use session_import::{ActixSession, Key, OldCookie, RedisRecords};
use session_test_servers::{Kind, Shared, shared};

use crate::support::{New, PATIENT, cart};

static REDIS: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Redis));

const KEY: [u8; 64] = [7; 64];

/// The cookie of a visitor who signs in with the old application.
async fn signed_in(store: impl SessionStore + 'static, security: CookieContentSecurity) -> String {
    signed_in_as(vec!["ada".to_owned()], store, security).await.remove(0).1
}

async fn signed_in_as(
    users: Vec<String>,
    store: impl SessionStore + 'static,
    security: CookieContentSecurity,
) -> Vec<(String, String)> {
    let sessions =
        SessionMiddleware::builder(store, TheirKey::from(&KEY)).cookie_content_security(security).build();
    let handler = web::get().to(|session: Session, user: web::Path<String>| async move {
        session.insert("user", user.into_inner()).unwrap();
        session.insert("cart", cart()).unwrap();
        HttpResponse::Ok()
    });
    let app = test::init_service(App::new().wrap(sessions).route("/{user}", handler)).await;
    let mut visitors = Vec::new();
    for user in users {
        let request = test::TestRequest::get().uri(&format!("/{user}")).to_request();
        let response = test::call_service(&app, request).await;
        let set = response.headers().get(header::SET_COOKIE).unwrap().to_str().unwrap();
        visitors.push((user, set.split(';').next().unwrap().to_owned()));
    }
    visitors
}

fn thousand() -> Vec<String> {
    (0..1_000).map(|number| format!("visitor-{number}")).collect()
}

#[actix_web::test]
async fn a_thousand_visitors_of_actix_session_in_cookies_move_under_load() {
    let visitors =
        signed_in_as(thousand(), CookieSessionStore::default(), CookieContentSecurity::Private).await;
    new(ActixSession::in_cookie(cookie(CookieContentSecurity::Private, KEY))).takes_over(visitors).await;
}

#[actix_web::test]
async fn a_thousand_visitors_of_actix_session_in_redis_move_under_load() {
    let store = RedisSessionStore::new(REDIS.url()).await.unwrap();
    let visitors = signed_in_as(thousand(), store, CookieContentSecurity::Private).await;
    let records = RedisRecords::connect(REDIS.url()).await.unwrap().timeout(PATIENT);
    new(ActixSession::new(cookie(CookieContentSecurity::Private, KEY), records)).takes_over(visitors).await;
}

fn cookie(security: CookieContentSecurity, key: [u8; 64]) -> OldCookie {
    match security {
        CookieContentSecurity::Signed => OldCookie::signed("id", Key::from(&key)),
        CookieContentSecurity::Private => OldCookie::private("id", Key::from(&key)),
    }
}

fn new(importer: ActixSession) -> New {
    New::importing(importer.with_user(|data| Some(data.get("user")?.as_str()?.to_owned())))
}

const SECURITIES: [CookieContentSecurity; 2] =
    [CookieContentSecurity::Signed, CookieContentSecurity::Private];

#[actix_web::test]
async fn visitors_of_actix_session_with_sessions_in_cookies_are_carried_over() {
    for security in SECURITIES {
        let old = signed_in(CookieSessionStore::default(), security).await;
        new(ActixSession::in_cookie(cookie(security, KEY))).carries_over(&old).await;
    }
}

#[actix_web::test]
async fn visitors_of_actix_session_with_sessions_in_redis_are_carried_over() {
    for security in SECURITIES {
        let store = RedisSessionStore::builder(REDIS.url()).cache_keygen(|key| format!("old:{key}"));
        let old = signed_in(store.build().await.unwrap(), security).await;
        let records = RedisRecords::connect(REDIS.url()).await.unwrap().timeout(PATIENT).prefix("old:");
        new(ActixSession::new(cookie(security, KEY), records)).carries_over(&old).await;
    }
}

#[actix_web::test]
async fn a_bad_cookie_of_actix_session_is_a_stranger() {
    for security in SECURITIES {
        let old = signed_in(CookieSessionStore::default(), security).await;
        let foreign = new(ActixSession::in_cookie(cookie(security, [8; 64])));
        foreign.refuses(&old, RefusedImport::Forged).await;
        let ours = new(ActixSession::in_cookie(cookie(security, KEY)));
        ours.refuses(&format!("id=x{}", &old[4..]), RefusedImport::Forged).await;
        ours.refuses("id=%7B%7D", RefusedImport::Forged).await;
        // Authentic, and the key of a record in Redis instead of a session.
        let store = RedisSessionStore::new(REDIS.url()).await.unwrap();
        let key = signed_in(store, security).await;
        ours.refuses(&key, RefusedImport::Malformed).await;
    }
}
