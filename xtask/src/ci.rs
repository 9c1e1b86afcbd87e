//! `cargo xtask ci`: the whole of `test` with nothing left out, and what must hold before crates are published.

use crate::failure::Failure;
use crate::flags;
use crate::publishable;
use crate::stages::Stages;
use crate::test::{self, Plan};

pub(crate) fn run(flags: &flags::Ci) -> Result<(), Failure> {
    let mut stages = Stages::default();
    let outcome = test::everything(&Plan { packages: &flags.package, skip_missing: false }, &mut stages)?;
    publishable::everything(&[], flags.offline, &mut stages)?;
    outcome.print(&stages);
    Ok(())
}
