//! Generated documents, written by `tidy --bless`. A test of the crate whose code generates one compares it, so that
//! `tidy` compiles nothing.
//!
//! To add one, write an example that prints the document, a test that compares it, and a line in [`DOCUMENTS`].

use std::fs;

use xshell::{Shell, cmd};

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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_run_and_its_output_taken_whole() {
        let document = Document { command: &["--version"], file: "x" };
        let printed = document.print().unwrap();
        assert!(printed.starts_with("cargo ") && printed.ends_with('\n'), "{printed}");
    }
}
