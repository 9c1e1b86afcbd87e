//! Rules for every Rust file: a first line that states its purpose, nothing unfinished, a maximum length.

use super::source::Source;
use super::{Breach, word_at};

pub(super) fn check(file: &str, text: &str, source: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    // Templates are checked, too; their placeholders are filled in later.
    if !text.starts_with("//! ") {
        breaches.push(Breach::new(file, 1, "the first line is not `//! ` and what the file is for"));
    }
    for (number, line) in source.numbered() {
        for unfinished in ["todo", "unimplemented", "dbg"] {
            if word_at(line, unfinished).is_some_and(|at| line[at + unfinished.len()..].starts_with('!')) {
                breaches.push(Breach::new(file, number, format!("`{unfinished}!` is not finished code")));
            }
        }
    }
    for (index, line) in text.lines().enumerate() {
        for later in LATER {
            if word_at(line, later).is_some() {
                breaches.push(Breach::new(file, index + 1, format!("`{later}`: do it, or open an issue")));
            }
        }
    }
    breaches.extend(ignored(file, text));
    breaches.extend(length(file, text, source));
    breaches
}

/// Reports ignored tests. Reads the text, because [`Source`] contains no tests.
fn ignored(file: &str, text: &str) -> Vec<Breach> {
    let attribute = |line: &str| line.trim_start().starts_with(IGNORE);
    let lines = text.lines().enumerate().filter(|(_, line)| attribute(line));
    lines.map(|(index, _)| Breach::new(file, index + 1, "an ignored test proves nothing")).collect()
}

/// Checks the length, without counting tests and examples.
fn length(file: &str, text: &str, source: &Source) -> Option<Breach> {
    if file.split('/').any(|part| part == "tests" || part == "tests.rs") {
        return None;
    }
    let uncounted = lines_in_tests(text, source) + lines_in_examples(text);
    let counted = text.lines().count().saturating_sub(uncounted);
    let explained = text.lines().take(20).any(|line| line.starts_with("//") && line.contains(WHY));
    (counted > MOST && !explained).then(|| {
        let what = format!(
            "{counted} lines without tests and examples, more than {MOST}, and no `// {WHY} …` at the top says why"
        );
        Breach::new(file, 1, what)
    })
}

/// Counts the lines from the first `#[cfg(test)]` module at the end of a file, which are blank in the code but not in
/// the text.
fn lines_in_tests(text: &str, source: &Source) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let last_code = source.lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |at| at + 1);
    let marked = lines.iter().skip(last_code).any(|line| line.contains("#[cfg(test)]"));
    if marked { lines.len() - last_code } else { 0 }
}

/// Counts the lines of documentation in fenced blocks, including the fences and blank lines.
fn lines_in_examples(text: &str) -> usize {
    let mut inside = false;
    let documentation = text.lines().filter_map(|line| line.trim_start().strip_prefix("///"));
    let in_example = |line: &str| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        inside || fence || line.is_empty()
    };
    documentation.map(in_example).filter(|counts| *counts).count()
}

const MOST: usize = 450;
const WHY: &str = "Long because";
/// Split into two parts each, so that this file does not breach its own rules.
const LATER: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
const IGNORE: &str = concat!("#[", "ignore");

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(text: &str) -> Vec<(usize, String)> {
        check("a/src/x.rs", text, &Source::read(text))
            .into_iter()
            .map(|breach| (breach.line, breach.what))
            .collect()
    }

    #[test]
    fn a_file_must_say_what_it_is_for() {
        assert_eq!(breaches("use x;\n")[0].0, 1);
        assert_eq!(breaches("//! For something.\nuse x;\n"), []);
    }

    #[test]
    fn unfinished_code_is_found_where_it_stands() {
        let text = format!("//! X.\nfn f() {{\n    {}!()\n}}\n// {}: more\n", "todo", LATER[0]);
        let found = breaches(&text);
        assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 5], "{found:?}");
        assert_eq!(breaches("//! X.\nfn f() { dbg!(1); }\n").len(), 1);
        assert_eq!(breaches("//! X.\nfn f() { unimplemented!(); }\n").len(), 1);
        assert_eq!(breaches("//! X.\n/// Like todo!().\nfn todo() { \"dbg!\" }\n"), []);
    }

    #[test]
    fn an_ignored_test_is_a_breach() {
        let text = format!(
            "//! X.\n#[cfg(test)]\nmod tests {{\n    #[test]\n    {}]\n    fn f() {{}}\n}}\n",
            IGNORE
        );
        assert_eq!(breaches(&text), [(5, "an ignored test proves nothing".to_owned())]);
    }

    #[test]
    fn a_long_file_says_why() {
        let long = |top: &str| format!("//! X.\n{top}\n{}", "fn f() {}\n".repeat(500));
        assert_eq!(breaches(&long("")).len(), 1);
        assert_eq!(breaches(&long("// Long because one file owns every transition.")), []);
    }

    #[test]
    fn the_lines_of_tests_and_examples_do_not_count() {
        let text =
            format!("//! X.\nfn f() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}\n", "fn g() {}\n".repeat(500));
        assert_eq!(breaches(&text), []);
        let example = format!("/// Does.\n///\n/// ```\n{}/// ```\nfn g() {{}}\n", "/// f();\n".repeat(500));
        assert_eq!(breaches(&format!("//! X.\n{example}")), []);
        let file = "a/tests/x.rs";
        let text = format!("//! X.\n{}", "fn g() {}\n".repeat(500));
        assert_eq!(check(file, &text, &Source::read(&text)), []);
    }
}
