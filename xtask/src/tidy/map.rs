//! The map of the code in `docs/architecture.md`: every crate and every module with files of its own, with its first sentence.
//!
//! The sentence stands in the file; the document repeats it word for word, so that it cannot lag behind.

use std::collections::BTreeMap;
use std::fs;

use super::Breach;
use crate::failure::Failure;
use crate::repository;

/// The first sentence of a file, which may go on in the next line; empty if it says nothing.
fn sentence(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//! "));
    let paragraph = lines.collect::<Vec<_>>().join(" ");
    paragraph.find(". ").map_or(paragraph.clone(), |end| paragraph[..=end].to_owned())
}

/// Whether a file belongs on the map: the root of a crate, or of a module with files of its own.
fn is_mapped(file: &str) -> bool {
    let root = file.ends_with("/src/lib.rs") || (file.contains("/src/") && file.ends_with("/mod.rs"));
    root && file.starts_with("session-") && !file.ends_with("/tests/mod.rs")
}

/// The map as Markdown: a row for each crate, followed by its modules.
fn draw(files: &[(String, String)]) -> String {
    let mut rows: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for (file, text) in files {
        let Some((home, path)) = file.split_once("/src/") else { continue };
        rows.insert((home, path.strip_suffix("/mod.rs").unwrap_or_default()), sentence(text));
    }
    let mut map = "\n| directory | contents |\n|---|---|\n".to_owned();
    for ((home, module), said) in rows {
        let place =
            if module.is_empty() { format!("**`{home}`**") } else { format!("`{home}/src/{module}`") };
        map.push_str(&format!("| {place} | {said} |\n"));
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
    let what = "not the first sentences of crates and modules; run `cargo xtask tidy --bless`";
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
            (
                "session-b/src/lib.rs".to_owned(),
                "//! B, which\n//! goes on. More.\n//!\n//! Else.\n".to_owned(),
            ),
            ("session-a/src/x/mod.rs".to_owned(), "//! What x is.\n\nmod z;".to_owned()),
            ("session-a/src/lib.rs".to_owned(), "//! A.\n".to_owned()),
        ];
        assert_eq!(
            draw(&files),
            "\n| directory | contents |\n|---|---|\n| **`session-a`** | A. |\n| `session-a/src/x` | What x is. |\n\
             | **`session-b`** | B, which goes on. |\n\n"
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
    fn single_files_tests_and_automation_are_not_on_the_map() {
        assert!(is_mapped("session-core/src/value/mod.rs"));
        assert!(is_mapped("session-stores/memory/src/lib.rs"));
        for file in
            ["xtask/src/tidy/mod.rs", "session-core/tests/it/a/mod.rs", "session-core/src/value/id.rs"]
        {
            assert!(!is_mapped(file), "{file}");
        }
    }
}
