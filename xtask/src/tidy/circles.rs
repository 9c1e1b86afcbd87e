//! No circle among the core's files: each can be read with what it uses, and without what uses it.
//!
//! A file uses another if a path in its code leads there: `crate::…`, `super::…`, `self::…`, or through a module that it
//! declares. A re-export is looked through: who imports a name uses the file that defines it, and the file that passes it
//! on uses nothing. Tests and documentation do not count.

use std::collections::{BTreeMap, BTreeSet};

use super::Breach;
use super::source::Source;

/// `files` are paths with their text.
pub(super) fn check(files: &[(String, String)]) -> Vec<Breach> {
    breaches(&circles(files))
}

/// One for each file of each circle, which names the others.
fn breaches(circles: &[BTreeSet<String>]) -> Vec<Breach> {
    let of = |circle: &BTreeSet<String>, file: &String| {
        let others: Vec<&str> = circle.iter().filter(|other| *other != file).map(String::as_str).collect();
        Breach::new(file, 1, format!("on a circle with {}", others.join(", ")))
    };
    circles.iter().flat_map(|circle| circle.iter().map(move |file| of(circle, file))).collect()
}

/// Files that use each other, in groups.
fn circles(files: &[(String, String)]) -> Vec<BTreeSet<String>> {
    let modules: Modules = files
        .iter()
        .filter_map(|(file, text)| {
            let path = module(file.strip_prefix(ROOT)?)?;
            Some((path.clone(), Module::read(file, path, &Source::read(text).lines.join("\n"))))
        })
        .collect();
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for module in modules.values() {
        let targets = module.used.iter().filter_map(|path| target(&modules, path, 0));
        uses.insert(&module.file, targets.filter(|file| *file != module.file).collect());
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        uses.keys().map(|file| (*file, reach(&uses, file))).collect();
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for (file, ahead) in &reached {
        if ahead.contains(file) && !circles.iter().any(|circle| circle.contains(*file)) {
            let back = ahead.iter().filter(|other| reached[*other].contains(file));
            circles.push(back.map(|other| (*other).to_owned()).collect());
        }
    }
    circles
}

/// Every file that can be come to from this one.
fn reach<'a>(uses: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&str> = uses.get(from).into_iter().flatten().copied().collect();
    while let Some(file) = waiting.pop() {
        if reached.insert(file) {
            waiting.extend(uses.get(file).into_iter().flatten());
        }
    }
    reached
}

type Path = Vec<String>;
type Modules = BTreeMap<Path, Module>;

/// What one file says.
struct Module {
    file: String,
    /// Names that it passes on, with where they come from; `*` for all of a module.
    passed_on: Vec<(String, Path)>,
    /// Paths that its code uses, from the root of the crate.
    used: Vec<Path>,
    code: String,
}

impl Module {
    fn read(file: &str, own: Path, code: &str) -> Self {
        let children: BTreeSet<&str> = declared(code);
        let from_root = |path: &[String]| absolute(&own, &children, path);
        let mut module =
            Self { file: file.to_owned(), passed_on: Vec::new(), used: Vec::new(), code: String::new() };
        let mut rest = String::with_capacity(code.len());
        let mut at = 0;
        while let Some((start, end, public)) = next_use(code, at) {
            rest.push_str(&code[at..start]);
            at = end;
            let tree = &code[start..end];
            let tree = tree[tree.find("use ").map_or(0, |at| at + 4)..].trim_end_matches(';');
            for (path, name) in flattened(tree) {
                let Some(path) = from_root(&path) else { continue };
                if public {
                    module.passed_on.push((name, path));
                } else {
                    module.used.push(path);
                }
            }
        }
        rest.push_str(&code[at..]);
        module.used.extend(paths(&rest).iter().filter_map(|path| from_root(path)));
        module.code = rest;
        module
    }

    fn defines(&self, name: &str) -> bool {
        let kinds = ["struct", "enum", "trait", "fn", "const", "static", "type", "union", "mod"];
        self.code.match_indices(name).any(|(at, _)| {
            let (before, after) = (&self.code[..at], &self.code[at + name.len()..]);
            let ends = !after.starts_with(|char: char| char.is_alphanumeric() || char == '_');
            let word =
                before.trim_end().rsplit(|char: char| !char.is_alphanumeric()).next().unwrap_or_default();
            ends && before.ends_with([' ', '\n']) && kinds.contains(&word)
        })
    }
}

/// The file that defines what a path names.
fn target<'a>(modules: &'a Modules, path: &[String], steps: usize) -> Option<&'a str> {
    let depth = (0..=path.len()).rev().find(|&depth| modules.contains_key(&path[..depth]))?;
    let module = &modules[&path[..depth]];
    let Some(name) = path.get(depth).filter(|_| steps < 8) else { return Some(&module.file) };
    if module.defines(name) {
        return Some(&module.file);
    }
    for (passed, from) in &module.passed_on {
        let mut from = from.clone();
        if passed == "*" {
            from.push(name.clone());
        } else if passed != name {
            continue;
        }
        from.extend_from_slice(&path[depth + 1..]);
        let found = target(modules, &from, steps + 1);
        // Of what a `*` passes on, only what stands there.
        let there =
            |file: &&str| modules.values().any(|module| module.file == **file && module.defines(name));
        if passed != "*" || found.as_ref().is_some_and(there) {
            return found;
        }
    }
    Some(&module.file)
}

/// `engine/visit/mod.rs` is the module `engine::visit`; what only tests compile is none.
fn module(below: &str) -> Option<Path> {
    let stem = below.strip_suffix(".rs")?;
    let mut path: Path = stem.split('/').map(str::to_owned).collect();
    if path.iter().any(|part| part == "tests" || part.ends_with("_tests") || part == "documents") {
        return None;
    }
    if path.last().is_some_and(|last| last == "mod" || (last == "lib" && path.len() == 1)) {
        path.pop();
    }
    Some(path)
}

/// A path from the root of the crate; `None` if it leads into another one.
fn absolute(own: &[String], children: &BTreeSet<&str>, path: &[String]) -> Option<Path> {
    let mut base = own.to_vec();
    let mut rest = path;
    match rest.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        "super" => {
            while rest.first().is_some_and(|step| step == "super") {
                base.pop()?;
                rest = &rest[1..];
            }
        }
        child if children.contains(child) => {}
        _ => return None,
    }
    base.extend(rest.iter().filter(|step| *step != "self").cloned());
    Some(base)
}

/// The modules that this file declares.
fn declared(code: &str) -> BTreeSet<&str> {
    let lines = code.lines().filter_map(|line| line.trim().strip_suffix(';'));
    let modules = lines.filter_map(|line| line.rsplit_once("mod "));
    modules
        .filter(|(before, _)| before.is_empty() || before.starts_with("pub"))
        .map(|(_, name)| name)
        .collect()
}

/// Where the next `use …;` begins and ends, and whether it passes its names on.
fn next_use(code: &str, from: usize) -> Option<(usize, usize, bool)> {
    let mut at = from;
    loop {
        let found = at + code[at..].find("use ")?;
        let line = code[..found].rfind('\n').map_or(0, |at| at + 1);
        let before = code[line..found].trim();
        if before.is_empty() || (before.starts_with("pub") && !before.contains(' ')) {
            let end = found + code[found..].find(';')? + 1;
            return Some((line.max(from), end, !before.is_empty()));
        }
        at = found + 4;
    }
}

/// Every path of a tree such as `crate::{a::B, c as d, e::*}`, with the name by which it is known here.
fn flattened(tree: &str) -> Vec<(Path, String)> {
    let tree = tree.trim();
    let Some((before, group)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias)));
        let mut path: Path = path.split("::").map(|step| step.trim().to_owned()).collect();
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name =
            alias.map_or_else(|| path.last().cloned().unwrap_or_default(), |alias| alias.trim().to_owned());
        if name == "*" {
            path.pop();
        }
        return vec![(path, name)];
    };
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for char in group.chars() {
        match char {
            ',' if depth == 0 => parts.push(String::new()),
            _ => {
                depth = if char == '{' { depth + 1 } else { depth - usize::from(char == '}') };
                parts.last_mut().expect("one was there from the beginning").push(char);
            }
        }
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| flattened(&format!("{}{}", before.trim(), part.trim()))).collect()
}

/// The paths in code: a name, `::`, a name and so on.
fn paths(code: &str) -> Vec<Path> {
    let part_of_name = |char: char| char.is_alphanumeric() || char == '_';
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("::") {
        let start = rest[..at].rfind(|char| !part_of_name(char)).map_or(0, |at| at + 1);
        let mut path = vec![rest[start..at].to_owned()];
        let mut tail = &rest[at..];
        while let Some(after) = tail.strip_prefix("::") {
            let end = after.find(|char| !part_of_name(char)).unwrap_or(after.len());
            if end == 0 {
                tail = after;
                break;
            }
            path.push(after[..end].to_owned());
            tail = &after[end..];
        }
        found.push(path);
        rest = tail;
    }
    found
}

const ROOT: &str = "session-core/src/";

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let files: Vec<(String, String)> =
            files.iter().map(|(file, text)| (format!("{ROOT}{file}"), (*text).to_owned())).collect();
        let short = |file: String| file[ROOT.len()..].to_owned();
        circles(&files).into_iter().map(|circle| circle.into_iter().map(short).collect()).collect()
    }

    #[test]
    fn two_files_that_use_each_other_are_a_circle() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\nmod c;"),
            ("a.rs", "use crate::{b::B, c};\npub struct A(B);"),
            ("b.rs", "pub struct B;\nfn f() -> super::a::A { crate::c::g() }"),
            ("c.rs", "use std::fmt;\n#[cfg(test)]\nmod tests {\n use crate::a::A;\n}"),
        ];
        assert_eq!(found(&files), [["a.rs", "b.rs"]]);
    }

    #[test]
    fn a_re_export_is_looked_through() {
        let files = [
            ("lib.rs", "mod ring;\npub use ring::*;"),
            ("ring/mod.rs", "mod a;\nmod b;\npub use a::A;\npub(crate) use self::b::{B, C as D};"),
            ("ring/a.rs", "use super::B;\npub struct A;"),
            ("ring/b.rs", "pub struct B;\npub struct C;"),
        ];
        assert_eq!(found(&files), Vec::<Vec<String>>::new());
        let mut back = files;
        back[3].1 = "use crate::A;\npub struct B;\npub struct C;";
        assert_eq!(found(&back), [["ring/a.rs", "ring/b.rs"]]);
    }

    #[test]
    fn a_module_and_its_child_may_be_a_circle_too() {
        let files = [
            ("a/mod.rs", "mod b;\npub struct A;\nfn f() { b::g() }"),
            ("a/b.rs", "use super::A;\npub fn g() {}"),
        ];
        assert_eq!(found(&files), [["a/b.rs", "a/mod.rs"]]);
    }

    #[test]
    fn every_file_of_a_circle_is_reported_with_the_others() {
        let circle = BTreeSet::from(["a.rs".to_owned(), "b.rs".to_owned()]);
        let expected = [
            Breach::new("a.rs", 1, "on a circle with b.rs"),
            Breach::new("b.rs", 1, "on a circle with a.rs"),
        ];
        assert_eq!(breaches(&[circle]), expected);
        assert_eq!(breaches(&[]), []);
    }
}
