//! No change breaks users without saying so: `cargo semver-checks` against the state that was accepted last.
//!
//! The accepted state is a revision in a file of the repository. After a release, or a breaking change that is wanted:
//! `cargo xtask publishable --accept`, which writes the revision that is checked out, and commit the file. What is
//! compared is rustdoc's JSON of both states, made by one compiler with the same features.

use std::fs;
use std::path::Path;

use xshell::{Shell, cmd};

use super::crates::Crate;
use super::tools::{self, Tool};
use super::{api, rustdoc};
use crate::failure::Failure;

pub(super) fn check(crates: &[Crate]) -> Result<(), Failure> {
    let Some(revision) = fs::read_to_string(FILE).ok().and_then(|text| revision(&text)) else {
        let advice = "`cargo xtask publishable --accept` writes it";
        return Err(Failure::new(format!("{FILE} names no accepted revision; {advice}")));
    };
    let before = baseline(&revision)?;
    rustdoc::json(Path::new("."), api::JSON)?;
    let mut broken = Vec::new();
    for each in crates {
        let (old, new) = (rustdoc::file(&before, each), rustdoc::file(api::JSON, each));
        if !old.is_file() {
            println!("{} is not in {revision}: nothing to compare", each.name);
            continue;
        }
        // Versions are given at a release. Until then, a change may add but not break.
        let call = tools::call(Tool::SemverChecks, "check-release --release-type minor --baseline-rustdoc")?;
        let call = call.arg(old.to_string_lossy()).args("--current-rustdoc").arg(new.to_string_lossy());
        if call.run().is_err() {
            broken.push(each.name.as_str());
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    let advice = "if that is wanted, see RELEASING.md, \"Changing the public API\"";
    Err(Failure::new(format!("these crates break users since {revision}: {}\n{advice}", broken.join(", "))))
}

/// Rustdoc's JSON of that revision, made once.
fn baseline(revision: &str) -> Result<String, Failure> {
    let folder = format!("target/semver/{revision}");
    let json = format!("{folder}/json");
    if fs::exists(format!("{folder}/complete"))? {
        return Ok(json);
    }
    println!("documenting {revision}, once");
    let shell = Shell::new()?;
    let (files, archive) = (format!("{folder}/files"), format!("{folder}/files.tar"));
    fs::create_dir_all(&files)?;
    cmd!(shell, "git archive --output {archive} {revision}").quiet().run().map_err(|_| {
        Failure::new(format!("this clone does not have the revision in {FILE}; fetch the whole history"))
    })?;
    cmd!(shell, "tar --extract --file {archive} --directory {files}").quiet().run()?;
    rustdoc::json(Path::new(&files), &json)?;
    fs::write(format!("{folder}/complete"), "")?;
    Ok(json)
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
