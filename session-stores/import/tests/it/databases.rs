//! Visitors whose sessions are in Postgres, MariaDB or SQLite.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use session_core::Timestamp;
use session_core::import::RefusedImport::Expired;
use session_import::{AdonisJs, Laravel, SqlRecords};
use session_test_servers::{Kind, shared};
use sqlx::AssertSqlSafe;

use crate::support::New;
use crate::{adonisjs, laravel};

/// What differs between the databases.
struct Dialect {
    /// The type of `expires_at`, and a moment of it in seconds as an expression.
    timestamp: &'static str,
    moment: fn(i64) -> String,
    /// The types of texts and of Laravel's `last_activity`, as its migration names them.
    text: &'static str,
    integer: &'static str,
}

const LIFETIME: Duration = Duration::from_secs(7_200);
const SECOND: i64 = 1_000;

/// Both frameworks' tables, sessions in them, and what becomes of the visitors. A macro, since pools have different types.
macro_rules! claims {
    ($pool:expr, $records:expr, $dialect:expr) => {{
        let (pool, records, dialect): (_, SqlRecords, Dialect) = ($pool, $records, $dialect);
        let run = async |statement: String| {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&pool).await.unwrap();
        };
        let count = async |table: &str| {
            let statement = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            sqlx::query_scalar::<_, i64>(statement).fetch_one(&pool).await.unwrap()
        };
        let Dialect { timestamp, moment, text, integer } = dialect;
        let now = Timestamp::now().as_millis() / SECOND;
        run(format!(
            "CREATE TABLE adonis (id VARCHAR(255) PRIMARY KEY, data TEXT NOT NULL, user_id VARCHAR(255), \
             expires_at {timestamp} NOT NULL)"
        ))
        .await;
        run(format!(
            "CREATE TABLE laravel (id VARCHAR(255) PRIMARY KEY, user_id BIGINT, ip_address VARCHAR(45), \
             user_agent TEXT, payload {text} NOT NULL, last_activity {integer} NOT NULL)"
        ))
        .await;
        for fixtures in adonisjs::fixtures() {
            let (id, record, cookie) = of_adonisjs(&fixtures);
            let insert = |expires: i64| {
                let (moment, record) = (moment(expires), record.replace('\'', "''"));
                format!("INSERT INTO adonis (id, data, expires_at) VALUES ('{id}', '{record}', {moment})")
            };
            let importer = || {
                AdonisJs::new(adonisjs::cookie(adonisjs::keys(&fixtures)), records.clone().adonisjs("adonis"))
            };
            run(insert(now + 60)).await;
            adonisjs::new(importer()).carries_over(cookie, &adonisjs::expected(&fixtures)).await;
            assert_eq!(count("adonis").await, 0);
            run(insert(now - 1)).await;
            adonisjs::new(importer()).refuses(cookie, Expired).await;
            run("DELETE FROM adonis".to_owned()).await;
        }
        for cipher in laravel::fixtures() {
            for visitor in cipher.visitors() {
                let insert = |active: i64| {
                    let (id, payload) = (&visitor.id, STANDARD.encode(&visitor.record));
                    format!("INSERT INTO laravel (id, payload, last_activity) VALUES ('{id}', '{payload}', {active})")
                };
                let app = || {
                    let records = records.clone().laravel("laravel", LIFETIME);
                    New::importing(cipher.importer(&visitor, Laravel::new(cipher.cookie(), records)))
                };
                run(insert(now - 7_100)).await;
                app().carries_over(&visitor.cookie, &laravel::expected(visitor.is_json)).await;
                assert_eq!(count("laravel").await, 0);
                run(insert(now - 7_201)).await;
                app().refuses(&visitor.cookie, Expired).await;
                run("DELETE FROM laravel".to_owned()).await;
            }
        }
    }};
}

fn of_adonisjs(fixtures: &Value) -> (&str, &str, &str) {
    let visitor = &fixtures["database"];
    let text = |name| adonisjs::text(visitor, name);
    (text("id"), text("record"), text("cookie"))
}

#[tokio::test]
async fn visitors_with_sessions_in_postgres_are_carried_over() {
    let server = shared(Kind::Postgres);
    let pool = sqlx::PgPool::connect(server.url()).await.unwrap();
    let records = SqlRecords::postgres(server.url()).await.unwrap();
    let dialect = Dialect {
        timestamp: "TIMESTAMPTZ",
        moment: |seconds| format!("to_timestamp({seconds})"),
        text: "TEXT",
        integer: "INTEGER",
    };
    claims!(pool, records, dialect);
}

#[tokio::test]
async fn visitors_with_sessions_in_mariadb_are_carried_over() {
    let server = shared(Kind::MariaDb);
    let pool = sqlx::MySqlPool::connect(server.url()).await.unwrap();
    let records = SqlRecords::mysql(server.url()).await.unwrap();
    let dialect = Dialect {
        timestamp: "TIMESTAMP",
        moment: |seconds| format!("FROM_UNIXTIME({seconds})"),
        text: "LONGTEXT",
        integer: "INT",
    };
    claims!(pool, records, dialect);
}

#[tokio::test]
async fn visitors_with_sessions_in_sqlite_are_carried_over() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("old.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let records = SqlRecords::sqlite(&url).await.unwrap();
    let dialect = Dialect {
        timestamp: "DATETIME",
        moment: |seconds| (seconds * SECOND).to_string(),
        text: "TEXT",
        integer: "INTEGER",
    };
    claims!(pool, records, dialect);
}
