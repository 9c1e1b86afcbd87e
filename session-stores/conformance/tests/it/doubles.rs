//! Test doubles without faults and gates change nothing: a store inside of three of them passes the whole suite.

use std::sync::Arc;

use session_conformance::{Case, Fixture, cases};
use session_core::store::SessionStore;
use session_store_memory::MemoryStore;
use session_testkit::{FaultyStore, GateStore, OpLog};

mod wrapped_three_times {
    use super::*;

    async fn fixture() -> Fixture {
        let faulty = FaultyStore::new(MemoryStore::new());
        let gated = GateStore::over(Arc::new(faulty));
        Fixture::new(OpLog::over(Arc::new(gated) as Arc<dyn SessionStore>))
            .without_damage()
            .without_owner_entries()
            .without_reopen()
            .without_stall()
    }

    session_conformance::store_suite!(fixture);
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let names: std::collections::HashSet<_> = cases().iter().map(Case::name).collect();
    assert_eq!(names.len(), cases().len());
    assert!(names.len() >= 60);
}
