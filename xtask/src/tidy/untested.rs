//! A crate that builds no test program for its `src` has no tests there.
//!
//! `test = false` saves the link of an empty program; a test that is added later would never run.

use super::Breach;

pub(super) fn check(files: &[(String, String)]) -> Vec<Breach> {
    let without: Vec<String> = files
        .iter()
        .filter(|(_, text)| text.contains("\ntest = false\n"))
        .filter_map(|(file, _)| file.strip_suffix("Cargo.toml"))
        .map(|folder| format!("{folder}src/"))
        .collect();
    let source = |file: &str| file.ends_with(".rs") && without.iter().any(|folder| file.starts_with(folder));
    files.iter().filter(|(file, _)| source(file)).flat_map(|(file, text)| tests_in(file, text)).collect()
}

fn tests_in<'a>(file: &'a str, text: &'a str) -> impl Iterator<Item = Breach> + 'a {
    let is_test = |line: &str| {
        line.strip_prefix("#[").and_then(|line| line.split([']', '(']).next()).is_some_and(|attribute| {
            attribute == "test"
                || attribute == "cfg" && line.contains("(test)")
                || attribute.ends_with("::test")
        })
    };
    text.lines().enumerate().filter(move |(_, line)| is_test(line.trim_start())).map(|(index, _)| {
        Breach::new(file, index + 1, "a test that never runs: Cargo.toml says `test = false`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(manifest: &str, source: &str) -> Vec<usize> {
        let files = [("a/Cargo.toml", manifest), ("a/src/b.rs", source), ("c/src/b.rs", source)];
        let files = files.map(|(file, text)| (file.to_owned(), text.to_owned()));
        check(&files).into_iter().map(|breach| breach.line).collect()
    }

    #[test]
    fn a_test_that_never_runs_is_a_breach() {
        let source = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    #[tokio::test(flavor = \"x\")]\n    fn b() {}\n    #[test]\n";
        assert_eq!(breaches("[lib]\ntest = false\n", source), [3, 5, 7]);
        assert_eq!(breaches("[lib]\n", source), [0; 0]);
        assert_eq!(
            breaches("[lib]\ntest = false\n", "#[derive(Debug)]\n#[cfg(feature = \"test\")]\n"),
            [0; 0]
        );
    }
}
