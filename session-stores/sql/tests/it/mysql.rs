//! The MySQL store on a real MariaDB: the claims about every database, and those about MySQL.
#![cfg(feature = "mysql")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use crate::claims;
use std::any::Any;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::claims::{Ground, LATER, NOW, PATIENT, Served, Store, created, key, record, unique};
use session_core::store::{Loaded, SessionStore, StoreError, StoreErrorKind, StoreKey, Written};
use session_store_sql::{MySqlStore, SqlConfig, SqlConfigError};
use session_test_servers::{Kind, Shared, shared};
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, MySqlPool, Row};

static SERVER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::MariaDb));

/// A table on the shared server.
struct Table(String);

impl Table {
    /// A store on a pool of somebody else's making.
    fn on(&self, pool: MySqlPool) -> Store {
        Arc::new(MySqlStore::from_pool(pool, &self.config().deadline(PATIENT)))
    }

    fn fill(&self, statement: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(statement.replace("{table}", &self.0))
    }
}

impl Ground for Table {
    const TOOL: &str = "mysql";
    const VERSION_1: &str = include_str!("claims/version_1/mysql.sql");
    const HALF: &str = "left(payload, length(payload) DIV 2)";

    async fn bare() -> Self {
        Self(claims::table_name())
    }

    fn open(&self, set: impl FnOnce(SqlConfig) -> SqlConfig) -> Store {
        Arc::new(MySqlStore::open(SERVER.url(), &set(self.config())).unwrap())
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        MySqlStore::open(SERVER.url(), &self.config()).unwrap().migrate().await
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
        format!("X'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
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
        let url = format!("mysql://user@{}/test", silent.local_addr().unwrap());
        let store = MySqlStore::open(&url, &SqlConfig::new().deadline(deadline)).unwrap();
        (Arc::new(store), Box::new(silent))
    }
}

impl Served for Table {
    const KIND: Kind = Kind::MariaDb;
    const USER: &str = "root";
    const NEW_USER: &str = "CREATE USER {user}";

    async fn exhausted(&self, user: &str) -> Box<dyn Any> {
        let new = "CREATE USER {user} WITH MAX_USER_CONNECTIONS 1; GRANT ALL ON {table} TO {user}";
        self.run(&new.replace("{user}", user)).await;
        let pool = MySqlPoolOptions::new().max_connections(1).acquire_timeout(PATIENT);
        Box::new(pool.connect_with(options().username(user)).await.unwrap())
    }

    fn url() -> String {
        SERVER.url().to_owned()
    }

    fn open_at(url: &str, config: SqlConfig) -> Result<Store, SqlConfigError> {
        Ok(Arc::new(MySqlStore::open(url, &config)?))
    }

    async fn migrate_at(url: &str) {
        MySqlStore::open(url, &SqlConfig::new()).unwrap().migrate().await.unwrap();
    }

    fn table(&self) -> &str {
        &self.0
    }
}

/// Somebody else's connection.
async fn stranger() -> MySqlPool {
    MySqlPoolOptions::new().max_connections(1).acquire_timeout(PATIENT).connect(SERVER.url()).await.unwrap()
}

fn options() -> MySqlConnectOptions {
    SERVER.url().parse().unwrap()
}

claims::every_database!(crate::mysql::Table);
claims::every_server!(crate::mysql::Table);

#[tokio::test(flavor = "multi_thread")]
async fn peers_17_a_sweep_west_of_utc_deletes_no_live_row() {
    let west = options().timezone(Some("-08:00".into()));
    let pool = MySqlPoolOptions::new().connect_lazy_with(west);
    claims::owners::a_sweep_on(Table::new().await.on(pool)).await;
}

/// Two sweepers do not do the same work twice, and one that dies is no obstacle to the next.
#[tokio::test(flavor = "multi_thread")]
async fn one_sweeper_works_while_another_leaves_it_the_work() {
    let table = Table::new().await;
    let store = table.store();
    created(&store, &record("{}")).await;
    let other = stranger().await;
    let lock = table.fill("SELECT get_lock(sha1(concat('sweep of ', database(), '.{table}')), 0)");
    let held: i64 = sqlx::query_scalar(lock).fetch_one(&other).await.unwrap();
    assert_eq!(held, 1);
    let sweeper = store.sweeper().unwrap();
    assert_eq!(sweeper.sweep(LATER, 10).await.unwrap().removed, 0);
    let freed = table.fill("SELECT release_lock(sha1(concat('sweep of ', database(), '.{table}')))");
    sqlx::query(freed).execute(&other).await.unwrap();
    assert_eq!(sweeper.sweep(LATER, 10).await.unwrap().removed, 1);
}

/// A row that somebody holds is left for the next batch; nothing waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_skips_a_row_that_somebody_holds() {
    let table = Table::new().await;
    let store = table.store();
    let (dead, held) = (created(&store, &record("{}")).await, created(&store, &record("{}")).await);
    let stranger = stranger().await;
    let mut holding = stranger.begin().await.unwrap();
    let hold = table.fill("UPDATE {table} SET created = created + 1 WHERE session_key = ?");
    sqlx::query(hold).bind(held.as_bytes().as_slice()).execute(&mut *holding).await.unwrap();
    let sweeper = store.sweeper().unwrap();
    assert_eq!(sweeper.sweep(LATER, 10).await.unwrap().removed, 1);
    assert_eq!(store.load(&dead).await.unwrap(), Loaded::Missing);
    holding.rollback().await.unwrap();
    assert_eq!(sweeper.sweep(LATER, 10).await.unwrap().removed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_only_read_is_refused_and_still_reads() {
    let table = Table::new().await;
    let first = record("{}");
    let key = created(&table.store(), &first).await;
    let user = format!("u{}", unique());
    table.run(&format!("CREATE USER {user}; GRANT SELECT ON {{table}} TO {user}")).await;
    let store = table.on(MySqlPoolOptions::new().connect_lazy_with(options().username(&user)));
    let error = store.replace(&key, first.etag, &record("{}"), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(first));
}

/// ST-8: in MySQL's lenient mode, a value that does not fit is cut. Nothing of ours is.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_cut_to_fit_on_a_lenient_server() {
    let table = Table::new().await;
    let pool = told("SET SESSION sql_mode = ''");
    let config = table.config().max_record(300_000).deadline(PATIENT);
    let store: Store = Arc::new(MySqlStore::from_pool(pool, &config));
    let large =
        record("").with_payload(vec![b'x'; 200_000].into()).with_owner(Some("o".repeat(70_000).into()));
    let key = created(&store, &large).await;
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(large));
}

#[tokio::test(flavor = "multi_thread")]
async fn races_end_well_under_other_isolations_too() {
    let table = Table::new().await;
    for level in ["READ COMMITTED", "SERIALIZABLE"] {
        let store = table.on(told(&format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}")));
        claims::races::rotates_race_on(Arc::clone(&store), 10).await;
        claims::owners::regenerates_during_destroy_all_on(Arc::clone(&store), 30).await;
        let crowd = session_conformance::crowd::Crowd { writers: 8, rounds: 20, ..Default::default() };
        session_conformance::crowd::a_destroyed_session_stays_dead(store, crowd).await;
    }
}

/// A pool whose connections have been told this.
fn told(statement: &str) -> MySqlPool {
    let statement = statement.to_owned();
    MySqlPoolOptions::new()
        .acquire_timeout(PATIENT)
        .after_connect(move |connection, _| {
            let statement = AssertSqlSafe(statement.clone());
            Box::pin(async move { sqlx::query(statement).execute(connection).await.map(drop) })
        })
        .connect_lazy_with(options())
}

/// One statement for each verb, as the server counts them, one more to say what was in the way, and four for a rotate.
#[tokio::test(flavor = "multi_thread")]
async fn each_verb_is_one_statement_by_the_servers_count() {
    let table = Table::new().await;
    let pool = stranger().await;
    let store = table.on(pool.clone());
    // The question itself is counted too.
    let count = async || -> i64 {
        let asked = "SHOW SESSION STATUS LIKE 'Questions'";
        let (_, count): (String, String) = sqlx::query_as(asked).fetch_one(&pool).await.unwrap();
        count.parse().unwrap()
    };
    let (first, second, third) = (record("{}"), record("{}"), record("{}"));
    let (one, two) = (key(), key());
    let mut before = count().await;
    let mut costs = async |verb: &str, statements: i64| {
        let now = count().await;
        assert_eq!(now - before - 1, statements, "{verb}");
        before = now;
    };
    store.create(&one, &first, NOW).await.unwrap();
    costs("create", 1).await;
    assert_eq!(store.create(&one, &second, NOW).await.unwrap(), Written::Taken);
    costs("create that is taken", 2).await;
    store.load(&one).await.unwrap();
    costs("load", 1).await;
    store.touch(&one, LATER, NOW).await.unwrap();
    costs("touch", 1).await;
    store.replace(&one, first.etag, &second, NOW).await.unwrap();
    costs("replace", 1).await;
    assert!(matches!(store.replace(&one, first.etag, &third, NOW).await.unwrap(), Written::Conflict(_)));
    costs("replace in conflict", 2).await;
    assert!(matches!(
        store.rotate(&one, first.etag, &two, &third, NOW, LATER).await.unwrap(),
        Written::Conflict(_)
    ));
    costs("rotate in conflict", 4).await;
    assert_eq!(store.rotate(&one, second.etag, &two, &third, NOW, LATER).await.unwrap(), Written::Applied);
    costs("rotate", 4).await;
    assert_eq!(store.rotate(&one, second.etag, &two, &third, NOW, LATER).await.unwrap(), Written::Applied);
    costs("rotate once more", 4).await;
    let moved = Written::Moved { key: two, record: third.clone() };
    assert_eq!(store.replace(&one, second.etag, &third, NOW).await.unwrap(), moved);
    costs("replace of a rotated one", 2).await;
    assert_eq!(store.destroy(&one, LATER).await.unwrap(), moved);
    costs("destroy of a rotated one", 2).await;
    assert_eq!(store.replace(&key(), second.etag, &third, NOW).await.unwrap(), Written::Gone);
    costs("replace of nothing", 2).await;
    store.destroy(&two, LATER).await.unwrap();
    costs("destroy", 1).await;
    store.owners().unwrap().list("ada", NOW).await.unwrap();
    costs("list", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_connections_times_out_and_does_not_hang() {
    let table = Table::new().await;
    let pool = stranger().await;
    let config = table.config().deadline(Duration::from_millis(300));
    let store = MySqlStore::from_pool(pool.clone(), &config);
    let held = pool.acquire().await.unwrap();
    assert_eq!(store.load(&key()).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    drop(held);
    assert_eq!(table.on(pool).load(&key()).await.unwrap(), Loaded::Missing);
}

/// On MySQL a schema is a database.
#[tokio::test(flavor = "multi_thread")]
async fn b_26_the_table_may_be_in_a_schema_of_its_own() {
    let (schema, inside) = (claims::table_name(), claims::table_name());
    let config = || SqlConfig::new().table(&format!("{schema}.{inside}")).unwrap().deadline(PATIENT);
    let store = MySqlStore::open(SERVER.url(), &config()).unwrap();
    assert_eq!(store.migrate().await.unwrap_err().kind(), StoreErrorKind::Refused, "the schema is not there");
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {schema}")))
        .execute(&stranger().await)
        .await
        .unwrap();
    store.migrate().await.unwrap();
    MySqlStore::open(SERVER.url(), &config()).unwrap().migrate().await.unwrap();
    claims::every_verb(&store).await;
}
