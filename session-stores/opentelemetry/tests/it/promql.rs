//! Enough of PromQL to know which metrics and labels an expression names.

use std::collections::BTreeSet;

/// The names in an expression that are neither functions nor words of the language.
pub(crate) fn names(expression: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        match first {
            // A string, with escapes.
            '"' => {
                let mut end = 1;
                let bytes = rest.as_bytes();
                while bytes[end] != b'"' {
                    end += if bytes[end] == b'\\' { 2 } else { 1 };
                }
                rest = &rest[end + 1..];
            }
            // A duration or a variable of Grafana's in brackets.
            '[' => rest = rest.split_once(']').unwrap().1,
            _ if first.is_ascii_alphabetic() || first == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                if !WORDS.contains(&name) {
                    names.insert(name.to_owned());
                }
                rest = after;
            }
            // A number, which may be followed by letters of a unit.
            _ if first.is_ascii_digit() => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
                rest = &rest[end..];
            }
            _ => rest = &rest[first.len_utf8()..],
        }
    }
    names
}

const WORDS: [&str; 10] =
    ["sum", "by", "rate", "increase", "histogram_quantile", "on", "group_left", "label_values", "and", "or"];

#[test]
fn names_are_found_and_strings_numbers_and_words_are_not() {
    let expression = r#"sum by (job, le) (rate(a_total{b=~"session\\..+\"x", c!=""}[5m])) > 0.05e1 * d"#;
    assert_eq!(names(expression), ["a_total", "b", "c", "d", "job", "le"].map(str::to_owned).into());
}
