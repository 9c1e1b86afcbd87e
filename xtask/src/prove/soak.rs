//! An application of three processes on real servers, under faults: the program `prove` runs and judges it.

use super::{on_each, option, or_all};
use crate::failure::Failure;
use crate::flags;

pub(crate) fn run(flags: &flags::Soak) -> Result<(), Failure> {
    let options = [option("--minutes", flags.minutes), option("--seed", flags.seed)].concat();
    on_each(&or_all(&flags.store, STORES), "soak", &options)
}

const STORES: &[&str] = &["file", "redis", "postgres"];
