//! The store suite on Postgres, each case in a table of its own.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use session_core::{StoreKey, async_trait};
use session_store_sql::{PostgresStore, SqlConfig};
use session_test_servers::{Kind, Shared, shared};
use session_testkit::{Damage, DamageKind, Fixture};
use sqlx::{AssertSqlSafe, PgPool};

static SERVER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::Postgres));
static CASES: AtomicU64 = AtomicU64::new(0);

async fn fixture() -> Fixture {
    // Unlike those of any earlier run, whose tables a server that outlives the tests still has.
    let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap().as_micros();
    let table = format!("c{since_1970}_{}_{}", std::process::id(), CASES.fetch_add(1, Ordering::Relaxed));
    let store = open(&table);
    store.migrate().await.unwrap();
    let again = table.clone();
    Fixture::new(store).with_damage(Spoil(table)).reopen(move || {
        let store = open(&again);
        async move { store }
    })
}

fn open(table: &str) -> PostgresStore {
    PostgresStore::open(SERVER.url(), &SqlConfig::new().table(table).unwrap()).unwrap()
}

/// Rows carry no checksum: whether the bytes are those that were written is the database's own business.
struct Spoil(String);

#[async_trait]
impl Damage for Spoil {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        let spoiled = match kind {
            DamageKind::NewerFormat => "format = 2",
            _ => "owner = decode('ff', 'hex')",
        };
        let spoil = format!("UPDATE {} SET {spoiled} WHERE session_key = $1", self.0);
        let pool = PgPool::connect(SERVER.url()).await.unwrap();
        let spoil = sqlx::query(AssertSqlSafe(spoil)).bind(key.as_bytes().as_slice());
        assert_eq!(spoil.execute(&pool).await.unwrap().rows_affected(), 1);
    }

    fn kinds(&self) -> &[DamageKind] {
        &[DamageKind::Garbage, DamageKind::NewerFormat]
    }
}

session_testkit::store_suite!(fixture);
