//! The SQLite store on real files: the claims about every database, full disks, killed processes, read-only files.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use crate::claims;
use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::claims::{Ground, LATER, NOW, PATIENT, Store, created, key, record};
use session_core::store::{Loaded, StoreError, StoreErrorKind, StoreKey, Written};
use session_store_sql::{Durability, SqlConfig, SqliteStore};
use sqlx::{AssertSqlSafe, Row, SqlitePool};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};

/// A file of its own.
struct File(TempDir);

impl File {
    fn path(&self) -> PathBuf {
        self.0.path().join("sessions.db")
    }

    /// A connection of somebody else's.
    async fn stranger(&self) -> SqlitePool {
        let url = format!("sqlite://{}?mode=rwc", self.path().display());
        let options: sqlx::sqlite::SqliteConnectOptions = url.parse().unwrap();
        let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).acquire_timeout(PATIENT);
        pool.connect_with(options.busy_timeout(PATIENT)).await.unwrap()
    }
}

fn open(path: PathBuf, config: &SqlConfig) -> SqliteStore {
    SqliteStore::open_with(path, config, Durability::ProcessCrash).unwrap()
}

fn fill(statement: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(statement.replace("{table}", "sessions"))
}

impl Ground for File {
    const TOOL: &str = "sqlite3 sessions.db";
    const VERSION_1: &str = include_str!("claims/version_1/sqlite.sql");
    const HALF: &str = "substr(payload, 1, length(payload) / 2)";

    async fn bare() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self, set: impl FnOnce(SqlConfig) -> SqlConfig) -> Store {
        Arc::new(open(self.path(), &set(SqlConfig::new())))
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        open(self.path(), &SqlConfig::new()).migrate().await
    }

    async fn run(&self, statements: &str) {
        sqlx::raw_sql(fill(statements)).execute(&self.stranger().await).await.unwrap();
    }

    async fn ask(&self, statement: &str, column: usize) -> String {
        sqlx::query(fill(statement)).fetch_one(&self.stranger().await).await.unwrap().get(column)
    }

    async fn hold(&self, _: &StoreKey) -> Box<dyn Any + Send> {
        Box::new(self.stranger().await.begin_with("BEGIN IMMEDIATE").await.unwrap())
    }

    fn bytes(bytes: &[u8]) -> String {
        format!("X'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    fn text(&self) -> String {
        self.path().display().to_string()
    }

    fn at(text: &str) -> Store {
        Arc::new(open(text.into(), &SqlConfig::new().deadline(PATIENT)))
    }

    async fn stalled(deadline: Duration) -> (Store, Box<dyn Any + Send>) {
        let file = Self::new().await;
        let store = file.open(|config| config.deadline(deadline));
        let held = file.stranger().await.begin_with("BEGIN IMMEDIATE").await.unwrap();
        (store, Box::new((held, file)))
    }
}

claims::every_database!(crate::sqlite::File);

/// What was acknowledged is there after `kill -9`, in the weaker of the two durabilities.
#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_a_killed_process() {
    let file = File::new().await;
    let store = file.store();
    for _ in 0..5 {
        let counted = created(&store, &record("0")).await;
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "sqlite::a_child_that_counts_aloud"])
            .env(CHILD, format!("{counted} {}", file.text()))
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
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
        let there = count_at(&store, &counted).await;
        assert!((acknowledged..=acknowledged + 1).contains(&there), "{there} of {acknowledged}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_counts_aloud() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let (key, place) = told.split_once(' ').unwrap();
    let (key, store) = (key.parse().unwrap(), File::at(place));
    println!();
    let Loaded::Found(mut there) = store.load(&key).await.unwrap() else { panic!("it is gone") };
    for count in 1_u64.. {
        let next = record(&count.to_string());
        assert_eq!(store.replace(&key, there.etag, &next, NOW).await.unwrap(), Written::Applied);
        there = next;
        println!("acknowledged {count}");
    }
}

async fn count_at(store: &Store, key: &StoreKey) -> u64 {
    let Loaded::Found(record) = store.load(key).await.unwrap() else { panic!("it is gone") };
    std::str::from_utf8(&record.payload).unwrap().parse().unwrap()
}

const CHILD: &str = "SESSION_TEST_CHILD";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_refused_and_the_old_record_stays() {
    let file = File::new().await;
    let stranger = file.stranger().await;
    // SQLite's own bound on the file behaves as a full disk does: SQLITE_FULL.
    let store: Store =
        Arc::new(SqliteStore::from_pool(stranger.clone(), &SqlConfig::new().deadline(PATIENT)));
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
    file.store().create(&key, &first, NOW).await.unwrap();
    let read_only = format!("sqlite://{}?mode=ro", file.path().display());
    let pool = SqlitePool::connect(&read_only).await.unwrap();
    let store: Store = Arc::new(SqliteStore::from_pool(pool, &SqlConfig::new().deadline(PATIENT)));
    let error = store.replace(&key, first.etag, &record("{}"), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(store.destroy(&key, LATER).await.unwrap_err().kind(), StoreErrorKind::Refused);
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(first));
}

/// SQLite's own schemas are attached files, which every connection would have to attach.
#[tokio::test]
async fn a_table_in_a_schema_is_refused_before_a_file_is_made() {
    let folder = tempfile::tempdir().unwrap();
    for table in ["auth.sessions", "main.sessions", "temp.s"] {
        let path = folder.path().join("sessions.db");
        let error = SqliteStore::open(&path, &SqlConfig::new().table(table).unwrap()).unwrap_err();
        assert!(matches!(error, session_store_sql::SqlConfigError::Schema), "{table}: {error:?}");
        assert_eq!(error.to_string(), "SQLite has no schemas, so its table's name has no dot");
        assert!(!path.exists(), "{table}");
    }
    for malformed in ["auth.", ".sessions", "a.b.c", "auth..sessions", "Auth.sessions", "\"auth\".s"] {
        assert!(SqlConfig::new().table(malformed).is_err(), "{malformed}");
    }
}
