//! The SQLite store on real files: races in and between processes, full disks, read-only files.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod claims;

use std::sync::Arc;

use claims::{LATER, NOW, Store, key, record};
use session_core::{Loaded, SessionStore, StoreErrorKind, Written};
use session_store_sql::{Durability, SqlConfig, SqliteStore};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};

/// A store on a file of its own.
struct File {
    folder: TempDir,
    store: Store,
}

impl File {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("sessions.db"));
        store.migrate().await.unwrap();
        Self { folder, store: Arc::new(store) }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("sessions.db")
    }

    fn store(&self) -> Store {
        Arc::clone(&self.store)
    }

    /// A connection of somebody else's.
    async fn stranger(&self) -> sqlx::SqlitePool {
        sqlx::SqlitePool::connect(&format!("sqlite://{}", self.path().display())).await.unwrap()
    }
}

fn open(path: &std::path::Path) -> SqliteStore {
    SqliteStore::open_with(path, &SqlConfig::new(), Durability::ProcessCrash).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_comes_back_unchanged() {
    let file = File::new().await;
    claims::every_field_comes_back_unchanged(file.store()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_increment_of_64_tasks_is_lost() {
    let file = File::new().await;
    claims::no_increment_of_64_tasks_is_lost(file.store()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_increment_of_four_processes_is_lost() {
    let file = File::new().await;
    let place = file.path().display().to_string();
    claims::no_increment_of_four_processes_is_lost(file.store(), "a_child_that_increments", &place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_increments() {
    let Some((place, key)) = claims::given_by_a_parent() else { return };
    let config = SqlConfig::new().deadline(std::time::Duration::from_secs(10));
    let store = SqliteStore::open_with(place, &config, Durability::ProcessCrash).unwrap();
    claims::increments(&(Arc::new(store) as Store), key, 16, 50).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_writers_do_not_revive_a_destroyed_session() {
    let file = File::new().await;
    claims::slow_writers_do_not_revive_a_destroyed_session(file.store(), 1_000, 8).await;
    claims::slow_writers_do_not_revive_a_destroyed_session(file.store(), 4, 160).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rotates_that_race() {
    let file = File::new().await;
    claims::rotate_answers_what_was_in_the_way(file.store()).await;
    claims::of_parallel_rotates_one_wins(file.store(), 50).await;
    claims::a_rotate_that_is_repeated_while_it_runs_is_applied(file.store(), 50).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_created_during_destroy_all_is_ended_or_listed() {
    let file = File::new().await;
    claims::owners_list_the_living_and_spare_the_excepted(file.store()).await;
    claims::a_session_created_during_destroy_all_is_ended_or_listed(file.store(), 50).await;
    claims::a_regenerate_during_destroy_all_does_not_save_a_session(file.store(), 50).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_removes_the_dead_and_nothing_else() {
    let file = File::new().await;
    claims::a_sweep_removes_the_dead_and_nothing_else(file.store()).await;
}

#[tokio::test]
async fn too_large_is_said_before_any_call() {
    let store = open("/nowhere/at/all/sessions.db".as_ref());
    claims::too_large_is_said_before_any_call(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_read_as_the_readme_says() {
    let file = File::new().await;
    file.store.create(&key(), &claims::owned("ada"), NOW).await.unwrap();
    let statement = sqlx::AssertSqlSafe(claims::readme_statement("sqlite3 sessions.db", "sessions"));
    let row: (String, String, String, String) =
        sqlx::query_as(statement).fetch_one(&file.stranger().await).await.unwrap();
    assert_eq!((row.1.as_str(), row.2.as_str(), row.3.as_str()), ("ada", "{}", "2026-11-18 13:06:40"));
}

/// What was acknowledged is there after `kill -9`, in the weaker of the two durabilities.
#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_a_killed_process() {
    let file = File::new().await;
    for _ in 0..5 {
        let counted = key();
        file.store.create(&counted, &record("0"), NOW).await.unwrap();
        let mut child =
            claims::child("a_child_that_counts_aloud", &file.path().display().to_string(), &counted)
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = 0;
        while acknowledged < 30 {
            let line = lines.next_line().await.unwrap().expect("the child counts until it is killed");
            acknowledged = line.strip_prefix("acknowledged ").map_or(acknowledged, |n| n.parse().unwrap());
        }
        child.kill().await.unwrap();
        while let Some(line) = lines.next_line().await.unwrap() {
            acknowledged = line.strip_prefix("acknowledged ").map_or(acknowledged, |n| n.parse().unwrap());
        }
        let there = claims::count_at(&file.store, &counted).await;
        assert!((acknowledged..=acknowledged + 1).contains(&there), "{there} of {acknowledged}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_counts_aloud() {
    let Some((place, key)) = claims::given_by_a_parent() else { return };
    let store: Store = Arc::new(open(place.as_ref()));
    println!();
    for count in 1_u64.. {
        claims::increments(&store, key, 1, 1).await;
        println!("acknowledged {count}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_record_is_left_alone() {
    let file = File::new().await;
    let (key, record) = (key(), record("{}"));
    file.store.create(&key, &record, NOW).await.unwrap();
    let stranger = file.stranger().await;
    sqlx::query("UPDATE sessions SET format = 2").execute(&stranger).await.unwrap();
    claims::a_newer_record_is_left_alone(file.store(), key, record.etag).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_table_is_refused_and_migrate_mends_it() {
    let file = File::new().await;
    let stranger = file.stranger().await;
    sqlx::raw_sql("DROP TABLE sessions; DROP TABLE sessions_schema").execute(&stranger).await.unwrap();
    claims::every_call_is(&file.store, StoreErrorKind::Refused).await;
    open(&file.path()).migrate().await.unwrap();
    assert_eq!(file.store.create(&key(), &record("{}"), NOW).await.unwrap(), Written::Applied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_refused_and_the_old_record_stays() {
    let file = File::new().await;
    let stranger = sqlx::sqlite::SqlitePoolOptions::new()
        .max_connections(1)
        .connect(&format!("sqlite://{}", file.path().display()))
        .await
        .unwrap();
    // SQLite's own bound on the file behaves as a full disk does: SQLITE_FULL.
    let store: Store = Arc::new(SqliteStore::from_pool(stranger.clone(), &SqlConfig::new()));
    let (key, first) = (key(), record("{}"));
    store.create(&key, &first, NOW).await.unwrap();
    sqlx::query("PRAGMA max_page_count = 12").execute(&stranger).await.unwrap();
    let large = record(&"x".repeat(60_000));
    let error = store.replace(&key, first.etag, &large, NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_file_is_refused_and_still_read() {
    let file = File::new().await;
    let (key, first) = (key(), record("{}"));
    file.store.create(&key, &first, NOW).await.unwrap();
    let read_only = format!("sqlite://{}?mode=ro", file.path().display());
    let pool = sqlx::SqlitePool::connect(&read_only).await.unwrap();
    let store: Store = Arc::new(SqliteStore::from_pool(pool, &SqlConfig::new()));
    let error = store.replace(&key, first.etag, &record("{}"), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(store.destroy(&key, LATER).await.unwrap_err().kind(), StoreErrorKind::Refused);
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_somebody_else_holds_times_out() {
    let file = File::new().await;
    let stranger = file.stranger().await;
    let held = stranger.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let config = SqlConfig::new().deadline(std::time::Duration::from_millis(300));
    let store = SqliteStore::open(file.path(), &config).unwrap();
    let begun = std::time::Instant::now();
    let error = store.create(&key(), &record("{}"), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    assert!(begun.elapsed() < std::time::Duration::from_millis(600));
    assert_eq!(store.load(&key()).await.unwrap(), Loaded::Missing);
    held.rollback().await.unwrap();
    assert_eq!(store.create(&key(), &record("{}"), NOW).await.unwrap(), Written::Applied);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_migrate_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let store = open(&path);
        set.spawn(async move { store.migrate().await.unwrap() });
    }
    set.join_all().await;
}
