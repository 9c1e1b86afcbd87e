//! `cargo xtask prove`: proofs that take long, each repeatable by its command.

pub(crate) mod fuzz;
mod histories;
mod miri;
mod mutants;
mod peers;
mod simulation;
mod soak;
mod wasm;

use crate::failure::Failure;
use crate::flags;
use crate::runner::Call;

pub(crate) fn run(flags: &flags::Prove) -> Result<(), Failure> {
    match &flags.subcommand {
        flags::ProveCmd::Histories(flags) => histories::run(flags),
        flags::ProveCmd::Simulation(flags) => simulation::run(flags),
        flags::ProveCmd::Soak(flags) => soak::run(flags),
        flags::ProveCmd::Peers(flags) => peers::run(flags),
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

/// Runs a command of the program `prove` on each store, and goes on after a failure.
fn on_each(stores: &[String], command: &str, options: &[String]) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for store in stores {
        let call = Call::cargo(&format!("run --quiet -p prove -- {command} --store")).arg(store);
        let call = options.iter().fold(call, Call::arg);
        println!("\n==> {}", call.line());
        if call.run().is_err() {
            failed.push(store.as_str());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("not proven: {}", failed.join(", "))))
}

/// The stores that were asked for, or else these.
fn or_all(asked: &[String], all: &[&str]) -> Vec<String> {
    if asked.is_empty() { all.iter().map(|&store| store.to_owned()).collect() } else { asked.to_vec() }
}
