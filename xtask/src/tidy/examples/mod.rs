//! Every public item of a published crate shows itself: its documentation has an example that the doctests run.
//!
//! What counts as public is what says `pub`: the compiler refuses one that nobody can reach (`unreachable_pub`).
//!
//! - A function, a method and an exported macro have an example of their own.
//! - A type, a trait or a constant has one of its own, or one of its methods has.
//! - Exempt is what has nothing of its own to show: variants, fields, modules, re-exports, and the methods of a trait and of
//!   its implementations, which the example of the trait shows.
//! - Behind a `#[doc(hidden)]` nobody looks, and [`WITHOUT`] names each exception with its reason.
//!
//! Types are told apart by their names alone: two of one name in one crate would show each other.

mod exceptions;

use std::collections::BTreeSet;
use std::path::Path;

use syn::{Attribute, Expr, Ident, ImplItem, ImplItemFn, Item, Lit, Meta, TraitItem, Visibility};

use super::Breach;
use exceptions::{Exception, WITHOUT};

/// A public item.
struct Shown {
    file: String,
    line: usize,
    /// As a person would look it up: `Session::put`.
    name: String,
    example: bool,
}

/// The public items of published crates that no example shows. `files` are paths with their text.
pub(super) fn check(files: &[(String, String)]) -> Vec<Breach> {
    let (mut breaches, mut bare) = (Vec::new(), Vec::new());
    for home in published(files) {
        let mut items = Vec::new();
        for (file, text) in files.iter().filter(|(file, _)| belongs(file, &home)) {
            match syn::parse_file(text) {
                Ok(tree) => Reader { file, items: &mut items }.items(&tree.items),
                Err(error) => breaches.push(Breach::new(file, error.span().start().line, error.to_string())),
            }
        }
        bare.extend(unshown(items));
    }
    let needless = |exception: &&Exception| !bare.iter().any(|item| exception.is_for(item));
    breaches.extend(WITHOUT.iter().filter(needless).map(|exception| {
        Breach::new(exceptions::FILE, 1, format!("an exception that nobody needs: {}", exception.why))
    }));
    let excused = |item: &Shown| WITHOUT.iter().any(|exception| exception.is_for(item));
    breaches.extend(bare.iter().filter(|item| !excused(item)).map(|item| {
        Breach::new(&item.file, item.line, format!("no example shows `{}`, which is public", item.name))
    }));
    breaches
}

/// The folders of the crates that go to a registry.
fn published(files: &[(String, String)]) -> Vec<String> {
    let manifests = files.iter().filter_map(|(file, text)| Some((file.strip_suffix("/Cargo.toml")?, text)));
    let published =
        manifests.filter(|(_, text)| text.contains("[package]") && !text.contains("publish = false"));
    published.map(|(home, _)| home.to_owned()).collect()
}

/// Whether the crate in this folder compiles this file into its library.
fn belongs(file: &str, home: &str) -> bool {
    let inside = file.strip_prefix(home).and_then(|rest| rest.strip_prefix("/src/"));
    // A module of its own that only tests compile.
    inside.is_some_and(|inside| inside.ends_with(".rs") && !inside.ends_with("tests.rs"))
}

/// Of the items of one crate those without an example.
fn unshown(mut items: Vec<Shown>) -> Vec<Shown> {
    let by_method: BTreeSet<String> = items
        .iter()
        .filter(|item| item.example)
        .filter_map(|item| Some(item.name.split_once("::")?.0.to_owned()))
        .collect();
    items.retain(|item| !item.example && !by_method.contains(&item.name));
    items
}

/// Reads the public items of one file.
struct Reader<'a> {
    file: &'a str,
    items: &'a mut Vec<Shown>,
}

impl Reader<'_> {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            self.item(item);
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Fn(item) => self.public(&item.vis, &item.attrs, &item.sig.ident),
            Item::Struct(item) => self.public(&item.vis, &item.attrs, &item.ident),
            Item::Enum(item) => self.public(&item.vis, &item.attrs, &item.ident),
            Item::Type(item) => self.public(&item.vis, &item.attrs, &item.ident),
            Item::Const(item) => self.public(&item.vis, &item.attrs, &item.ident),
            Item::Static(item) => self.public(&item.vis, &item.attrs, &item.ident),
            Item::Trait(item) => {
                // What a method shows, it shows of its trait.
                let by_method = item.items.iter().any(
                    |item| matches!(item, TraitItem::Fn(method) if has_example(self.file, &method.attrs)),
                );
                if !by_method {
                    self.public(&item.vis, &item.attrs, &item.ident);
                }
            }
            Item::Macro(item) => {
                let exported = item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"));
                if let (true, Some(name)) = (exported, &item.ident) {
                    let public = Visibility::Public(Default::default());
                    self.public(&public, &item.attrs, name);
                }
            }
            Item::Mod(item) if !hidden(&item.attrs) => {
                if let Some((_, items)) = &item.content {
                    self.items(items);
                }
            }
            Item::Impl(item) if item.trait_.is_none() && !hidden(&item.attrs) => {
                let Some(owner) = type_name(&item.self_ty) else { return };
                for item in &item.items {
                    if let ImplItem::Fn(ImplItemFn { vis, attrs, sig, .. }) = item {
                        self.named(vis, attrs, &sig.ident, format!("{owner}::{}", sig.ident));
                    }
                }
            }
            _ => {}
        }
    }

    fn public(&mut self, visibility: &Visibility, attributes: &[Attribute], name: &Ident) {
        self.named(visibility, attributes, name, name.to_string());
    }

    fn named(&mut self, visibility: &Visibility, attributes: &[Attribute], at: &Ident, name: String) {
        if matches!(visibility, Visibility::Public(_)) && !hidden(attributes) {
            let (file, line) = (self.file.to_owned(), at.span().start().line);
            self.items.push(Shown { file, line, name, example: has_example(self.file, attributes) });
        }
    }
}

fn type_name(of: &syn::Type) -> Option<String> {
    let syn::Type::Path(path) = of else { return None };
    Some(path.path.segments.last()?.ident.to_string())
}

/// Behind `#[doc(hidden)]`, or for tests only.
fn hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("doc") => list.tokens.to_string() == "hidden",
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string().replace(' ', "");
            ["test", "doctest"].contains(&condition.as_str()) || condition.starts_with("all(test")
        }
        _ => false,
    })
}

/// Whether the documentation of an item has a block that the doctests compile.
fn has_example(file: &str, attributes: &[Attribute]) -> bool {
    let documentation: String = attributes.iter().filter_map(|attribute| words(file, attribute)).collect();
    runs(&documentation)
}

/// What one `///` line or `#[doc = …]` says; an included file says what stands in it.
fn words(file: &str, attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    if !pair.path.is_ident("doc") {
        return None;
    }
    match &pair.value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(line) => Some(line.value() + "\n"),
            _ => None,
        },
        Expr::Macro(include) if include.mac.path.is_ident("include_str") => {
            let name: syn::LitStr = include.mac.parse_body().ok()?;
            std::fs::read_to_string(Path::new(file).with_file_name(name.value())).ok()
        }
        _ => None,
    }
}

/// Whether a page has a code block that `rustdoc` compiles: every word behind its fence is one of rustdoc's own.
fn runs(documentation: &str) -> bool {
    let mut open = false;
    for line in documentation.lines() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        if open {
            open = false;
            continue;
        }
        open = true;
        if language.split([',', ' ']).all(|word| COMPILED.contains(&word.trim())) {
            return true;
        }
    }
    false
}

/// Not `compile_fail`: what one must not write shows nobody how to use a thing.
const COMPILED: &[&str] = &["", "rust", "no_run", "should_panic", "standalone_crate"];

#[cfg(test)]
mod tests;
