//! Removes comments, the contents of literals and test-only items from Rust source text.
//!
//! Not a parser. Lines keep their numbers, so that breaches can be reported by line.

/// The code of a file.
pub(super) struct Source {
    /// The lines, with everything except code blanked.
    pub(super) lines: Vec<String>,
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        let code = without_test_items(&without_comments_and_literals(text));
        Self { lines: code.lines().map(str::to_owned).collect() }
    }

    /// Returns the lines with their numbers, starting from 1.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines.iter().enumerate().map(|(index, line)| (index + 1, line.as_str()))
    }
}

/// Blanks comments and the insides of string and character literals.
fn without_comments_and_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_or_comment(&chars, at).min(chars.len());
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|&char| if char == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Returns the end of the comment or literal that starts at `at`, or `at` if there is none.
fn literal_or_comment(chars: &[char], at: usize) -> usize {
    let ahead = |steps: usize| chars.get(at + steps).copied();
    match (chars[at], ahead(1)) {
        ('/', Some('/')) => find(chars, at, |char| char == '\n'),
        ('/', Some('*')) => block_comment(chars, at),
        ('"', _) => string(chars, at + 1),
        ('r', Some('"' | '#')) if !in_name(chars, at) => raw_string(chars, at + 1).unwrap_or(at),
        ('\'', Some('\\')) => find(chars, at + 3, |char| char == '\'') + 1,
        // A lifetime has no closing quote after one character.
        ('\'', Some(_)) if ahead(2) == Some('\'') => at + 3,
        _ => at,
    }
}

fn in_name(chars: &[char], at: usize) -> bool {
    // `br"…"` and `cr"…"` are raw strings too.
    let before = |steps: usize| at.checked_sub(steps).map(|index| chars[index]);
    let name = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
    let prefix = matches!(before(1), Some('b' | 'c')) && !name(before(2));
    name(before(1)) && !prefix
}

fn find(chars: &[char], from: usize, is: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|&at| is(chars[at])).unwrap_or(chars.len())
}

fn block_comment(chars: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

/// Returns the position after the closing quote.
fn string(chars: &[char], inside: usize) -> usize {
    let mut at = inside;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// Returns the position after the closing quote and its hashes, or `None` if this is not a string (`r#type`).
fn raw_string(chars: &[char], after_r: usize) -> Option<usize> {
    let quote = find(chars, after_r, |char| char != '#');
    if chars.get(quote) != Some(&'"') {
        return None;
    }
    let hashes = quote - after_r;
    let closes =
        |at: &usize| chars[*at] == '"' && (1..=hashes).all(|step| chars.get(at + step) == Some(&'#'));
    Some((quote + 1..chars.len()).find(closes).map_or(chars.len(), |at| at + 1 + hashes))
}

/// Blanks every item after `#[cfg(test)]`, up to the `;` or closing brace that ends it.
fn without_test_items(code: &str) -> String {
    let mut rest = code;
    let mut kept = String::with_capacity(code.len());
    while let Some(start) = TEST_ATTRIBUTES.iter().filter_map(|attribute| rest.find(attribute)).min() {
        let end = start + item_end(&rest[start..]);
        kept.push_str(&rest[..start]);
        kept.extend(rest[start..end].chars().map(|char| if char == '\n' { '\n' } else { ' ' }));
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}

fn item_end(item: &str) -> usize {
    let mut depth = 0_i32;
    for (at, char) in item.char_indices() {
        match char {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => {
                depth -= 1;
                if depth == 0 && char == '}' {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

/// `test-util` counts as test-only, because it is never enabled in a release build. Its quotes are blanked already.
const TEST_ATTRIBUTES: &[&str] = &["#[cfg(test)]", "#[cfg(any(test", "#[cfg(all(test"];

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Source::read(text).lines.join("\n")
    }

    #[test]
    fn comments_and_the_insides_of_literals_are_not_code() {
        assert_eq!(code("a // Mutex\nb /* x /* Mutex */ */ c").replace(' ', ""), "a\nbc");
        let text = r####"f("Mutex \" Mutex", r#"Mutex " "#, b"Mutex", br"Mutex", 'M', '\'', '"', g)"####;
        assert!(!code(text).contains('M'), "{}", code(text));
        assert!(code(text).contains("g)"), "{}", code(text));
    }

    #[test]
    fn lifetimes_and_raw_names_are_code() {
        assert_eq!(code("fn f<'a>(r#type: &'a str) {}"), "fn f<'a>(r#type: &'a str) {}");
    }

    #[test]
    fn items_for_tests_are_not_code_and_lines_stay_in_place() {
        let text = "a\n#[cfg(test)]\nmod tests {\n    use x::{Y};\n}\nb\n#[cfg(test)]\nmod other;\nc";
        let lines = Source::read(text).lines;
        let left: Vec<(usize, &str)> = lines
            .iter()
            .enumerate()
            .map(|(at, line)| (at, line.trim()))
            .filter(|(_, line)| !line.is_empty())
            .collect();
        assert_eq!(left, [(0, "a"), (5, "b"), (8, "c")]);
    }

    #[test]
    fn a_file_that_ends_in_the_middle_is_read_to_its_end() {
        for text in ["\"open", "/* open", "r#\"open", "'\\", "#[cfg(test)]\nmod x {"] {
            Source::read(text);
        }
    }
}
