//! `cargo xtask bench`: measurements. Ratios within one run are meaningful; two runs on a shared machine are not.

mod criterion;

use crate::failure::Failure;
use crate::flags;

pub(crate) fn run(flags: &flags::Bench) -> Result<(), Failure> {
    criterion::run(flags.package.as_deref(), flags.filter.as_deref())
}
