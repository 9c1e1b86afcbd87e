//! `cargo xtask prove`: proofs that take long, each repeatable by its command.

pub(crate) mod fuzz;
mod histories;
mod miri;
mod mutants;
mod simulation;
mod wasm;

use crate::failure::Failure;
use crate::flags;

pub(crate) fn run(flags: &flags::Prove) -> Result<(), Failure> {
    match &flags.subcommand {
        flags::ProveCmd::Histories(flags) => histories::run(flags),
        flags::ProveCmd::Simulation(flags) => simulation::run(flags),
        flags::ProveCmd::Fuzz(flags) => fuzz::run(flags),
        flags::ProveCmd::Mutants(flags) => mutants::run(flags),
        flags::ProveCmd::Miri(flags) => miri::run(flags),
        flags::ProveCmd::Wasm(_) => wasm::run(),
    }
}

/// The argument, if there is one, behind its name.
fn option(name: &str, value: Option<impl ToString>) -> Vec<String> {
    value.map(|value| vec![name.to_owned(), value.to_string()]).unwrap_or_default()
}
