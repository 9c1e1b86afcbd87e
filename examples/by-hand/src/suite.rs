//! The store of this example against the whole store suite.

use session_conformance::Fixture;
use session_testkit::Blocking;

use crate::store::Store;

async fn fixture() -> Fixture {
    // One map in this process: nothing to damage, to open again, to wait for.
    Fixture::new(Blocking(Store::default()))
        .without_owners()
        .without_sweep()
        .without_damage()
        .without_reopen()
        .without_stall()
}

session_conformance::store_suite!(fixture);
