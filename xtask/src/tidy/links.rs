//! Checks that links between documents lead to existing files and headings.

use std::collections::{BTreeMap, BTreeSet};

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
    for (line, prose) in prose(text) {
        for link in links(&prose).filter(|link| !is_elsewhere(link)) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.to_owned() } else { resolve(file, path) };
            let Some(text) = there.get(target.as_str()) else {
                breaches.push(Breach::new(file, line, format!("the link `{link}` leads to no file")));
                continue;
            };
            if !heading.is_empty() && target.ends_with(".md") && !anchors(text).contains(heading) {
                breaches.push(Breach::new(file, line, format!("the link `{link}` leads to no heading")));
            }
        }
    }
    breaches
}

/// Returns the numbered lines outside code blocks, without inline code.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut code = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        // The text of a link may be inline code, but its target is not.
        (!code && !fence).then(|| (at + 1, line.split('`').step_by(2).collect::<Vec<_>>().join("code")))
    })
}

fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
}

fn is_elsewhere(link: &str) -> bool {
    ["https:", "http:", "mailto:"].iter().any(|scheme| link.starts_with(scheme))
}

/// Resolves a path relative to the directory of a file.
fn resolve(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => _ = parts.pop(),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Returns the anchors of the headings of a document, as forges create them: lower case, dashes for blanks, no
/// punctuation.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose_with_code(text).filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
    headings.map(anchor).collect()
}

fn prose_with_code(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        code ^= line.trim_start().starts_with("```");
        !code && line.starts_with('#')
    })
}

fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|char| char.is_alphanumeric() || " -_".contains(*char));
    kept.flat_map(char::to_lowercase).map(|char| if char == ' ' { '-' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let files = [
            ("docs/page.md".to_owned(), text.to_owned()),
            ("docs/other.md".to_owned(), "# Other\n\n## What `all` of them guarantee\n".to_owned()),
            ("README.md".to_owned(), "# Read me\n".to_owned()),
        ];
        check(&files).into_iter().map(|breach| format!("{}: {}", breach.line, breach.what)).collect()
    }

    #[test]
    fn a_link_to_a_file_or_a_heading_that_is_there_is_no_breach() {
        let text = "# Page\n[a](other.md) [`b`](../README.md#read-me) [c](#page) [d](https://example.com)\n\
                    [e](other.md#what-all-of-them-guarantee) `[f](gone.md)`\n```text\n[g](gone.md)\n```\n";
        assert_eq!(found(text), [""; 0]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_a_breach_with_its_line() {
        assert_eq!(
            found("one\n[a](gone.md) [b](other.md#gone)\n"),
            ["2: the link `gone.md` leads to no file", "2: the link `other.md#gone` leads to no heading"]
        );
    }
}
