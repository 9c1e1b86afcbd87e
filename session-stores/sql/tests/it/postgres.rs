//! The Postgres store on a real server: the claims about every database, and those about Postgres.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use crate::claims;
use std::any::Any;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crate::claims::{Ground, LATER, NOW, PATIENT, Served, Store, created, key, owned, record};
use session_core::store::{Loaded, SessionStore, StoreError, StoreErrorKind, StoreKey, Written};
use session_store_sql::{PostgresStore, SqlConfig, SqlConfigError};
use session_test_servers::{Kind, Shared, shared};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool, Row};

static SERVER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Postgres));

/// A table on the shared server.
struct Table(String);

impl Table {
    /// A store on a pool of somebody else's making.
    fn on(&self, pool: PgPool) -> Store {
        Arc::new(PostgresStore::from_pool(pool, &self.config().deadline(PATIENT)))
    }

    fn fill(&self, statement: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(statement.replace("{table}", &self.0))
    }
}

impl Ground for Table {
    const TOOL: &str = "psql";
    const VERSION_1: &str = include_str!("claims/version_1/postgres.sql");
    const HALF: &str = "substring(payload from 1 for octet_length(payload) / 2)";

    async fn bare() -> Self {
        Self(claims::table_name())
    }

    fn open(&self, set: impl FnOnce(SqlConfig) -> SqlConfig) -> Store {
        Arc::new(PostgresStore::open(SERVER.url(), &set(self.config())).unwrap())
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        PostgresStore::open(SERVER.url(), &self.config()).unwrap().migrate().await
    }

    async fn run(&self, statements: &str) {
        sqlx::raw_sql(self.fill(statements)).execute(&stranger().await).await.unwrap();
    }

    async fn ask(&self, statement: &str, column: usize) -> String {
        sqlx::query(self.fill(statement)).fetch_one(&stranger().await).await.unwrap().get(column)
    }

    async fn hold(&self, key: &StoreKey) -> Box<dyn Any + Send> {
        let mut held = stranger().await.begin().await.unwrap();
        let hold =
            format!("SELECT 1 FROM {{table}} WHERE session_key = {} FOR UPDATE", Self::bytes(key.as_bytes()));
        sqlx::query(self.fill(&hold)).execute(&mut *held).await.unwrap();
        Box::new(held)
    }

    fn bytes(bytes: &[u8]) -> String {
        format!("'\\x{}'::bytea", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    fn text(&self) -> String {
        format!("{} {}", self.0, SERVER.url())
    }

    fn at(text: &str) -> Store {
        let (table, url) = text.split_once(' ').unwrap();
        Self::open_at(url, Self(table.into()).config().deadline(PATIENT)).unwrap()
    }

    async fn stalled(deadline: Duration) -> (Store, Box<dyn Any + Send>) {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("postgres://user@{}/test", silent.local_addr().unwrap());
        let store = PostgresStore::open(&url, &SqlConfig::new().deadline(deadline)).unwrap();
        (Arc::new(store), Box::new(silent))
    }
}

impl Served for Table {
    const KIND: Kind = Kind::Postgres;
    const USER: &str = "postgres";
    const NEW_USER: &str = "CREATE ROLE {user} LOGIN";

    async fn exhausted(&self, user: &str) -> Box<dyn Any> {
        self.run(&format!("CREATE ROLE {user} LOGIN CONNECTION LIMIT 0")).await;
        Box::new(())
    }

    fn url() -> String {
        SERVER.url().to_owned()
    }

    fn open_at(url: &str, config: SqlConfig) -> Result<Store, SqlConfigError> {
        Ok(Arc::new(PostgresStore::open(url, &config)?))
    }

    async fn migrate_at(url: &str) {
        PostgresStore::open(url, &SqlConfig::new()).unwrap().migrate().await.unwrap();
    }

    fn table(&self) -> &str {
        &self.0
    }
}

/// Somebody else's connection.
async fn stranger() -> PgPool {
    PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENT).connect(SERVER.url()).await.unwrap()
}

fn options() -> PgConnectOptions {
    SERVER.url().parse().unwrap()
}

claims::every_database!(crate::postgres::Table);
claims::every_server!(crate::postgres::Table);

#[tokio::test(flavor = "multi_thread")]
async fn peers_17_a_sweep_west_of_utc_deletes_no_live_row() {
    let west = options().options([("timezone", "America/Los_Angeles")]);
    let pool = PgPoolOptions::new()
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::query("SET TIME ZONE 'America/Los_Angeles'").execute(connection).await.map(drop)
            })
        })
        .connect_lazy_with(west);
    claims::owners::a_sweep_on(Table::new().await.on(pool)).await;
}

/// Two sweepers do not do the same work twice, and one that dies is no obstacle to the next.
#[tokio::test(flavor = "multi_thread")]
async fn one_sweeper_works_while_another_leaves_it_the_work() {
    let table = Table::new().await;
    let store = table.store();
    created(&store, &record("{}")).await;
    let other = stranger().await;
    let mut held = other.begin().await.unwrap();
    let lock = table.fill("SELECT pg_advisory_xact_lock(1936942444, '{table}'::regclass::oid::int)");
    sqlx::query(lock).execute(&mut *held).await.unwrap();
    let sweeper = store.sweeper().unwrap();
    assert_eq!(sweeper.sweep(LATER, 10).await.unwrap().removed, 0);
    held.rollback().await.unwrap();
    assert_eq!(sweeper.sweep(LATER, 10).await.unwrap().removed, 1);
}

/// A row that somebody holds is left for the next batch; nothing waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_skips_a_row_that_somebody_holds() {
    let table = Table::new().await;
    let store = table.store();
    let held = table.hold(&created(&store, &record("{}")).await).await;
    created(&store, &record("{}")).await;
    let sweeper = store.sweeper().unwrap();
    assert_eq!(sweeper.sweep(LATER, 10).await.unwrap().removed, 1);
    drop(held);
    table.run("UPDATE {table} SET format = format").await;
    assert_eq!(sweeper.sweep(LATER, 10).await.unwrap().removed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_server_is_refused_and_still_read() {
    let table = Table::new().await;
    let first = record("{}");
    let key = created(&table.store(), &first).await;
    let read_only = options().options([("default_transaction_read_only", "on")]);
    let store = table.on(PgPoolOptions::new().connect_lazy_with(read_only));
    let error = store.replace(&key, first.etag, &record("{}"), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(first));
}

#[tokio::test(flavor = "multi_thread")]
async fn races_end_well_under_serializable_isolation_too() {
    let table = Table::new().await;
    let strict = options().options([("default_transaction_isolation", "serializable")]);
    let store = table.on(PgPoolOptions::new().acquire_timeout(PATIENT).connect_lazy_with(strict));
    claims::races::rotates_race_on(Arc::clone(&store), 10).await;
    let crowd = session_conformance::crowd::Crowd { writers: 8, rounds: 20, ..Default::default() };
    session_conformance::crowd::a_destroyed_session_stays_dead(store, crowd).await;
}

/// One statement for each verb, as the server counts them, conflicts included, and one more where no live session was
/// found, to follow a rotation.
#[tokio::test(flavor = "multi_thread")]
async fn each_verb_is_one_statement_by_the_servers_count() {
    let table = Table::new().await;
    let stranger = stranger().await;
    let count = async || -> i64 {
        let asked = table.fill(
            "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements \
             WHERE query LIKE '%\"{table}\"%' AND query NOT LIKE '%pg_stat_statements%'",
        );
        sqlx::query_scalar(asked).fetch_one(&stranger).await.unwrap()
    };
    let store = &table.store();
    let (first, second, third) = (record("{}"), record("{}"), record("{}"));
    let (one, two) = (key(), key());
    let mut before = count().await;
    let mut costs = async |verb: &str, statements: i64| {
        let now = count().await;
        assert_eq!(now - before, statements, "{verb}");
        before = now;
    };
    store.create(&one, &first, NOW).await.unwrap();
    costs("create", 1).await;
    assert_eq!(store.create(&one, &second, NOW).await.unwrap(), Written::Taken);
    costs("create that is taken", 1).await;
    store.load(&one).await.unwrap();
    costs("load", 1).await;
    store.touch(&one, LATER, NOW).await.unwrap();
    costs("touch", 1).await;
    store.replace(&one, first.etag, &second, NOW).await.unwrap();
    costs("replace", 1).await;
    assert!(matches!(store.replace(&one, first.etag, &third, NOW).await.unwrap(), Written::Conflict(_)));
    costs("replace in conflict", 1).await;
    assert!(matches!(
        store.rotate(&one, first.etag, &two, &third, NOW, LATER).await.unwrap(),
        Written::Conflict(_)
    ));
    costs("rotate in conflict", 1).await;
    assert_eq!(store.rotate(&one, second.etag, &two, &third, NOW, LATER).await.unwrap(), Written::Applied);
    costs("rotate", 1).await;
    assert_eq!(store.rotate(&one, second.etag, &two, &third, NOW, LATER).await.unwrap(), Written::Applied);
    costs("rotate once more", 1).await;
    let moved = Written::Moved { key: two, record: third.clone() };
    assert_eq!(store.replace(&one, second.etag, &third, NOW).await.unwrap(), moved);
    costs("replace of a rotated one", 2).await;
    assert_eq!(store.rotate(&one, second.etag, &key(), &first, NOW, LATER).await.unwrap(), moved);
    costs("rotate of a rotated one", 2).await;
    assert_eq!(store.destroy(&one, LATER).await.unwrap(), moved);
    costs("destroy of a rotated one", 2).await;
    assert_eq!(store.touch(&one, LATER, NOW).await.unwrap(), Written::Gone);
    costs("touch of a dead one", 1).await;
    store.destroy(&two, LATER).await.unwrap();
    costs("destroy", 1).await;
    store.sweeper().unwrap().sweep(LATER, 10).await.unwrap();
    costs("sweep", 1).await;
    store.owners().unwrap().list("ada", NOW).await.unwrap();
    costs("list", 1).await;
}

/// By the server's count. Another test's transaction that is still open keeps the versions that a page would reuse, so a
/// table that met one is left and the next one tried.
#[tokio::test(flavor = "multi_thread")]
async fn touches_stay_within_their_page() {
    let begun = Instant::now();
    loop {
        let hot = touched_fifty_times().await;
        if hot >= 49 {
            return;
        }
        assert!(begun.elapsed() < PATIENT, "{hot} of 50");
    }
}

/// How many of the touches of one session stayed within their page.
async fn touched_fifty_times() -> i64 {
    let table = Table::new().await;
    let store = table.store();
    let key = created(&store, &owned("ada")).await;
    for second in 1..=50 {
        let later = LATER.plus(Duration::from_secs(second));
        assert_eq!(store.touch(&key, later, NOW).await.unwrap(), Written::Applied);
    }
    let asked = "SELECT pg_stat_get_xact_tuples_updated('{table}'::regclass) \
         + pg_stat_get_tuples_updated('{table}'::regclass), pg_stat_get_tuples_hot_updated('{table}'::regclass)";
    let stranger = stranger().await;
    let begun = Instant::now();
    loop {
        let (updated, hot): (i64, i64) =
            sqlx::query_as(table.fill(asked)).fetch_one(&stranger).await.unwrap();
        if updated >= 50 {
            assert_eq!(updated, 50);
            return hot;
        }
        // A connection says what it did when it is idle for a while.
        assert!(begun.elapsed() < PATIENT, "{updated} of 50");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_connections_times_out_and_does_not_hang() {
    let table = Table::new().await;
    let pool = stranger().await;
    let config = table.config().deadline(Duration::from_millis(300));
    let store = PostgresStore::from_pool(pool.clone(), &config);
    let held = pool.acquire().await.unwrap();
    assert_eq!(store.load(&key()).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    drop(held);
    assert_eq!(table.on(pool).load(&key()).await.unwrap(), Loaded::Missing);
}

/// A schema of one's own, which whoever runs the database makes.
#[tokio::test(flavor = "multi_thread")]
async fn b_26_the_table_may_be_in_a_schema_of_its_own() {
    let (schema, inside) = (claims::table_name(), claims::table_name());
    let config = || SqlConfig::new().table(&format!("{schema}.{inside}")).unwrap().deadline(PATIENT);
    let store = PostgresStore::open(SERVER.url(), &config()).unwrap();
    assert_eq!(store.migrate().await.unwrap_err().kind(), StoreErrorKind::Refused, "the schema is not there");
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&stranger().await).await.unwrap();
    store.migrate().await.unwrap();
    PostgresStore::open(SERVER.url(), &config()).unwrap().migrate().await.unwrap();
    claims::every_verb(&store).await;
    let there = format!("SELECT count(*) FROM {schema}.{inside}");
    sqlx::query(AssertSqlSafe(there)).fetch_one(&stranger().await).await.unwrap();
}
