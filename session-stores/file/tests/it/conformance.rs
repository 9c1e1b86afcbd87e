//! The store suite, with and without flushing to the disk.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use session_conformance::crowd::Place;
use session_conformance::{Damage, DamageKind, Fixture};
use session_core::store::{StoreKey, async_trait};
use session_store_file::{Durability, FileStore};
use sha2::{Digest, Sha256};

fn fixture_with(durability: Durability) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("sessions");
    let open = move |root: &Path, deadline| {
        FileStore::builder(root).durability(durability).timeout(deadline).open().unwrap()
    };
    let owners = root.join("owners");
    Fixture::new(open(&root, A_MINUTE))
        .rounds(20)
        .with_guard(dir)
        .with_damage(Scribble { root: root.clone() })
        .shared(root.to_str().unwrap(), move |root| std::future::ready(open(root.as_ref(), A_MINUTE)))
        .owner_entries(move |owner| std::future::ready(marks(&owners, &owner)))
        .stalled(BRIEF, move || {
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path().join("sessions");
            let store = open(&root, BRIEF);
            let fixture = Fixture::new(store).with_guard(lock_all(&root)).with_guard(dir);
            std::future::ready(fixture)
        })
}

/// How many marks lie in the owner's directory, which is named by a hash.
fn marks(owners: &Path, owner: &str) -> usize {
    let hash = Sha256::new().chain_update(b"session-store-file/owner/v1\0").chain_update(owner).finalize();
    let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    fs::read_dir(owners.join(&name[..2]).join(&name)).map_or(0, Iterator::count)
}

/// Another program that holds every lock for as long as the files are open.
fn lock_all(root: &Path) -> Vec<fs::File> {
    let locks = root.join("locks");
    fs::create_dir_all(&locks).unwrap();
    let lock = |number| {
        let file = fs::File::create(locks.join(format!("{number:02x}"))).unwrap();
        file.lock().unwrap();
        file
    };
    (0..=255).map(lock).collect()
}

/// For what must succeed however busy the machine is.
const A_MINUTE: Duration = Duration::from_secs(60);
const BRIEF: Duration = Duration::from_millis(100);

/// Damages the file of a key.
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

    session_conformance::store_suite!(fixture);
    session_conformance::crowd_suite!(place, open);

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

    session_conformance::store_suite!(fixture);
}
