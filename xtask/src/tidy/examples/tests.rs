//! Which public items are found to go without an example, shown on small crates.

use super::*;

fn breaches(text: &str) -> Vec<(usize, String)> {
    let files = [("a/Cargo.toml", "[package]\nname = \"a\"\n"), ("a/src/lib.rs", text)];
    let found = check(&files.map(|(file, text)| (file.to_owned(), text.to_owned())));
    let here = found.into_iter().filter(|breach| breach.file == "a/src/lib.rs");
    here.map(|breach| (breach.line, breach.what)).collect()
}

fn bare(text: &str) -> Vec<usize> {
    breaches(text).into_iter().map(|(line, _)| line).collect()
}

const EXAMPLE: &str = "/// Does.\n///\n/// ```\n/// a::f();\n/// ```\n";

#[test]
fn a_public_function_without_an_example_is_named_with_its_line() {
    let found = breaches("//! A.\n\n/// Does.\npub fn f() {}\n");
    assert_eq!(found, [(4, "no example shows `f`, which is public".to_owned())]);
    assert_eq!(bare(&format!("{EXAMPLE}pub fn f() {{}}")), [0_usize; 0]);
    assert_eq!(bare("fn f() {}\npub(crate) fn g() {}\n"), [0_usize; 0]);
}

#[test]
fn every_method_has_its_own_example_and_any_of_them_shows_the_type() {
    let method = "pub fn f(&self) {}\n";
    assert_eq!(bare(&format!("pub struct S;\nimpl S {{\n{method}}}\n")), [1, 3]);
    assert_eq!(bare(&format!("pub struct S;\nimpl S {{\n{EXAMPLE}{method}}}\n")), [0_usize; 0]);
    assert_eq!(bare(&format!("{EXAMPLE}pub struct S;\nimpl S {{\n{method}}}\n")), [8]);
    assert_eq!(bare(&format!("{EXAMPLE}pub struct S;\nimpl Clone for S {{\n{method}}}\n")), [0_usize; 0]);
}

#[test]
fn a_trait_shows_itself_by_any_of_its_methods() {
    assert_eq!(bare("pub trait T {\n    fn f();\n}\n"), [1]);
    assert_eq!(bare(&format!("pub trait T {{\n{EXAMPLE}fn f();\n}}\n")), [0_usize; 0]);
}

#[test]
fn macros_constants_and_aliases_are_public_too() {
    assert_eq!(
        bare("#[macro_export]\nmacro_rules! m { () => {} }\npub const C: u8 = 1;\npub type A = u8;\n"),
        [2, 3, 4]
    );
    assert_eq!(bare("macro_rules! m { () => {} }\n"), [0_usize; 0]);
}

#[test]
fn only_what_the_doctests_run_is_an_example() {
    for (fence, shows) in [
        ("", true),
        ("rust", true),
        ("no_run", true),
        ("rust,no_run", true),
        ("ignore", false),
        ("text", false),
        ("toml", false),
        ("compile_fail", false),
    ] {
        let text = format!("/// Does.\n/// ```{fence}\n/// x\n/// ```\npub fn f() {{}}\n");
        assert_eq!(bare(&text).is_empty(), shows, "{fence}");
    }
    assert!(!runs("```text\n```\nand no more\n"), "the end of one block is not the beginning of another");
}

#[test]
fn what_is_hidden_or_a_test_need_not_show_itself() {
    assert_eq!(
        bare("#[doc(hidden)]\npub fn f() {}\n#[cfg(test)]\nmod tests { pub fn g() {} }\n"),
        [0_usize; 0]
    );
    assert_eq!(bare("mod inner {\n    pub fn g() {}\n}\n"), [2]);
}

#[test]
fn crates_that_nobody_can_depend_on_are_not_looked_at() {
    let files = [("a/Cargo.toml", "[package]\npublish = false\n"), ("a/src/lib.rs", "pub fn f() {}")];
    let found = check(&files.map(|(file, text)| (file.to_owned(), text.to_owned())));
    assert!(found.iter().all(|breach| breach.file != "a/src/lib.rs"), "{found:?}");
}

#[test]
fn an_exception_that_nobody_needs_is_a_breach() {
    assert_eq!(check(&[]).len(), WITHOUT.len());
}
