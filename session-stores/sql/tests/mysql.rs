//! The MySQL store on a real MariaDB: races, statements counted by the server, and faults.
#![cfg(feature = "mysql")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod claims;

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use claims::{LATER, NOW, Store, key, record, unique};
use session_core::{Loaded, Record, SessionStore, StoreErrorKind, Written};
use session_store_sql::{MySqlStore, SqlConfig};
use session_test_servers::{Kind, Shared, shared, start};
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, MySqlPool, Row};

static SERVER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::MariaDb));

/// A store with a table of its own on the shared server.
struct Table {
    name: String,
    store: Store,
}

impl Table {
    async fn new() -> Self {
        let name = claims::table_name();
        let store = MySqlStore::open(SERVER.url(), &config(&name)).unwrap();
        store.migrate().await.unwrap();
        Self { name, store: Arc::new(store) }
    }

    fn store(&self) -> Store {
        Arc::clone(&self.store)
    }

    async fn run(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.replace("{table}", &self.name));
        sqlx::raw_sql(statement).execute(&stranger().await).await.unwrap();
    }
}

fn config(table: &str) -> SqlConfig {
    SqlConfig::new().table(table).unwrap()
}

/// Somebody else's connection.
async fn stranger() -> MySqlPool {
    MySqlPoolOptions::new().max_connections(1).connect(SERVER.url()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_comes_back_unchanged() {
    claims::every_field_comes_back_unchanged(Table::new().await.store()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_increment_of_64_tasks_is_lost() {
    claims::no_increment_of_64_tasks_is_lost(Table::new().await.store()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_increment_of_four_processes_is_lost() {
    let table = Table::new().await;
    let place = format!("{} {}", table.name, SERVER.url());
    claims::no_increment_of_four_processes_is_lost(table.store(), "a_child_that_increments", &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_increments() {
    let Some((place, key)) = claims::given_by_a_parent() else { return };
    let (table, url) = place.split_once(' ').unwrap();
    let store = MySqlStore::open(url, &config(table)).unwrap();
    claims::increments(&(Arc::new(store) as Store), key, 16, 50).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_writers_do_not_revive_a_destroyed_session() {
    let table = Table::new().await;
    claims::slow_writers_do_not_revive_a_destroyed_session(table.store(), 1_000, 8).await;
    claims::slow_writers_do_not_revive_a_destroyed_session(table.store(), 4, 160).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rotates_that_race() {
    let table = Table::new().await;
    claims::rotate_answers_what_was_in_the_way(table.store()).await;
    claims::of_parallel_rotates_one_wins(table.store(), 50).await;
    claims::a_rotate_that_is_repeated_while_it_runs_is_applied(table.store(), 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_created_during_destroy_all_is_ended_or_listed() {
    let table = Table::new().await;
    claims::owners_list_the_living_and_spare_the_excepted(table.store()).await;
    claims::a_session_created_during_destroy_all_is_ended_or_listed(table.store(), 50).await;
    claims::a_regenerate_during_destroy_all_does_not_save_a_session(table.store(), 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_removes_the_dead_and_nothing_else() {
    claims::a_sweep_removes_the_dead_and_nothing_else(Table::new().await.store()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_17_a_sweep_west_of_utc_deletes_no_live_row() {
    let table = Table::new().await;
    let options: MySqlConnectOptions = SERVER.url().parse().unwrap();
    let pool = MySqlPoolOptions::new().connect_lazy_with(options.timezone(Some("-08:00".into())));
    let store = MySqlStore::from_pool(pool, &config(&table.name));
    claims::a_sweep_removes_the_dead_and_nothing_else(Arc::new(store)).await;
}

/// Two sweepers do not do the same work twice, and one that dies is no obstacle to the next.
#[tokio::test(flavor = "multi_thread")]
async fn one_sweeper_works_while_another_leaves_it_the_work() {
    let table = Table::new().await;
    let dead = key();
    table.store.create(&dead, &record("{}"), NOW).await.unwrap();
    let other = stranger().await;
    let lock = format!("SELECT get_lock(sha1(concat('sweep of ', database(), '.{}')), 0)", table.name);
    let held: i64 = sqlx::query_scalar(AssertSqlSafe(lock)).fetch_one(&other).await.unwrap();
    assert_eq!(held, 1);
    let sweeper = table.store.sweeper().unwrap();
    assert_eq!(sweeper.sweep(LATER, 10).await.unwrap().removed, 0);
    other.close().await;
    assert_eq!(sweeper.sweep(LATER, 10).await.unwrap().removed, 1);
}

#[tokio::test]
async fn too_large_is_said_before_any_call() {
    let store = MySqlStore::open("mysql://nobody@127.0.0.1:1/none", &SqlConfig::new()).unwrap();
    claims::too_large_is_said_before_any_call(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_record_is_left_alone() {
    let table = Table::new().await;
    let (key, record) = (key(), record("{}"));
    table.store.create(&key, &record, NOW).await.unwrap();
    table.run("UPDATE {table} SET format = 2").await;
    claims::a_newer_record_is_left_alone(table.store(), key, record.etag).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_table_is_refused() {
    let table = Table::new().await;
    table.run("DROP TABLE {table}").await;
    claims::every_call_is(&table.store, StoreErrorKind::Refused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_permission_is_refused() {
    let table = Table::new().await;
    let role = format!("r{}", unique());
    table.run(&format!("CREATE USER {role}")).await;
    let options: MySqlConnectOptions = SERVER.url().parse().unwrap();
    let pool = MySqlPoolOptions::new().connect_lazy_with(options.username(&role));
    let store: Store = Arc::new(MySqlStore::from_pool(pool, &config(&table.name)));
    claims::every_call_is(&store, StoreErrorKind::Refused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_only_read_is_refused_and_still_reads() {
    let table = Table::new().await;
    let (key, first) = (key(), record("{}"));
    table.store.create(&key, &first, NOW).await.unwrap();
    let user = format!("u{}", unique());
    table.run(&format!("CREATE USER {user}; GRANT SELECT ON {{table}} TO {user}")).await;
    let options: MySqlConnectOptions = SERVER.url().parse().unwrap();
    let pool = MySqlPoolOptions::new().connect_lazy_with(options.username(&user));
    let store = MySqlStore::from_pool(pool, &config(&table.name));
    let error = store.replace(&key, first.etag, &record("{}"), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(first));
}

/// ST-8: in MySQL's lenient mode, a value that does not fit is cut. Nothing of ours is.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_cut_to_fit_on_a_lenient_server() {
    let table = Table::new().await;
    let pool = MySqlPoolOptions::new()
        .after_connect(|connection, _| {
            Box::pin(
                async move { sqlx::query("SET SESSION sql_mode = ''").execute(connection).await.map(drop) },
            )
        })
        .connect_lazy(SERVER.url())
        .unwrap();
    let config = config(&table.name).max_record(300_000);
    let store = MySqlStore::from_pool(pool, &config);
    let key = key();
    let large =
        Record { payload: vec![b'x'; 200_000].into(), owner: Some("o".repeat(70_000).into()), ..record("") };
    assert_eq!(store.create(&key, &large, NOW).await.unwrap(), Written::Applied);
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(large));
}

#[tokio::test(flavor = "multi_thread")]
async fn races_end_well_under_other_isolations_too() {
    let table = Table::new().await;
    for level in ["READ COMMITTED", "SERIALIZABLE"] {
        let set = format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}");
        let pool = MySqlPoolOptions::new()
            .after_connect(move |connection, _| {
                let set = AssertSqlSafe(set.clone());
                Box::pin(async move { sqlx::query(set).execute(connection).await.map(drop) })
            })
            .connect_lazy(SERVER.url())
            .unwrap();
        let store: Store = Arc::new(MySqlStore::from_pool(pool, &config(&table.name)));
        claims::of_parallel_rotates_one_wins(Arc::clone(&store), 10).await;
        claims::a_regenerate_during_destroy_all_does_not_save_a_session(Arc::clone(&store), 30).await;
        claims::slow_writers_do_not_revive_a_destroyed_session(store, 20, 8).await;
    }
}

/// One statement for each verb, as the server counts them, one more to say what was in the way, and four for a rotate.
#[tokio::test(flavor = "multi_thread")]
async fn each_verb_is_one_statement_by_the_servers_count() {
    let table = Table::new().await;
    let pool = MySqlPoolOptions::new().max_connections(1).connect(SERVER.url()).await.unwrap();
    let store: Store = Arc::new(MySqlStore::from_pool(pool.clone(), &config(&table.name)));
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
    assert_eq!(store.replace(&one, second.etag, &third, NOW).await.unwrap(), Written::Gone);
    costs("replace of a dead one", 2).await;
    store.destroy(&two, LATER).await.unwrap();
    costs("destroy", 1).await;
    store.owners().unwrap().list("ada", NOW).await.unwrap();
    costs("list", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_migrate_at_once() {
    let name = claims::table_name();
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let store = MySqlStore::open(SERVER.url(), &config(&name)).unwrap();
        set.spawn(async move { store.migrate().await.unwrap() });
    }
    set.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_a_newer_library_is_not_migrated() {
    let table = Table::new().await;
    table.run("INSERT INTO {table}_schema VALUES (2)").await;
    let store = MySqlStore::open(SERVER.url(), &config(&table.name)).unwrap();
    assert_eq!(store.migrate().await.unwrap_err().kind(), StoreErrorKind::Newer);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_errors_nor_debug_show_a_password() {
    let url: String = SERVER.url().replace("root@", "nobody:hunter2@");
    let store = MySqlStore::open(&url, &SqlConfig::new().table("nowhere").unwrap()).unwrap();
    let error = store.load(&key()).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    let texts = [format!("{store:?}"), error.to_string(), format!("{error:?}"), source.to_string()];
    let bad = "mysql://nobody:hunter2@127.0.0.1:hunter2/test";
    let refused = MySqlStore::open(bad, &SqlConfig::new()).unwrap_err();
    for text in texts.into_iter().chain([refused.to_string(), format!("{refused:?}")]) {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_connections_times_out_and_does_not_hang() {
    let table = Table::new().await;
    let config = config(&table.name).deadline(Duration::from_millis(300)).max_connections(1);
    let pool = MySqlPoolOptions::new().max_connections(1).connect(SERVER.url()).await.unwrap();
    let store = MySqlStore::from_pool(pool.clone(), &config);
    let held = pool.acquire().await.unwrap();
    let begun = Instant::now();
    assert_eq!(store.load(&key()).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    assert!(begun.elapsed() < Duration::from_millis(500));
    drop(held);
    assert_eq!(store.load(&key()).await.unwrap(), Loaded::Missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_free_connection_times_out() {
    let table = Table::new().await;
    let user = format!("u{}", unique());
    table.run(&format!("CREATE USER {user} WITH MAX_USER_CONNECTIONS 1")).await;
    let url = SERVER.url().replace("root@", &format!("{user}@")).replace("/test", "/");
    let _held = MySqlPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let config = config(&table.name).deadline(Duration::from_millis(300));
    let store = MySqlStore::open(&url, &config).unwrap();
    let begun = Instant::now();
    assert_eq!(store.load(&key()).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    assert!(begun.elapsed() < Duration::from_millis(500));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_read_as_the_readme_says() {
    let table = Table::new().await;
    table.store.create(&key(), &claims::owned("ada"), NOW).await.unwrap();
    let statement = AssertSqlSafe(claims::readme_statement("mysql", &table.name));
    let row = sqlx::query(statement).fetch_one(&stranger().await).await.unwrap();
    assert_eq!((row.get::<&str, _>(1), row.get::<&str, _>(2)), ("ada", "{}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_holds_times_out() {
    let table = Table::new().await;
    let (key, first) = (key(), record("{}"));
    table.store.create(&key, &first, NOW).await.unwrap();
    let stranger = stranger().await;
    let mut held = stranger.begin().await.unwrap();
    let hold = format!("SELECT 1 FROM {} FOR UPDATE", table.name);
    sqlx::query(AssertSqlSafe(hold)).execute(&mut *held).await.unwrap();
    let config = config(&table.name).deadline(Duration::from_millis(300));
    let store = MySqlStore::open(SERVER.url(), &config).unwrap();
    let begun = Instant::now();
    assert_eq!(store.destroy(&key, LATER).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    assert!(begun.elapsed() < Duration::from_millis(500));
    held.rollback().await.unwrap();
    store.destroy(&key, LATER).await.unwrap();
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Retired { until: LATER });
}

/// Killed and started again, paused and resumed: one server for these, of their own.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_or_stalls_is_lived_with() {
    let server = start(Kind::MariaDb).unwrap();
    let down = MySqlStore::open("mysql://nobody@127.0.0.1:1/none", &SqlConfig::new()).unwrap();
    assert!(format!("{down:?}").contains("sessions"), "a server that is down does not stop a start");

    let config = SqlConfig::new().deadline(Duration::from_millis(500));
    let store: Store = {
        let store = MySqlStore::open(&server.url(), &config).unwrap();
        store.migrate().await.unwrap();
        Arc::new(store)
    };
    let (key, first) = (key(), record("{}"));
    store.create(&key, &first, NOW).await.unwrap();
    let mut at_once = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(&store);
        at_once.spawn(async move { store.load(&key).await.unwrap() });
    }
    at_once.join_all().await;

    server.pause();
    let paused = claims::network::fails_in(&store, &key, Duration::from_millis(700)).await;
    server.resume();
    assert_eq!(paused, StoreErrorKind::Timeout);
    claims::network::works_within_a_second(&store, &key).await;

    server.kill9();
    let killed = claims::network::fails_in(&store, &key, Duration::from_millis(700)).await;
    assert!(matches!(killed, StoreErrorKind::Unavailable | StoreErrorKind::Timeout), "{killed:?}");
    server.restart().unwrap();
    claims::network::works_within_a_second(&store, &key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_fails_is_lived_with() {
    let table = Table::new().await;
    let (proxy, url) = claims::network::proxied(SERVER.url()).await;
    let deadline = Duration::from_millis(300);
    let store = MySqlStore::open(&url, &config(&table.name).deadline(deadline)).unwrap();
    claims::network::a_network_that_fails_is_lived_with(Arc::new(store), &proxy, deadline).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_lost_is_settled_by_its_etag() {
    let table = Table::new().await;
    let (proxy, url) = claims::network::proxied(SERVER.url()).await;
    let store = MySqlStore::open(&url, &config(&table.name).max_connections(1)).unwrap();
    claims::network::a_write_whose_answer_is_lost_is_settled_by_its_etag(Arc::new(store), &proxy).await;
}
