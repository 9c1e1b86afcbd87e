//! The map of the code in `docs/architecture.md`: every source file with its own first sentence, compared and written.
//!
//! What a file says it is for stands in the file; the document repeats it word for word, so it cannot lag behind.

use std::collections::BTreeMap;
use std::fs;

use super::Breach;
use crate::failure::Failure;
use crate::repository;

/// The sentence of a source file, or none if it has no first line of documentation.
fn sentence(text: &str) -> Option<&str> {
    text.lines().next()?.strip_prefix("//! ")
}

/// Whether a file belongs on the map: what applications compile, and the two test crates.
fn is_mapped(file: &str) -> bool {
    let source = file.starts_with("session-") && file.contains("/src/") && file.ends_with(".rs");
    source && !file.ends_with("/tests.rs")
}

/// The map as Markdown, one list for each crate.
fn draw(files: &[(String, String)]) -> String {
    let mut crates: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (file, text) in files {
        let Some((home, path)) = file.split_once("/src/") else { continue };
        let said = sentence(text).unwrap_or("");
        crates.entry(home).or_default().push(format!("- `{path}`: {said}\n"));
    }
    let mut map = String::new();
    for (home, lines) in crates {
        map.push_str(&format!("\n### `{home}`\n\n"));
        map.extend(lines);
    }
    map.push('\n');
    map
}

/// The document with the map in its place; `None` if it has no place for one.
fn with_map(document: &str, map: &str) -> Option<String> {
    let (head, rest) = document.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}\n{map}{END}{tail}"))
}

fn written() -> Result<(String, String), Failure> {
    let mut files = Vec::new();
    for file in repository::files()?.into_iter().filter(|file| is_mapped(file)) {
        let text = fs::read_to_string(&file)?;
        files.push((file, text));
    }
    files.sort();
    let there = fs::read_to_string(DOCUMENT).unwrap_or_default();
    let Some(wanted) = with_map(&there, &draw(&files)) else {
        return Err(Failure::new(format!("{DOCUMENT} has no place for the map: {BEGIN} and {END}")));
    };
    Ok((there, wanted))
}

/// The first line where the document does not say what the files say.
pub(super) fn check() -> Result<Vec<Breach>, Failure> {
    let (there, wanted) = written()?;
    if there == wanted {
        return Ok(Vec::new());
    }
    let same = there.lines().zip(wanted.lines()).take_while(|(left, right)| left == right).count();
    let what = "not the first sentences of the files; run `cargo xtask tidy --bless`";
    Ok(vec![Breach::new(DOCUMENT, same + 1, what)])
}

/// Writes the map anew.
pub(super) fn bless() -> Result<(), Failure> {
    fs::write(DOCUMENT, written()?.1)?;
    println!("wrote the map in {DOCUMENT}");
    Ok(())
}

const DOCUMENT: &str = "docs/architecture.md";
const BEGIN: &str = "<!-- files: written by `cargo xtask tidy --bless` -->";
const END: &str = "<!-- end of files -->";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_repeats_the_files_own_words_crate_by_crate() {
        let files = [
            ("session-b/src/lib.rs".to_owned(), "//! B.\n".to_owned()),
            ("session-a/src/x/y.rs".to_owned(), "//! What y is.\n\nmod z;".to_owned()),
        ];
        assert_eq!(
            draw(&files),
            "\n### `session-a`\n\n- `x/y.rs`: What y is.\n\n### `session-b`\n\n- `lib.rs`: B.\n\n"
        );
    }

    #[test]
    fn the_rest_of_the_document_stays() {
        let document = format!("# Title\n{BEGIN}\nold\n{END}\nafter\n");
        let new = with_map(&document, "new\n").unwrap();
        assert_eq!(new, format!("# Title\n{BEGIN}\nnew\n{END}\nafter\n"));
        assert_eq!(with_map(&new, "new\n").unwrap(), new);
        assert_eq!(with_map("# Title\n", "new\n"), None);
    }

    #[test]
    fn tests_and_automation_are_not_on_the_map() {
        assert!(is_mapped("session-core/src/value/id.rs"));
        assert!(is_mapped("session-stores/memory/src/lib.rs"));
        for file in ["xtask/src/main.rs", "session-core/tests/a.rs", "session-core/src/value/xaes/tests.rs"] {
            assert!(!is_mapped(file), "{file}");
        }
    }
}
