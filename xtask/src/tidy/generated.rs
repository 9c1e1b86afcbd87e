//! Generated documents: checked by `tidy`, written by `tidy --bless`.
//!
//! To add one, write a program that prints the document, and add a line to [`DOCUMENTS`].

use std::fs;

use xshell::{Shell, cmd};

use super::Breach;
use crate::failure::Failure;

/// A document and the cargo command that prints it.
struct Document {
    /// The arguments of `cargo`.
    command: &'static [&'static str],
    file: &'static str,
}

const DOCUMENTS: &[Document] = &[
    Document {
        command: &["run", "--quiet", "-p", "session-core", "--example", "decision_table"],
        file: "docs/decision-table.md",
    },
    Document {
        command: &["run", "--quiet", "-p", "session-stores", "--example", "configuration"],
        file: "docs/configuration.md",
    },
];

/// Returns a breach for each document that differs from the output of its program, at the first line that differs.
pub(super) fn check() -> Result<Vec<Breach>, Failure> {
    let mut breaches = Vec::new();
    for document in DOCUMENTS {
        let there = fs::read_to_string(document.file).unwrap_or_default();
        breaches.extend(document.compare(&there, &document.print()?));
    }
    Ok(breaches)
}

/// Regenerates all documents.
pub(super) fn bless() -> Result<(), Failure> {
    for document in DOCUMENTS {
        fs::write(document.file, document.print()?)?;
        println!("wrote {}", document.file);
    }
    println!("{} generated documents are up to date", DOCUMENTS.len());
    Ok(())
}

impl Document {
    fn print(&self) -> Result<String, Failure> {
        let shell = Shell::new()?;
        let command = self.command;
        let mut printed = cmd!(shell, "cargo {command...}").quiet().read()?;
        // `read` removes the last line break.
        printed.push('\n');
        Ok(printed)
    }

    fn compare(&self, there: &str, printed: &str) -> Option<Breach> {
        if there == printed {
            return None;
        }
        let same = there.lines().zip(printed.lines()).take_while(|(left, right)| left == right).count();
        let command = self.command.join(" ");
        let what = format!("not what `cargo {command}` prints; run `cargo xtask tidy --bless`");
        Some(Breach::new(self.file, same + 1, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: Document = Document { command: &["run", "--example", "table"], file: "docs/table.md" };

    #[test]
    fn a_document_that_lags_behind_is_named_with_its_first_old_line() {
        let breach = DOCUMENT.compare("a\nb\n", "a\nc\n").unwrap();
        assert_eq!((breach.file.as_str(), breach.line), ("docs/table.md", 2));
        assert!(breach.what.contains("cargo run --example table"), "{}", breach.what);
    }

    #[test]
    fn a_document_that_is_up_to_date_is_no_breach() {
        assert_eq!(DOCUMENT.compare("a\n", "a\n"), None);
    }

    #[test]
    fn a_program_is_run_and_its_output_taken_whole() {
        let document = Document { command: &["--version"], file: "x" };
        let printed = document.print().unwrap();
        assert!(printed.starts_with("cargo ") && printed.ends_with('\n'), "{printed}");
    }
}
