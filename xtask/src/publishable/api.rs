//! `cargo xtask api`: the public API of each crate, one line per item, in a file beside its manifest.
//!
//! A change of the API changes a file that a reviewer sees; `--bless` writes the files. They are made from rustdoc's JSON.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::crates::{self, Crate};
use super::tools::{self, Tool};
use super::{external, rustdoc};
use crate::failure::Failure;
use crate::flags;

pub(crate) fn run(flags: &flags::Api) -> Result<(), Failure> {
    let crates = crates::published()?;
    if !flags.bless {
        return check(&crates);
    }
    for (each, wanted) in wanted(&crates)? {
        fs::write(file(each), wanted)?;
        println!("wrote {}", file(each));
    }
    Ok(())
}

/// Every crate whose API is not what its file says, with the lines that differ.
pub(super) fn check(crates: &[Crate]) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for (each, wanted) in wanted(crates)? {
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

/// What the file of each crate should say. Types of crates that may not stand in them are one failure for all.
fn wanted(crates: &[Crate]) -> Result<Vec<(&Crate, String)>, Failure> {
    rustdoc::json(Path::new("."), JSON)?;
    let mut wanted = Vec::new();
    let mut refused = Vec::new();
    for each in crates {
        let json = rustdoc::file(JSON, each);
        let call = tools::call(Tool::PublicApi, "--simplified --simplified --simplified --rustdoc-json")?;
        let items = call.arg(json.to_string_lossy()).read()?;
        let found = external::judge(each, &items);
        refused.extend(found.refused);
        let foreign = if found.allowed.is_empty() { "none".to_owned() } else { found.allowed.join(", ") };
        let text = format!(
            "# The public API of {name} with every feature: written by `cargo xtask api --bless`.\n\
             # Other crates whose types stand in it: {foreign}.\n\n{items}",
            name = each.name,
        );
        wanted.push((each, text));
    }
    if refused.is_empty() {
        return Ok(wanted);
    }
    let advice = "allowed crates are in xtask/src/publishable/external.rs";
    Err(Failure::new(format!("{}\n{advice}", refused.join("\n"))))
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

/// Rustdoc's JSON of what is checked out.
pub(super) const JSON: &str = "target/api";
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
