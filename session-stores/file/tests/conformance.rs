//! The file store against the whole store suite, flushing and not flushing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use session_core::store::{StoreKey, async_trait};
use session_store_file::{Durability, FileStore};
use session_testkit::crowd::Place;
use session_testkit::{Damage, DamageKind, Fixture};

fn fixture_with(durability: Durability) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("sessions");
    let open = {
        let root = root.clone();
        move || {
            FileStore::builder(&root).durability(durability).timeout(Duration::from_secs(60)).open().unwrap()
        }
    };
    Fixture::new(open())
        .rounds(20)
        .with_guard(dir)
        .with_damage(Scribble { root })
        .reopen(move || std::future::ready(open()))
}

/// Spoils the file under a key with a text editor's means.
struct Scribble {
    root: PathBuf,
}

#[async_trait]
impl Damage for Scribble {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        let name = key.to_string();
        let path = self.root.join(&name[..2]).join(name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        match kind {
            DamageKind::Truncate => bytes.truncate(middle),
            DamageKind::FlipBit => bytes[middle] ^= 1,
            DamageKind::Garbage => bytes.fill(0xa5),
            DamageKind::NewerFormat => bytes = b"session-file 2 in words of the future\n".to_vec(),
            other => panic!("a new way to spoil a record: {other:?}"),
        }
        fs::write(&path, bytes).unwrap();
    }
}

mod flushing {
    use super::*;

    async fn fixture() -> Fixture {
        fixture_with(Durability::Full)
    }

    session_testkit::store_suite!(fixture);
    session_testkit::crowd_suite!(place, open);

    async fn place() -> Place {
        // In memory, where the system has such a place: all is flushed, and no other program's disk is waited for.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Place::at(dir.path().join("sessions").to_str().unwrap()).with_guard(dir)
    }

    async fn open(place: String) -> FileStore {
        // A crowd waits in line; what it proves is not the deadline.
        FileStore::builder(place).timeout(Duration::from_secs(60)).open().unwrap()
    }
}

mod not_flushing {
    use super::*;

    async fn fixture() -> Fixture {
        fixture_with(Durability::Rename)
    }

    session_testkit::store_suite!(fixture);
}
