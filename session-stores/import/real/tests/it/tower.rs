//! Visitors of an application on tower-sessions, whose records are in Redis, Postgres, MariaDB or SQLite.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, header};
use session_core::import::RefusedImport;
use session_import::{Key, OldCookie, Records, RedisRecords, SqlRecords, TowerSessions};
use session_test_servers::{Kind, Shared, shared};
use sqlx::AssertSqlSafe;
use time::OffsetDateTime;
use tower::ServiceExt as _;
use tower_sessions::cookie::Key as TheirKey;
use tower_sessions::session::{Id, Record};
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer, SessionStore};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike as _, Config, Pool};
use tower_sessions_sqlx_store::{MySqlStore, PostgresStore};

use crate::support::{New, PATIENT, cart};

static REDIS: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Redis));
static POSTGRES: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Postgres));
static MARIADB: LazyLock<Shared> = LazyLock::new(|| shared(Kind::MariaDb));

async fn in_redis() -> RedisStore<Pool> {
    let pool = Pool::new(Config::from_url(REDIS.url()).unwrap(), None, None, None, 2).unwrap();
    _ = pool.connect();
    pool.wait_for_connect().await.unwrap();
    RedisStore::new(pool)
}

async fn in_postgres() -> PostgresStore {
    let pool = tower_sessions_sqlx_store::sqlx::PgPool::connect(POSTGRES.url()).await.unwrap();
    let store = PostgresStore::new(pool);
    store.migrate().await.unwrap();
    store
}

async fn in_mariadb() -> MySqlStore {
    let pool = tower_sessions_sqlx_store::sqlx::MySqlPool::connect(MARIADB.url()).await.unwrap();
    let store = MySqlStore::new(pool);
    store.migrate().await.unwrap();
    store
}

#[derive(Clone, Copy, Debug)]
enum Seal {
    Plain,
    Signed,
    Private,
}

const SEALS: [Seal; 3] = [Seal::Plain, Seal::Signed, Seal::Private];
const KEY: [u8; 64] = [7; 64];

/// The cookie of a visitor who signs in with the old application.
async fn signed_in(store: impl SessionStore + Clone, seal: Seal) -> String {
    signed_in_as("ada", store, seal).await
}

async fn signed_in_as(user: &str, store: impl SessionStore + Clone, seal: Seal) -> String {
    let user = user.to_owned();
    let handler = get(move |session: Session| async move {
        session.insert("user", user).await.unwrap();
        session.insert("cart", cart()).await.unwrap();
    });
    let router = Router::new().route("/", handler);
    let expiry = Expiry::OnInactivity(time::Duration::hours(1));
    let layer = SessionManagerLayer::new(store).with_expiry(expiry);
    let app = match seal {
        Seal::Plain => router.layer(layer),
        Seal::Signed => router.layer(layer.with_signed(TheirKey::from(&KEY))),
        Seal::Private => router.layer(layer.with_private(TheirKey::from(&KEY))),
    };
    let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
    let set = response.headers()[header::SET_COOKIE].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

fn cookie(seal: Seal, key: [u8; 64]) -> OldCookie {
    match seal {
        Seal::Plain => OldCookie::plain("id"),
        Seal::Signed => OldCookie::signed("id", Key::from(&key)),
        Seal::Private => OldCookie::private("id", Key::from(&key)),
    }
}

fn new(seal: Seal, key: [u8; 64], records: impl Records) -> New {
    let importer = TowerSessions::new(cookie(seal, key), records);
    New::importing(importer.with_user(|data| Some(data.get("user")?.as_str()?.to_owned())))
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_of_tower_sessions_with_records_in_redis_are_carried_over() {
    let store = in_redis().await;
    let records = RedisRecords::connect(REDIS.url()).await.unwrap().timeout(PATIENT);
    for seal in SEALS {
        let old = signed_in(store.clone(), seal).await;
        new(seal, KEY, records.clone()).carries_over(&old).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_of_tower_sessions_with_records_in_postgres_are_carried_over() {
    let store = in_postgres().await;
    let records = SqlRecords::postgres(POSTGRES.url()).await.unwrap().timeout(PATIENT);
    for seal in SEALS {
        let old = signed_in(store.clone(), seal).await;
        new(seal, KEY, records.clone()).carries_over(&old).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_of_tower_sessions_with_records_in_mariadb_are_carried_over() {
    let store = in_mariadb().await;
    let records = SqlRecords::mysql(MARIADB.url()).await.unwrap().timeout(PATIENT);
    for seal in SEALS {
        let old = signed_in(store.clone(), seal).await;
        new(seal, KEY, records.clone()).carries_over(&old).await;
    }
}

async fn thousand(store: impl SessionStore + Clone) -> Vec<(String, String)> {
    let mut visitors = Vec::new();
    for number in 0..1_000 {
        let name = format!("visitor-{number}");
        let cookie = signed_in_as(&name, store.clone(), Seal::Signed).await;
        visitors.push((name, cookie));
    }
    visitors
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_visitors_of_tower_sessions_in_redis_move_under_load() {
    let visitors = thousand(in_redis().await).await;
    let records = RedisRecords::connect(REDIS.url()).await.unwrap().timeout(PATIENT);
    new(Seal::Signed, KEY, records).takes_over(visitors).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_visitors_of_tower_sessions_in_postgres_move_under_load() {
    let visitors = thousand(in_postgres().await).await;
    let records = SqlRecords::postgres(POSTGRES.url()).await.unwrap().timeout(PATIENT);
    new(Seal::Signed, KEY, records).takes_over(visitors).await;
}

/// A table as their store makes it, with records as it encodes them.
async fn in_sqlite(records: &[&Record]) -> (tempfile::TempDir, SqlRecords) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("old.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let table =
        "create table tower_sessions (id text primary key not null, data blob not null, expiry_date integer)";
    sqlx::query(table).execute(&pool).await.unwrap();
    for record in records {
        let insert = AssertSqlSafe("insert into tower_sessions values (?, ?, ?)".to_owned());
        let insert = sqlx::query(insert).bind(record.id.to_string()).bind(rmp_serde::to_vec(record).unwrap());
        insert.bind(record.expiry_date.unix_timestamp()).execute(&pool).await.unwrap();
    }
    (directory, SqlRecords::sqlite(&url).await.unwrap().timeout(PATIENT))
}

fn record(data: serde_json::Value, expiry_date: OffsetDateTime) -> Record {
    Record { id: Id::default(), data: serde_json::from_value(data).unwrap(), expiry_date }
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_of_tower_sessions_with_records_in_sqlite_are_carried_over() {
    let data = serde_json::json!({ "user": "ada", "cart": cart() });
    let record = record(data, OffsetDateTime::now_utc() + time::Duration::hours(1));
    let (_directory, records) = in_sqlite(&[&record]).await;
    new(Seal::Plain, KEY, records).carries_over(&format!("id={}", record.id)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_cookie_or_record_of_tower_sessions_is_a_stranger() {
    let soon = OffsetDateTime::now_utc() + time::Duration::hours(1);
    let mut deep = serde_json::json!(1);
    (0..100).for_each(|_| deep = serde_json::json!([deep]));
    let expired = record(serde_json::json!({ "user": "ada" }), OffsetDateTime::now_utc());
    let huge = record(serde_json::json!({ "user": "x".repeat(200_000) }), soon);
    let deep = record(serde_json::json!({ "user": "ada", "deep": deep }), soon);
    let (_directory, records) = in_sqlite(&[&expired, &huge, &deep]).await;
    let plain = new(Seal::Plain, KEY, records.clone());
    plain.refuses(&format!("id={}", expired.id), RefusedImport::Expired).await;
    plain.refuses(&format!("id={}", huge.id), RefusedImport::TooLarge).await;
    plain.refuses(&format!("id={}", deep.id), RefusedImport::Malformed).await;
    plain.refuses(&format!("id={}", Id::default()), RefusedImport::Gone).await;
    for bad in
        ["id=", "id=1", "id=../../../../../../etc/x", "id=%00%00", "id=' or 1=1 --aaaaaaaaaaa", "id=\u{e9}"]
    {
        plain.refuses(bad, RefusedImport::Malformed).await;
    }
    for seal in [Seal::Signed, Seal::Private] {
        let old = signed_in(MemoryStore::default(), seal).await;
        new(seal, [8; 64], records.clone()).refuses(&old, RefusedImport::Forged).await;
        let sealed = new(seal, KEY, records.clone());
        sealed.refuses(&format!("{}x", &old[..old.len() - 1]), RefusedImport::Forged).await;
        sealed.refuses(&old, RefusedImport::Gone).await;
    }
}
