//! The store of this example against the whole store suite.

use session_testkit::{Blocking, Fixture};

use crate::store::Store;

async fn fixture() -> Fixture {
    Fixture::new(Blocking(Store::default()))
}

session_testkit::store_suite!(fixture);
