//! The memory store against the whole store suite.

use session_conformance::Fixture;
use session_store_memory::MemoryStore;

mod by_default {
    use super::*;

    async fn fixture() -> Fixture {
        let store = MemoryStore::new();
        let again = store.clone();
        Fixture::new(store).rounds(200).reopen(move || {
            let again = again.clone();
            async move { again }
        })
    }

    session_conformance::store_suite!(fixture);
    session_conformance::crowd_suite!(fixture);
}

/// Every lock is the same lock: what takes two must notice.
mod in_one_shard {
    use super::*;

    async fn fixture() -> Fixture {
        Fixture::new(MemoryStore::builder().shards(1).build()).rounds(200)
    }

    session_conformance::store_suite!(fixture);
}
