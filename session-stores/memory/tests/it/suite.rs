//! The store suite on the memory store.

use session_conformance::Fixture;
use session_store_memory::MemoryStore;

/// It keeps values, which cannot be damaged, and its index shows no entries to anybody.
fn fixture_of(store: MemoryStore) -> Fixture {
    let again = store.clone();
    Fixture::new(store)
        .rounds(200)
        .reopen(move || std::future::ready(again.clone()))
        .in_one_process()
        .without_damage()
        .without_owner_entries()
        .without_stall()
}

mod by_default {
    use super::*;

    async fn fixture() -> Fixture {
        fixture_of(MemoryStore::new())
    }

    session_conformance::store_suite!(fixture);
    session_conformance::crowd_suite!(fixture);
}

/// Every key has the same lock: an operation on two keys must not take it twice.
mod in_one_shard {
    use super::*;

    async fn fixture() -> Fixture {
        fixture_of(MemoryStore::builder().shards(1).build())
    }

    session_conformance::store_suite!(fixture);
}

/// What is sealed must still be everything that a store promises.
mod encrypted {
    use session_core::store::EncryptedStore;
    use session_core::{KeyRing, SecretKey};

    use super::*;

    async fn fixture() -> Fixture {
        let keys = KeyRing::new([SecretKey::generate().unwrap()]).unwrap();
        let inner = MemoryStore::new();
        let sealed = move || EncryptedStore::new(inner.clone(), keys.clone());
        Fixture::new(sealed())
            .rounds(50)
            .reopen(move || std::future::ready(sealed()))
            .in_one_process()
            .without_damage()
            .without_owner_entries()
            .without_stall()
    }

    session_conformance::store_suite!(fixture);
}
