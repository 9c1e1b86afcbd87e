//! `cargo xtask ci`: the whole of `test` with nothing left out, what must hold before crates are published, the instructions
//! of a visit, and a short run of every fuzz target.

use crate::failure::Failure;
use crate::flags;
use crate::instructions;
use crate::prove::fuzz;
use crate::publishable;
use crate::runner::Call;
use crate::stages::Stages;
use crate::test::{self, Plan};

pub(crate) fn run(flags: &flags::Ci) -> Result<(), Failure> {
    let mut stages = Stages::default();
    let outcome = test::everything(&Plan { packages: &flags.package, skip_missing: false }, &mut stages)?;
    for workspace in WORKSPACES {
        let tests = Call::cargo("test --locked --manifest-path").arg(format!("{workspace}/Cargo.toml"));
        stages.run("workspaces", &tests.line(), || tests.run())?;
    }
    publishable::everything(&[], flags.offline, &mut stages)?;
    stages.run("instructions", "cargo xtask instructions", instructions::check)?;
    let repeat = format!("cargo xtask prove fuzz --minutes {FUZZING}");
    stages.run("fuzz", &repeat, || fuzz::all(FUZZING))?;
    outcome.print(&stages);
    Ok(())
}

/// Workspaces of their own: what they build is other libraries, which stay out of the lock file.
const WORKSPACES: [&str; 3] =
    ["session-stores/tower-bridge/apps", "session-stores/import/real", "examples/frameworks"];

/// Minutes for each target.
const FUZZING: f64 = 0.5;
