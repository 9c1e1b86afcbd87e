//! `cargo xtask tidy`: the house rules that no compiler knows, each breach as `file:line: what is wrong`.

mod circles;
mod generated;
mod hidden;
mod links;
mod machine;
mod map;
mod proof;
mod quoted;
mod rings;
mod source;
mod text;
mod untested;

use std::fs;

use crate::failure::Failure;
use crate::{flags, repository};
use source::Source;

/// One breach of a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    file: String,
    line: usize,
    what: String,
}

impl Breach {
    fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

pub(crate) fn run(flags: &flags::Tidy) -> Result<(), Failure> {
    if flags.bless { bless() } else { check() }
}

/// Writes every generated document.
pub(crate) fn bless() -> Result<(), Failure> {
    map::bless()?;
    generated::bless()
}

/// Checks every file of the repository and every generated document.
pub(crate) fn check() -> Result<(), Failure> {
    let mut breaches = Vec::new();
    let mut files = Vec::new();
    for file in repository::files()? {
        // Pictures and the like have no lines.
        let Ok(text) = String::from_utf8(fs::read(&file)?) else { continue };
        breaches.extend(file_breaches(&file, &text));
        files.push((file, text));
    }
    breaches.extend(circles::check(&files));
    breaches.extend(links::check(&files));
    breaches.extend(quoted::check(&files));
    breaches.extend(untested::check(&files));
    breaches.extend(map::check()?);
    breaches.extend(proof::check(&files)?);
    if breaches.is_empty() {
        println!("{} files are tidy", files.len());
        return Ok(());
    }
    for Breach { file, line, what } in &breaches {
        eprintln!("{file}:{line}: {what}");
    }
    Err(Failure::new(format!("{} breach(es) of the house rules", breaches.len())))
}

fn file_breaches(file: &str, text: &str) -> Vec<Breach> {
    let mut breaches = machine::check(file, text);
    breaches.extend(hidden::check(file, text));
    if file.ends_with(".rs") {
        let source = Source::read(text);
        breaches.extend(text::check(file, text, &source));
        breaches.extend(rings::check(file, &source));
    }
    breaches
}

/// The position of a word in a line of code: not a part of a longer name.
fn word_at(line: &str, word: &str) -> Option<usize> {
    let part_of_name = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
    line.match_indices(word).map(|(at, _)| at).find(|&at| {
        !part_of_name(line[..at].chars().next_back()) && !part_of_name(line[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_not_found_inside_a_longer_name() {
        assert_eq!(word_at("insecure_http(http::Method)", "http"), Some(14));
        assert_eq!(word_at("awaits", "await"), None);
    }

    #[test]
    fn a_tidy_file_has_no_breach_and_an_untidy_one_several() {
        assert_eq!(file_breaches("session-core/src/value/x.rs", "//! A thing.\npub struct X;\n"), []);
        let untidy = "use std::time::Instant;\n";
        let breaches = file_breaches("session-core/src/value/x.rs", untidy);
        assert_eq!(breaches.len(), 2, "{breaches:?}");
        assert!(breaches.iter().all(|breach| breach.line == 1));
    }
}
