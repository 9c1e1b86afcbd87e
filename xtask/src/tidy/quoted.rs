//! Checks that code which a document quotes from a file is in that file, word for word.
//!
//! A quotation is a code block below a line `<!-- from PATH -->`.

use std::collections::BTreeMap;

use super::Breach;

/// `files` are the paths and contents of text files.
pub(super) fn check(files: &[(String, String)]) -> Vec<Breach> {
    let there: BTreeMap<&str, &str> =
        files.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    let documents = files.iter().filter(|(file, _)| file.ends_with(".md"));
    documents.flat_map(|(file, text)| breaches(file, text, &there)).collect()
}

fn breaches(file: &str, text: &str, there: &BTreeMap<&str, &str>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(source) = line.strip_prefix("<!-- from ").and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let fenced = lines.next().is_some_and(|(_, line)| line.starts_with("```"));
        let code: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| !line.starts_with("```")).collect();
        let what = match there.get(source) {
            None => format!("`{source}` is no file"),
            Some(_) if !fenced || code.is_empty() => format!("no code from `{source}` below"),
            Some(text) if !contains(text, &code) => format!("the code below is not in `{source}`"),
            Some(_) => continue,
        };
        breaches.push(Breach::new(file, at + 1, what));
    }
    breaches
}

fn contains(text: &str, code: &[&str]) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    lines.windows(code.len()).any(|window| window == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(document: &str) -> Vec<(usize, String)> {
        let there = BTreeMap::from([("a/x.rs", "//! X.\nfn f() {\n    g();\n}\n")]);
        breaches("a.md", document, &there).into_iter().map(|breach| (breach.line, breach.what)).collect()
    }

    #[test]
    fn code_that_is_in_its_file_is_no_breach() {
        assert_eq!(found("Text.\n<!-- from a/x.rs -->\n```rust\nfn f() {\n    g();\n```\nMore.\n"), []);
    }

    #[test]
    fn code_that_has_changed_is_found() {
        let document = "<!-- from a/x.rs -->\n```rust\nfn f() {\n    h();\n```\n";
        assert_eq!(found(document), [(1, "the code below is not in `a/x.rs`".to_owned())]);
    }

    #[test]
    fn a_quotation_needs_a_file_and_code() {
        assert_eq!(found("<!-- from a/y.rs -->\n```rust\nx\n```\n")[0].1, "`a/y.rs` is no file");
        assert_eq!(found("\n<!-- from a/x.rs -->\nText.\n"), [(2, "no code from `a/x.rs` below".to_owned())]);
    }
}
