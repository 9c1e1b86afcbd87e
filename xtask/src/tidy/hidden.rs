//! Checks that documents have no hidden lines in their examples: rustdoc leaves them out, and every forge shows them.

use super::Breach;

pub(super) fn check(file: &str, text: &str) -> Vec<Breach> {
    if !file.ends_with(".md") && !file.ends_with(".md.in") {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    let mut is_rust = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if let Some(language) = line.strip_prefix("```") {
            is_rust = language.starts_with("rust");
        } else if is_rust && (line == "#" || line.starts_with("# ")) {
            breaches.push(Breach::new(file, index + 1, "a hidden line, which a forge shows: write it out"));
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_line_of_an_example_is_a_breach() {
        let text =
            "# Page\n```rust\nlet a = 1;\n# let b = a;\n  # Ok(())\n#[derive(Debug)] struct C;\n```\n# End\n";
        let lines: Vec<usize> = check("docs/page.md", text).iter().map(|breach| breach.line).collect();
        assert_eq!(lines, [4, 5]);
        assert_eq!(check("src/lib.rs", text), []);
    }

    #[test]
    fn a_comment_of_a_shell_is_no_hidden_line() {
        assert_eq!(check("README.md", "```sh\n# starts the server\n```\n"), []);
    }
}
