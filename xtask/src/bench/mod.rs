//! `cargo xtask bench`: benchmarks. Compare ratios within a run; runs on a shared machine are not comparable.

mod criterion;
mod http;
mod load;
mod server;

use crate::failure::Failure;
use crate::flags;

pub(crate) fn run(flags: &flags::Bench) -> Result<(), Failure> {
    let chosen = flags.package.is_some() || flags.filter.is_some();
    if !flags.http {
        criterion::run(flags.package.as_deref(), flags.filter.as_deref())?;
    }
    if flags.http || !chosen {
        let effort =
            http::Effort { rounds: flags.rounds.unwrap_or(9), requests: flags.requests.unwrap_or(20_000) };
        http::run(effort)?;
    }
    Ok(())
}
