//! The store suite over each face, and over each place for the index by owner.

use std::time::Duration;

use session_conformance::{Damage, DamageKind, Fixture};
use session_core::store::{StoreKey, async_trait};
use session_store_kv::{CasStore, Limits, TxStore};
use sha2::{Digest, Sha256};

use crate::map::{CasMap, Index, TxMap};

/// A deadline that a busy machine keeps; what the suite proves here is not the deadline.
const PATIENT: Duration = Duration::from_secs(60);
const BRIEF: Duration = Duration::from_millis(100);

/// An engine, and how to change the bytes of a session in it.
struct Spoil<E>(E, fn(&E, &StoreKey, Change<'_>));

type Change<'c> = &'c mut dyn FnMut(&mut Vec<u8>);

#[async_trait]
impl<E: Send + Sync + 'static> Damage for Spoil<E> {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        self.1(&self.0, key, &mut |bytes| {
            let middle = bytes.len() / 2;
            match kind {
                DamageKind::Truncate => bytes.truncate(middle),
                DamageKind::FlipBit => bytes[middle] ^= 1,
                DamageKind::Garbage => bytes.fill(0xa5),
                DamageKind::NewerFormat => bytes[1] = b'2',
                other => panic!("a new way to spoil a record: {other:?}"),
            }
        });
    }
}

/// The name of an owner in an index.
fn hash(owner: &str) -> [u8; 32] {
    Sha256::new().chain_update(b"session-store-kv/owner/v1\0").chain_update(owner).finalize().into()
}

fn over_primitives(index: Index) -> Fixture {
    let engine = CasMap::new(index);
    let store = CasStore::new(engine.clone()).timeout(PATIENT);
    let (again, entries) = (store.clone(), engine.clone());
    let fixture = Fixture::new(store)
        .rounds(100)
        .with_damage(Spoil(engine, |engine, key, change| engine.spoil(&key.to_string(), change)))
        .reopen(move || std::future::ready(again.clone()))
        .in_one_process()
        .stalled(BRIEF, move || {
            let stalled = CasStore::new(CasMap::stalled(index)).timeout(BRIEF);
            std::future::ready(Fixture::new(stalled))
        });
    match index {
        Index::Nowhere => fixture.without_owners().without_owner_entries(),
        Index::Set | Index::Primitives => {
            fixture.owner_entries(move |owner| std::future::ready(entries.members_of(&hash(&owner))))
        }
    }
}

mod with_sets {
    use super::*;

    async fn fixture() -> Fixture {
        over_primitives(Index::Set)
    }

    session_conformance::store_suite!(fixture);
    session_conformance::crowd_suite!(fixture);
}

mod with_owners_in_entries {
    use super::*;

    async fn fixture() -> Fixture {
        over_primitives(Index::Primitives)
    }

    session_conformance::store_suite!(fixture);
}

mod without_owners {
    use super::*;

    async fn fixture() -> Fixture {
        over_primitives(Index::Nowhere).without_owners()
    }

    session_conformance::store_suite!(fixture);
}

mod with_transactions {
    use super::*;

    async fn fixture() -> Fixture {
        let engine = TxMap::default();
        let store = TxStore::new(engine.clone())
            .threads(4, 4)
            .limits(Limits { timeout: PATIENT, ..Limits::default() });
        let (again, entries) = (store.clone(), engine.clone());
        Fixture::new(store)
            .rounds(100)
            .with_damage(Spoil(engine, |engine, key, change| engine.spoil(key, change)))
            .reopen(move || std::future::ready(again.clone()))
            .in_one_process()
            .owner_entries(move |owner| std::future::ready(entries.rows_of(&hash(&owner))))
            .without_stall()
    }

    session_conformance::store_suite!(fixture);
    session_conformance::crowd_suite!(fixture);
}
