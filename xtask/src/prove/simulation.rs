//! The simulation of servers, store and browsers over a simulated network: its first test, with more seeds.

use crate::failure::Failure;
use crate::flags;
use crate::runner::Call;

pub(crate) fn run(flags: &flags::Simulation) -> Result<(), Failure> {
    let mut call =
        Call::cargo("test --quiet -p simulation --all-features --test it -- --exact --nocapture").arg(TEST);
    if let Some(seed) = flags.seed {
        call = call.env("SIMULATION_SEED", &seed.to_string());
    }
    if let Some(seeds) = flags.seeds {
        call = call.env("SIMULATION_SEEDS", &seeds.to_string());
    }
    if flags.minutes.is_some() || flags.seeds.is_none() {
        let seconds = (flags.minutes.unwrap_or(1.0) * 60.0).ceil() as u64;
        call = call.env("SIMULATION_SECONDS", &seconds.to_string());
    }
    if flags.trace {
        call = call.env("SIMULATION_TRACE", "1");
    }
    println!("\n==> {}", call.line());
    call.run()
}

const TEST: &str = "seeds::every_seed_keeps_the_promises";
