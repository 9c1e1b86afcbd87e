//! `cargo xtask publishable`: what must hold before the crates go to a registry, beyond what `test` checks.
//!
//! The stages are in the order of their cost beside `cargo xtask test`. Each installs the cargo command that it needs, once, into `target/tools`.

mod api;
mod crates;
mod external;
mod metadata;
mod minimal;
mod msrv;
mod rustdoc;
mod semver;
pub(crate) mod tools;

pub(crate) use api::run as api;
pub(crate) use rustdoc::{AS_RUSTDOC, stand_in as rustdoc};

use crate::failure::Failure;
use crate::flags;
use crate::runner::Call;
use crate::stages::Stages;
use crates::Crate;
use tools::Tool;

/// A stage and its name on the command line.
type Stage = (&'static str, fn(&[Crate]) -> Result<(), Failure>);

const STAGES: &[Stage] = &[
    ("metadata", metadata::check),
    ("api", api::check),
    ("semver", semver::check),
    ("deny", deny),
    (ADVISORIES, advisories),
    ("msrv", msrv::check),
    ("package", package),
    ("minimal", minimal::check),
    ("features", features),
];

pub(crate) fn run(flags: &flags::Publishable) -> Result<(), Failure> {
    if flags.accept {
        return semver::accept();
    }
    let mut stages = Stages::default();
    everything(&flags.stage, flags.offline, &mut stages)?;
    println!("\n{}", stages.table());
    Ok(())
}

/// All stages, or those that are named, up to the first that fails. `offline` skips the advisories.
pub(crate) fn everything(chosen: &[String], offline: bool, stages: &mut Stages) -> Result<(), Failure> {
    if let Some(unknown) = chosen.iter().find(|name| STAGES.iter().all(|(known, _)| known != name)) {
        let known: Vec<&str> = STAGES.iter().map(|(name, _)| *name).collect();
        return Err(Failure::new(format!("there is no stage `{unknown}`; there are: {}", known.join(", "))));
    }
    let crates = crates::published()?;
    for (name, work) in STAGES {
        if offline && *name == ADVISORIES {
            println!("\nSKIPPED: advisories of dependencies were not checked, as --offline says");
            continue;
        }
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == name) {
            stages.run(name, &format!("cargo xtask publishable --stage {name}"), || work(&crates))?;
        }
    }
    Ok(())
}

/// Licences, bans and sources of every dependency.
fn deny(_: &[Crate]) -> Result<(), Failure> {
    tools::call(Tool::Deny, "--all-features check --hide-inclusion-graph bans licenses sources")?.run()
}

/// Advisories about every dependency. Fetches the RustSec database.
fn advisories(_: &[Crate]) -> Result<(), Failure> {
    tools::call(Tool::Deny, "--all-features check --hide-inclusion-graph advisories")?.run()
}

const ADVISORIES: &str = "advisories";

/// Each crate builds from its package alone, with the other crates from their packages.
fn package(crates: &[Crate]) -> Result<(), Failure> {
    Call::cargo(&format!("package --quiet --allow-dirty {}", crates::scope(crates))).run()
}

/// Each crate compiles with none of its features, with each of them alone, and with all.
fn features(crates: &[Crate]) -> Result<(), Failure> {
    tools::call(Tool::Hack, &format!("check --quiet --each-feature {}", crates::scope(crates)))?
        .env("RUSTFLAGS", "-D warnings")
        .args("--target-dir target/features")
        .run()
}
