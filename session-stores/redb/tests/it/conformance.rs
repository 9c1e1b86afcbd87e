//! The store suite, including crowds and damage.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use session_conformance::{Damage, DamageKind, Fixture};
use session_core::store::{StoreKey, async_trait};
use session_store_kv::codec::Entry;
use session_store_redb::RedbStore;

use crate::support::{PATIENT, memory_dir};

async fn fixture() -> Fixture {
    let dir = memory_dir();
    let path = dir.path().join("sessions.redb");
    // Without a cache, so that damage to the file is seen.
    let store = RedbStore::builder(&path).cache(0).timeout(PATIENT).open().unwrap();
    let again = store.clone();
    Fixture::new(store)
        .with_guard(dir)
        .with_damage(Scribble { path })
        .reopen(move || std::future::ready(again.clone()))
        .in_one_process()
        // The file is locked, so nobody can look at the index; the tests of `session-store-kv` do.
        .without_owner_entries()
        // It waits for the disk alone, which a test cannot stall.
        .without_stall()
}

/// Spoils a record where it lies in the file.
struct Scribble {
    path: PathBuf,
}

#[async_trait]
impl Damage for Scribble {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        let bytes = fs::read(&self.path).unwrap();
        let file = OpenOptions::new().write(true).open(&self.path).unwrap();
        let starts = (0..bytes.len() - 4).filter(|&at| bytes[at..].starts_with(b"S1r"));
        // The record has no length of its own: it ends where its checksum fits.
        let record =
            |at: usize| (at + 48..(at + 1_000).min(bytes.len())).find(|&end| is_record(key, &bytes[at..end]));
        let places: Vec<_> = starts.filter_map(|at| Some((at, record(at)?))).collect();
        assert!(!places.is_empty(), "the record is in the file");
        for (at, end) in places {
            let mut record = bytes[at..end].to_vec();
            let middle = record.len() / 2;
            match kind {
                // What a torn write leaves of it.
                DamageKind::Truncate => record[middle..].fill(0),
                DamageKind::FlipBit => record[middle] ^= 1,
                DamageKind::Garbage => record.fill(0xa5),
                DamageKind::NewerFormat => record[1] = b'2',
                other => panic!("a new way to spoil a record: {other:?}"),
            }
            file.write_all_at(&record, at as u64).unwrap();
        }
    }
}

fn is_record(key: &StoreKey, bytes: &[u8]) -> bool {
    matches!(Entry::decode(key, bytes), Ok(Entry::Record(_)))
}

session_conformance::store_suite!(fixture);
session_conformance::crowd_suite!(fixture);
