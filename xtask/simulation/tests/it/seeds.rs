//! The claims: seeds keep every promise, a seed decides everything, and stores with a flaw are found out.
//!
//! `cargo xtask prove simulation` sets the variables that make the first test longer.

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, Instant};

use crate::flaw::Flaw;
use crate::world::{Run, run};

#[test]
fn every_seed_keeps_the_promises() {
    let first = variable("SIMULATION_SEED").unwrap_or(1);
    let most = variable("SIMULATION_SEEDS").unwrap_or(SEEDS);
    let length = variable("SIMULATION_SECONDS").map(Duration::from_secs);
    let (begun, mut seeds) = (Instant::now(), 0);
    let mut sum = Sum::default();
    for seed in first.. {
        let goes_on = length.map_or(seeds < most, |length| begun.elapsed() < length);
        if !goes_on {
            break;
        }
        let run = run(seed, Flaw::None);
        if env::var_os("SIMULATION_TRACE").is_some() {
            println!("{}", run.trace);
        }
        assert!(
            run.violations.is_empty(),
            "seed {seed} breaks promises: {:#?}\nrepeat it with `cargo xtask prove simulation --seed {seed} --seeds 1 --trace`",
            run.violations
        );
        sum.add(&run);
        seeds += 1;
    }
    println!(
        "{seeds} seed(s) from {first} in {:.0} s: {} requests, {} of them failed or without an answer; faults: {:?}",
        begun.elapsed().as_secs_f64(),
        sum.calls,
        sum.open,
        sum.struck
    );
    if seeds >= SEEDS {
        assert_eq!(sum.struck.len(), 6, "every kind of fault strikes: {:?}", sum.struck);
        assert!(sum.open * 50 > sum.calls, "faults are felt: {} of {}", sum.open, sum.calls);
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 1..=10 {
        let (one, other) = (run(seed, Flaw::None).trace, run(seed, Flaw::None).trace);
        let difference = one.lines().zip(other.lines()).find(|(one, other)| one != other);
        assert_eq!(difference, None, "seed {seed}");
        assert_eq!(one.len(), other.len(), "seed {seed}");
    }
    assert_ne!(run(1, Flaw::None).trace, run(2, Flaw::None).trace);
}

#[test]
fn a_store_that_ignores_the_etag_is_found_out() {
    is_found_out(Flaw::IgnoresTheEtag, "has lost the write");
}

#[test]
fn a_store_that_forgets_tombstones_is_found_out() {
    is_found_out(Flaw::ForgetsTombstones, "has lost the write");
}

#[test]
fn a_store_that_keeps_the_old_key_is_found_out() {
    is_found_out(Flaw::KeepsTheOldKey, "alive under several keys");
}

#[test]
fn a_store_that_acknowledges_too_early_is_found_out() {
    // What it loses first is a sign-in.
    is_found_out(Flaw::AcknowledgesTooEarly, "was alive");
}

#[test]
fn a_client_that_takes_failures_for_missing_sessions_is_found_out() {
    is_found_out(Flaw::TakesFailuresForMissing, "did not find it");
}

/// Checks that one of the seeds of the first test rejects this store, in these words.
fn is_found_out(flaw: Flaw, words: &str) {
    for seed in 1..=SEEDS {
        let violations = run(seed, flaw).violations;
        if let Some(found) = violations.iter().find(|violation| violation.contains(words)) {
            println!("{flaw:?} is found by seed {seed}: {found}");
            return;
        }
    }
    panic!("none of {SEEDS} seeds finds {flaw:?}");
}

#[derive(Default)]
struct Sum {
    calls: u64,
    open: u64,
    struck: BTreeMap<&'static str, u64>,
}

impl Sum {
    fn add(&mut self, run: &Run) {
        self.calls += run.calls;
        self.open += run.open;
        for (fault, times) in &run.struck {
            *self.struck.entry(fault).or_default() += times;
        }
    }
}

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

/// As many as take about thirteen seconds of CPU time without optimisation.
const SEEDS: u64 = 400;
