//! The law of all stores, and crowds.

use std::path::PathBuf;
use std::time::Duration;

use session_conformance::{Damage, DamageKind, Fixture};
use session_core::store::{StoreKey, async_trait};
use session_store_redb::RedbStore;

async fn fixture() -> Fixture {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = dir.path().join("sessions.redb");
    let store = RedbStore::builder(&path).timeout(PATIENT).open().unwrap();
    let again = store.clone();
    Fixture::new(store).with_guard(dir).reopen(move || std::future::ready(again.clone()))
}

session_conformance::store_suite!(fixture);
session_conformance::crowd_suite!(fixture);

/// A crowd waits in line, and other tests keep the machine busy; what is proved here is not the deadline.
const PATIENT: Duration = Duration::from_secs(60);
