//! The laws of the core's rings: imports point inwards, and the inner two rings only compute.

use super::source::Source;
use super::{Breach, word_at};

/// A ring by its folder, and whose folders it may import from.
struct Ring {
    folder: &'static str,
    may_use: &'static [&'static str],
}

/// The engine may use everything.
const RINGS: &[Ring] = &[
    Ring { folder: "value", may_use: &["value"] },
    Ring { folder: "decision", may_use: &["value", "decision"] },
];

/// What rings 0 and 1 do without: a word or a path, and what it would be.
const REFUSED: &[(&str, &str)] = &[
    ("Instant", "a clock"),
    ("SystemTime", "a clock"),
    ("getrandom", "randomness"),
    ("rand", "randomness"),
    ("std::env", "the environment"),
    ("std::fs", "a file system"),
    ("std::net", "a network"),
    ("std::thread", "threads"),
    ("std::process", "processes"),
    ("async", "waiting"),
    ("await", "waiting"),
    ("Mutex", "a lock"),
    ("RwLock", "a lock"),
    ("tokio", "a runtime"),
    ("http", "an HTTP crate"),
    ("http_body", "an HTTP crate"),
];

pub(super) fn check(file: &str, source: &Source) -> Vec<Breach> {
    let Some(inside) = file.strip_prefix("session-core/src/") else { return Vec::new() };
    let Some((folder, below)) = inside.split_once('/') else { return Vec::new() };
    let Some(ring) = RINGS.iter().find(|ring| ring.folder == folder) else { return Vec::new() };
    // A module of its own that only tests compile.
    if below.split('/').any(|part| part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs")) {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    for (number, line) in source.numbered() {
        for (word, what) in REFUSED {
            if refused(line, word) {
                breaches.push(Breach::new(file, number, format!("ring `{folder}` has no {what}: `{word}`")));
            }
        }
    }
    breaches.extend(imports(file, below, ring, source));
    breaches
}

/// A path (`std::env`) is also refused inside of braces (`std::{env, fmt}`). `http` and `rand` are refused as the crates,
/// not as the name of somebody's variable.
fn refused(line: &str, word: &str) -> bool {
    if let Some(module) = word.strip_prefix("std::") {
        let braced = |rest: &str| {
            rest.split(['{', '}', ',', ';']).any(|name| {
                let name = name.trim();
                name == module || name.starts_with(&format!("{module}::"))
            })
        };
        return word_at(line, word).is_some()
            || line.split_once("std::{").is_some_and(|(_, rest)| braced(rest));
    }
    if ["http", "rand", "http_body"].contains(&word) {
        let path = format!("{word}::");
        return line.match_indices(&path).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|char| char.is_alphanumeric() || char == '_' || char == ':')
        });
    }
    word_at(line, word).is_some()
}

/// Every `crate::…` must lead into a ring that may be used, and no `super::` may lead out of the ring.
fn imports(file: &str, below: &str, ring: &Ring, source: &Source) -> Vec<Breach> {
    let text = source.lines.join("\n");
    let line_of = |at: usize| text[..at].matches('\n').count() + 1;
    let mut breaches = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        for name in first_names(&text[at + "crate::".len()..]) {
            if !ring.may_use.contains(&name.as_str()) {
                let allowed = ring.may_use.join("`, `crate::");
                let what = format!(
                    "ring `{}` uses `crate::{name}`, but may use only `crate::{allowed}`",
                    ring.folder
                );
                breaches.push(Breach::new(file, line_of(at), what));
            }
        }
    }
    for (at, _) in text.match_indices("super::") {
        if text[..at].ends_with("super::") {
            continue;
        }
        let mut steps = 0;
        let mut rest = &text[at..];
        while let Some(after) = rest.strip_prefix("super::") {
            (steps, rest) = (steps + 1, after);
        }
        if steps >= depth(below) {
            let what = format!("ring `{}` is left by `super::`; write `crate::…`", ring.folder);
            breaches.push(Breach::new(file, line_of(at), what));
        }
    }
    breaches
}

/// How many modules deep in the crate a file is: `value/mod.rs` 1, `value/id.rs` 2, `value/cookie/mod.rs` 2.
fn depth(below: &str) -> usize {
    let parts = below.split('/').count();
    if below.ends_with("mod.rs") { parts } else { parts + 1 }
}

/// The names that come first in a path: one, or those at the top level of braces.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![path.chars().take_while(|&char| char.is_alphanumeric() || char == '_').collect()];
    };
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut name = String::new();
    for char in group.chars() {
        match char {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut name)),
            _ if depth == 0 => name.push(char),
            _ => {}
        }
    }
    names.push(name);
    let first = |name: &String| {
        name.split("::").next().unwrap_or_default().split_whitespace().next().map(str::to_owned)
    };
    names.iter().filter_map(first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(file: &str, text: &str) -> Vec<(usize, String)> {
        check(file, &Source::read(text)).into_iter().map(|breach| (breach.line, breach.what)).collect()
    }

    #[test]
    fn imports_that_point_outwards_are_breaches() {
        let text = "use crate::value::id::Etag;\nuse crate::engine::store::Written;\n";
        let found = breaches("session-core/src/decision/decide.rs", text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0 == 2 && found[0].1.contains("`crate::engine`"), "{found:?}");
        assert_eq!(breaches("session-core/src/value/id.rs", "use crate::decision::policy::Policy;").len(), 1);
    }

    #[test]
    fn a_group_of_imports_is_read_name_by_name() {
        let text = "use crate::{\n    value::{id::Etag, time},\n    engine::Session,\n};";
        let found = breaches("session-core/src/decision/decide.rs", text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].1.contains("`crate::engine`"), "{found:?}");
    }

    #[test]
    fn re_exports_of_the_crate_root_are_no_way_around() {
        assert_eq!(breaches("session-core/src/value/record.rs", "use crate::Timestamp;").len(), 1);
        assert_eq!(breaches("session-core/src/value/record.rs", "use super::super::engine::X;").len(), 1);
        assert_eq!(breaches("session-core/src/value/mod.rs", "use super::engine::X;").len(), 1);
        assert_eq!(breaches("session-core/src/value/cookie/seal.rs", "use super::super::id::X;"), []);
    }

    #[test]
    fn the_engine_may_do_everything() {
        assert_eq!(
            breaches("session-core/src/engine/x.rs", "use std::sync::Mutex; use crate::decision::X;"),
            []
        );
    }

    #[test]
    fn each_effect_is_refused_in_the_inner_rings() {
        for effect in [
            "use std::time::Instant;",
            "let now = SystemTime::now();",
            "getrandom::fill(&mut bytes);",
            "rand::random();",
            "use std::{env, fmt};",
            "use std::{collections::HashMap, fs::File};",
            "std::net::TcpStream::connect(x);",
            "std::thread::spawn(f);",
            "std::process::exit(1);",
            "async fn f() {}",
            "f().await;",
            "struct S(Mutex<u8>);",
            "struct S(std::sync::RwLock<u8>);",
            "fn f(headers: &http::HeaderMap) {}",
            "use tokio::time;",
        ] {
            assert_eq!(breaches("session-core/src/decision/x.rs", effect).len(), 1, "{effect}");
        }
    }

    #[test]
    fn talking_about_effects_and_testing_with_them_is_no_breach() {
        let text = "//! No Mutex, no `std::env`.\nfn insecure_http() { let http = \"Instant\"; }\n\
                    #[cfg(test)]\nmod tests { use std::time::Instant; }\n";
        assert_eq!(breaches("session-core/src/value/x.rs", text), []);
        assert_eq!(breaches("session-core/src/value/tests.rs", "use std::time::Instant;"), []);
        assert_eq!(breaches("session-axum/src/lib.rs", "use std::time::Instant;"), []);
    }
}
