//! The store suite on SQLite, each case in a file of its own.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::path::PathBuf;

use session_core::{StoreKey, async_trait};
use session_store_sql::{Durability, SqlConfig, SqliteStore};
use session_testkit::{Damage, DamageKind, Fixture};

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let store = open(&path);
    store.migrate().await.unwrap();
    let again = path.clone();
    Fixture::new(store)
        .with_damage(Spoil(path))
        .reopen(move || {
            let store = open(&again);
            async move { store }
        })
        .with_guard(folder)
}

fn open(path: &PathBuf) -> SqliteStore {
    SqliteStore::open_with(path, &SqlConfig::new(), Durability::ProcessCrash).unwrap()
}

/// Rows carry no checksum: whether the bytes are those that were written is the database's own business.
struct Spoil(PathBuf);

#[async_trait]
impl Damage for Spoil {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        let spoil = match kind {
            DamageKind::NewerFormat => "UPDATE sessions SET format = 2 WHERE session_key = ?",
            _ => "UPDATE sessions SET owner = cast(x'ff' AS TEXT) WHERE session_key = ?",
        };
        let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", self.0.display())).await.unwrap();
        let key = key.as_bytes().as_slice();
        assert_eq!(sqlx::query(spoil).bind(key).execute(&pool).await.unwrap().rows_affected(), 1);
    }

    fn kinds(&self) -> &[DamageKind] {
        &[DamageKind::Garbage, DamageKind::NewerFormat]
    }
}

session_testkit::store_suite!(fixture);
