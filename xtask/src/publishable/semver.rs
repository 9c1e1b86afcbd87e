//! No change breaks users without saying so: `cargo semver-checks` against the state that was accepted last.
//!
//! The accepted state is a revision in a file of the repository. After a release, or a breaking change that is wanted:
//! `cargo xtask publishable --accept`, which writes the revision that is checked out, and commit the file.

use std::fs;

use xshell::{Shell, cmd};

use super::crates::{Crate, scope};
use super::tools::{self, Tool};
use crate::failure::Failure;

pub(super) fn check(crates: &[Crate]) -> Result<(), Failure> {
    let Some(revision) = fs::read_to_string(FILE).ok().and_then(|text| revision(&text)) else {
        println!(
            "NOT CHECKED: {FILE} names no accepted revision yet; `cargo xtask publishable --accept` writes it"
        );
        return Ok(());
    };
    // A crate that is not in the accepted state has nobody to break.
    let shell = Shell::new()?;
    let (known, new): (Vec<Crate>, Vec<Crate>) = crates.iter().cloned().partition(|each| {
        let manifest = format!("{revision}:{}/Cargo.toml", each.folder);
        cmd!(shell, "git cat-file -e {manifest}").quiet().ignore_stderr().run().is_ok()
    });
    for Crate { name, .. } in &new {
        println!("{name} is not in {revision}: nothing to compare");
    }
    let words = format!("check-release --all-features --baseline-rev {revision} {}", scope(&known));
    tools::call(Tool::SemverChecks, &words)?.run()
}

/// Accepts what is checked out.
pub(super) fn accept() -> Result<(), Failure> {
    let shell = Shell::new()?;
    let revision = cmd!(shell, "git rev-parse HEAD").quiet().read()?;
    fs::write(FILE, format!("{HEAD}{revision}\n"))?;
    println!("accepted {revision}: commit {FILE}");
    Ok(())
}

/// The first line that is no comment.
fn revision(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned)
}

const FILE: &str = ".semver-baseline";
const HEAD: &str =
    "# The revision whose public API was accepted last: written by `cargo xtask publishable --accept`.\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_is_what_is_no_comment() {
        assert_eq!(revision(&format!("{HEAD}abc\n")).as_deref(), Some("abc"));
        assert_eq!(revision(HEAD), None);
    }
}
