//! Creating the tables: concurrently, from an older version, and never over a newer one.

use std::sync::Arc;

use session_core::store::{Loaded, StoreErrorKind, Written};
use tokio::task::JoinSet;

use super::{Ground, LATER, NOW, key, record};

pub(crate) async fn many_may_migrate_at_once<G: Ground>() {
    let ground = Arc::new(G::bare().await);
    migrate_twelve_times(&ground).await;
    assert_eq!(ground.store().create(&key(), &record("{}"), NOW).await.unwrap(), Written::Applied);
}

async fn migrate_twelve_times<G: Ground>(ground: &Arc<G>) {
    let mut set = JoinSet::new();
    for _ in 0..12 {
        let ground = Arc::clone(ground);
        set.spawn(async move { ground.migrate().await.unwrap() });
    }
    set.join_all().await;
}

/// The sessions in it live on: a row without a checksum is believed until it is written again.
pub(crate) async fn a_table_of_version_1_is_brought_up_to_date_by_many_at_once<G: Ground>() {
    let ground = Arc::new(G::bare().await);
    ground.run(G::VERSION_1).await;
    let (old, ended, first) = (key(), key(), record("{\"n\":1}"));
    for (key, payload) in [(old, G::bytes(&first.payload)), (ended, "NULL".into())] {
        let key = G::bytes(key.as_bytes());
        ground
            .run(&format!(
                "INSERT INTO {{table}} (session_key, format, etag, created, idle_deadline, expires_hour, payload) \
                 VALUES ({key}, 1, {}, {}, {}, 498613, {payload})",
                first.etag.get(),
                first.created.as_millis(),
                first.idle_deadline.as_millis(),
            ))
            .await;
    }
    migrate_twelve_times(&ground).await;
    let store = ground.store();
    assert_eq!(store.load(&old).await.unwrap(), Loaded::Found(first.clone()));
    assert_eq!(store.load(&ended).await.unwrap(), Loaded::Ended { until: LATER });
    let next = record("{\"n\":2}");
    assert_eq!(store.replace(&old, first.etag, &next, NOW).await.unwrap(), Written::Applied);
    assert_eq!(store.load(&old).await.unwrap(), Loaded::Found(next.clone()));
    ground.run("UPDATE {table} SET checksum = 0").await;
    assert_eq!(store.load(&old).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
}

pub(crate) async fn a_table_of_a_newer_library_is_not_migrated<G: Ground>() {
    let ground = G::new().await;
    ground.run("INSERT INTO {table}_schema VALUES (3)").await;
    assert_eq!(ground.migrate().await.unwrap_err().kind(), StoreErrorKind::Newer);
}
