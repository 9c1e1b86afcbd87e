//! `cargo xtask test`: everything that must hold before a change is merged.
//!
//! Every call of cargo has the same packages and the same features, so that nothing is compiled twice for a difference
//! in features; servers are installed and started beside the first stages.

mod missing;
mod needs;

use std::env;
use std::fs;
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::flags;
use crate::runner::Call;
use crate::servers::Starting;
use crate::stages::Stages;
use crate::totals::Totals;
use crate::{deps, one_crate, repository, tidy};
use missing::Missing;
use needs::Needs;

/// What to run on, and how strictly.
pub(crate) struct Plan<'a> {
    /// Packages; none means the workspace.
    pub(crate) packages: &'a [String],
    /// Leave out what needs a server that is missing and cannot be installed.
    pub(crate) skip_missing: bool,
}

pub(crate) fn run(flags: &flags::Test) -> Result<(), Failure> {
    let plan = Plan { packages: &flags.package, skip_missing: flags.skip_missing };
    let mut stages = Stages::default();
    let outcome = everything(&plan, &mut stages)?;
    outcome.print(&stages);
    Ok(())
}

/// What a good run says at its end.
pub(crate) struct Outcome {
    totals: Totals,
    missing: Missing,
}

impl Outcome {
    /// The table, what was left out, and as the last line the runners' totals.
    pub(crate) fn print(&self, stages: &Stages) {
        println!("\n{}", stages.table());
        print!("{}", self.missing.loudly());
        let Totals { passed, failed, .. } = self.totals;
        println!("{passed} passed, {failed} failed");
    }
}

/// Every check that runs nothing, then the build and the tests. The checks all run and are reported together.
pub(crate) fn everything(plan: &Plan<'_>, stages: &mut Stages) -> Result<Outcome, Failure> {
    let ci = env::var("CI").is_ok_and(|value| value == "true");
    let needs = Needs::of(plan.packages, &repository::files()?);
    let missing = stages.run("look", "cargo xtask test", || Missing::look(&needs, plan.skip_missing, ci))?;
    let starting = Starting::begin(&missing.kinds(), missing.installable(), missing.browser());
    let scope = scope(plan.packages);
    checks(plan, &scope, stages)?;

    let nextest = has("nextest");
    let build = if nextest { "nextest run --no-run" } else { "test --no-run --tests" };
    call(stages, "build", &Call::cargo(&format!("{build} {scope} --all-features")))?;
    let running = stages.run("servers", "cargo xtask up", || starting.wait())?;
    let environment = running.environment();

    let tests = if nextest {
        let call = Call::cargo(&format!("nextest run {scope} --all-features --no-fail-fast"));
        missing.in_nextest(call)
    } else {
        // `--tests` is every target but doctests, which are a stage of their own, and benches.
        missing.in_libtest(Call::cargo(&format!("test {scope} --all-features --no-fail-fast --tests")))
    };
    let mut totals = counted(stages, "tests", &tests.envs(&environment))?;
    let libraries = with_library(plan.packages, &repository::files()?);
    if plan.packages.is_empty() || !libraries.is_empty() {
        let doctests = format!("test --doc {} --all-features --no-fail-fast", self::scope(&libraries));
        totals += counted(stages, "doctests", &Call::cargo(&doctests).envs(&environment))?;
    }
    stages.run("stop", "cargo xtask test", || {
        drop(running);
        Ok(())
    })?;
    Ok(Outcome { totals, missing })
}

/// Format, house rules, dependencies, clippy and docs: all of them, whichever fails.
fn checks(plan: &Plan<'_>, scope: &str, stages: &mut Stages) -> Result<(), Failure> {
    let whole = plan.packages.is_empty();
    let formatted = if whole { "--all" } else { scope };
    let mut outcomes = vec![
        call(stages, "format", &Call::cargo(&format!("fmt {formatted} --check"))),
        stages.run("tidy", "cargo xtask tidy", tidy::check),
        stages.run("deps", "cargo xtask deps", deps::run),
    ];
    if has("deny") {
        let deny = Call::cargo("deny --all-features --locked check bans licenses sources");
        outcomes.push(call(stages, "deny", &deny));
    }
    let clippy = format!("clippy {scope} --all-targets --all-features -- -D warnings");
    let clippy = call(stages, "clippy", &Call::cargo(&clippy));
    let compiles = clippy.is_ok();
    outcomes.push(clippy);
    if whole && compiles {
        outcomes.push(stages.run("one-crate", "cargo xtask one-crate", one_crate::run));
    }
    // What clippy stops at would be said again.
    if compiles {
        let docs = Call::cargo(&format!("doc {scope} --all-features --no-deps"));
        outcomes.push(call(stages, "docs", &docs.env("RUSTDOCFLAGS", "-D warnings")));
    }
    all(outcomes)
}

/// One failure of all that failed.
fn all(outcomes: Vec<Result<(), Failure>>) -> Result<(), Failure> {
    let failed: Vec<String> =
        outcomes.into_iter().filter_map(Result::err).map(|failure| failure.to_string()).collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure::new(failed.join("\n\n"))) }
}

/// `--workspace`, or `-p a -p b`.
fn scope(packages: &[String]) -> String {
    if packages.is_empty() {
        return "--workspace".to_owned();
    }
    packages.iter().map(|package| format!("-p {package}")).collect::<Vec<_>>().join(" ")
}

fn call(stages: &mut Stages, name: &'static str, call: &Call) -> Result<(), Failure> {
    stages.run(name, &call.line(), || call.run())
}

/// Runs a test runner and reads its totals; a runner that passes without saying how many ran is not believed.
fn counted(stages: &mut Stages, name: &'static str, call: &Call) -> Result<Totals, Failure> {
    let line = call.line();
    stages.run(name, &line, || {
        let (heard, outcome) = call.heard()?;
        let totals = Totals::of_nextest(&heard).unwrap_or_else(|| Totals::of_libtest(&heard));
        let Totals { passed, failed, skipped } = totals;
        outcome.map_err(|failure| Failure::new(format!("{failure}: {passed} passed, {failed} failed")))?;
        if failed > 0 {
            return Err(Failure::new(format!("{passed} passed, {failed} failed")));
        }
        println!("{passed} passed, {failed} failed, {skipped} left out");
        Ok(totals)
    })
}

/// Those of the packages that are libraries: `cargo test --doc` refuses one that has only programs.
fn with_library(packages: &[String], files: &[String]) -> Vec<String> {
    let manifests: Vec<String> = files
        .iter()
        .filter_map(|file| file.strip_suffix("src/lib.rs"))
        .filter_map(|folder| fs::read_to_string(format!("{folder}Cargo.toml")).ok())
        .collect();
    let library = |package: &&String| {
        let name = format!("name = \"{package}\"\n");
        manifests.iter().any(|manifest| manifest.contains(&name))
    };
    packages.iter().filter(library).cloned().collect()
}

/// Whether cargo has this subcommand.
pub(crate) fn has(subcommand: &str) -> bool {
    let mut probe = Command::new("cargo");
    probe.args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_checks_that_failed_are_reported() {
        assert!(all(vec![Ok(()), Ok(())]).is_ok());
        let failed = all(vec![Err(Failure::new("format")), Ok(()), Err(Failure::new("clippy"))]);
        assert_eq!(failed.unwrap_err().to_string(), "format\n\nclippy");
    }

    #[test]
    fn without_packages_the_scope_is_the_workspace() {
        assert_eq!(scope(&[]), "--workspace");
        assert_eq!(scope(&["a".to_owned(), "b".to_owned()]), "-p a -p b");
    }
}
