//! `cargo xtask api`: the public API of each crate, one line per item, in a file beside its manifest.
//!
//! A change of the API changes a file that a reviewer sees; `--bless` writes the files. They are made from rustdoc's JSON,
//! which is unstable: rustdoc alone is told to allow that, through this program in its place, so that nothing else is
//! compiled anew for it.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::process::{Command, ExitCode};

use super::crates::{self, Crate};
use super::external;
use super::tools::{self, Tool};
use crate::failure::Failure;
use crate::flags;
use crate::runner::Call;

pub(crate) fn run(flags: &flags::Api) -> Result<(), Failure> {
    let crates = crates::published()?;
    if !flags.bless {
        return check(&crates);
    }
    for each in &crates {
        fs::write(file(each), wanted(each)?)?;
        println!("wrote {}", file(each));
    }
    Ok(())
}

/// Every crate whose API is not what its file says, with the lines that differ.
pub(super) fn check(crates: &[Crate]) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for each in crates {
        let wanted = wanted(each)?;
        let there = fs::read_to_string(file(each)).unwrap_or_default();
        if wanted != there {
            wrong.push(format!("{}:\n{}", file(each), difference(&there, &wanted)));
        }
        let items = wanted.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count();
        println!("{}: {items} public items", each.name);
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let advice =
        "the public API is not what these files say; if that is wanted, run `cargo xtask api --bless`";
    Err(Failure::new(format!("{advice}\n{}", wrong.join("\n"))))
}

/// What the file of a crate should say. Types of crates that may not stand in it are a failure.
fn wanted(each: &Crate) -> Result<String, Failure> {
    let json = Call::cargo(&format!("rustdoc --quiet -p {} --lib --all-features", each.name));
    let this = env::current_exe()?.to_string_lossy().into_owned();
    json.args("-- -Z unstable-options --output-format json --cap-lints allow")
        .env("RUSTDOC", &this)
        .env(AS_RUSTDOC, "1")
        .run()?;
    let json = format!(
        "--simplified --simplified --simplified --rustdoc-json target/doc/{}.json",
        each.identifier()
    );
    let items = tools::call(Tool::PublicApi, &json)?.read()?;
    let foreign = external::check(each, &items)?;
    let foreign: Vec<&str> = foreign.iter().map(String::as_str).collect();
    Ok(format!(
        "# The public API of {name} with every feature: written by `cargo xtask api --bless`.\n\
         # Other crates whose types stand in it: {foreign}.\n\n{items}",
        name = each.name,
        foreign = if foreign.is_empty() { "none".to_owned() } else { foreign.join(", ") }
    ))
}

/// The lines that went and those that came; the first of many.
fn difference(there: &str, wanted: &str) -> String {
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (there.lines().collect(), wanted.lines().collect());
    let gone = old.difference(&new).map(|line| format!("- {line}\n"));
    let mut lines: Vec<String> = gone.chain(new.difference(&old).map(|line| format!("+ {line}\n"))).collect();
    let more = lines.len().saturating_sub(MOST);
    lines.truncate(MOST);
    if more > 0 {
        lines.push(format!("… and {more} more\n"));
    }
    lines.concat()
}

fn file(each: &Crate) -> String {
    format!("{}/public-api.txt", each.folder)
}

/// This program in the place of rustdoc: the same call, with unstable options allowed.
pub(crate) fn rustdoc() -> ExitCode {
    let mut rustdoc = Command::new("rustdoc");
    let status = rustdoc.args(env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Set where this program stands in for rustdoc.
pub(crate) const AS_RUSTDOC: &str = "XTASK_AS_RUSTDOC";
const MOST: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_and_what_came_is_shown() {
        assert_eq!(difference("a\nb\n", "b\nc\n"), "- a\n+ c\n");
        let many: String = (0..100).map(|n| format!("{n}\n")).collect();
        assert!(difference("", &many).ends_with("… and 60 more\n"));
    }
}
