//! The store of this example against the whole store suite.

use session_conformance::Fixture;
use session_testkit::Blocking;

use crate::store::Store;

async fn fixture() -> Fixture {
    Fixture::new(Blocking(Store::default()))
}

session_conformance::store_suite!(fixture);
