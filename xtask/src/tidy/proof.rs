//! Checks that every test named in `docs/proof.md` exists.

use std::collections::BTreeSet;
use std::fs;

use super::Breach;
use crate::failure::Failure;

const DOCUMENT: &str = "docs/proof.md";

/// `files` are paths with their contents.
pub(super) fn check(files: &[(String, String)]) -> Result<Vec<Breach>, Failure> {
    let sources = files.iter().filter(|(file, _)| file.ends_with(".rs"));
    let there = sources.flat_map(|(_, text)| functions(text)).map(str::to_owned).collect();
    Ok(breaches(&fs::read_to_string(DOCUMENT)?, &there))
}

fn breaches(document: &str, there: &BTreeSet<String>) -> Vec<Breach> {
    let rows = document.lines().enumerate().filter(|(_, line)| line.starts_with('|'));
    let named =
        rows.flat_map(|(at, line)| line.split('`').skip(1).step_by(2).map(move |name| (at + 1, name)));
    let missing = named.filter(|(_, name)| !there.contains(*name));
    missing.map(|(line, name)| Breach::new(DOCUMENT, line, format!("there is no test `{name}`"))).collect()
}

/// Returns the names of functions.
fn functions(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("fn ").map(|(at, found)| {
        let rest = &text[at + found.len()..];
        &rest[..rest.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(rest.len())]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_gone_is_a_breach_and_one_that_is_there_is_none() {
        let there = functions("async fn it_is_there() {}\nfn other<T>()").map(str::to_owned).collect();
        let document = "`nobody`\n| row | `it_is_there`, `it_is_gone` |\n";
        let found = breaches(document, &there);
        assert_eq!(found, [Breach::new(DOCUMENT, 2, "there is no test `it_is_gone`")]);
    }
}
