//! What a registry and the documentation host read: the fields of the manifests, and the pages with all features.

use std::fs;
use std::path::Path;

use serde_json::Value;
use xshell::{Shell, cmd};

use super::crates::Crate;
use super::rustdoc;
use crate::failure::Failure;

pub(super) fn check(crates: &[Crate]) -> Result<(), Failure> {
    let shell = Shell::new()?;
    let metadata = cmd!(shell, "cargo metadata --format-version 1 --no-deps --locked").quiet().read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut wrong = Vec::new();
    for each in crates {
        match packages.iter().find(|package| package["name"] == each.name.as_str()) {
            Some(package) => wrong.extend(judge(package, Path::new(&each.folder))),
            None => wrong.push(format!("{} is not a member of the workspace", each.name)),
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::new(wrong.join("\n")));
    }
    rustdoc::as_hosted()?;
    for each in crates {
        let package = packages.iter().find(|package| package["name"] == each.name.as_str());
        let optional = package.is_some_and(|package| has_features(&package["features"]));
        let pages = Path::new(rustdoc::PAGES).join(each.identifier());
        match (optional, says_feature(&pages)?) {
            (true, false) => wrong.push(format!("no page of {} says which feature an item needs", each.name)),
            (_, true) => println!("{}: pages say which features their items need", each.name),
            (false, false) => println!("{}: no item needs a feature", each.name),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::new(wrong.join("\n"))) }
}

/// What is missing or wrong in a manifest.
fn judge(package: &Value, folder: &Path) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let text = |field: &str| package[field].as_str().unwrap_or_default();
    let words = |field: &str| -> Vec<&str> {
        package[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let hosted = &package["metadata"]["docs"]["rs"];
    let configured =
        hosted["rustdoc-args"].as_array().is_some_and(|arguments| arguments.contains(&"docsrs".into()));
    let keyword = |word: &&str| {
        word.len() <= 20
            && word.starts_with(|char: char| char.is_ascii_alphanumeric())
            && word.chars().all(|char| char.is_ascii_alphanumeric() || "-_+".contains(char))
    };
    let library = fs::read_to_string(folder.join("src/lib.rs")).unwrap_or_default();
    let rules = [
        (!text("description").is_empty(), "has no description"),
        (text("license") == "MIT OR Apache-2.0", "has another licence than the project"),
        (!text("rust_version").is_empty(), "states no rust-version"),
        (folder.join(text("readme")).is_file() && !text("readme").is_empty(), "has no README"),
        (
            ["LICENSE-MIT", "LICENSE-APACHE"].iter().all(|file| folder.join(file).is_file()),
            "has no licence files",
        ),
        ((1..=5).contains(&words("keywords").len()), "has no keywords, or more than five"),
        (words("keywords").iter().all(keyword), "has a keyword that a registry refuses"),
        ((1..=5).contains(&words("categories").len()), "has no categories, or more than five"),
        (
            words("categories").iter().all(|slug| CATEGORIES.contains(slug)),
            "has a category that is not in metadata.rs",
        ),
        (hosted["all-features"] == true, "does not show all features on the documentation host"),
        (configured, "is not documented with `--cfg docsrs`"),
        (
            library.contains("#![cfg_attr(docsrs, feature(doc_cfg))]"),
            "does not use `doc_cfg` on the documentation host",
        ),
    ];
    rules.into_iter().filter(|(kept, _)| !kept).map(|(_, wrong)| format!("{name} {wrong}")).collect()
}

/// Whether there is a feature that is not the default.
fn has_features(features: &Value) -> bool {
    let names = features.as_object().into_iter().flatten();
    names.filter(|(name, _)| *name != "default").count() > 0
}

/// Whether a page below this folder says that an item needs a feature.
fn says_feature(folder: &Path) -> Result<bool, Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let says = if path.is_dir() {
            says_feature(&path)?
        } else {
            path.extension().is_some_and(|extension| extension == "html")
                && fs::read_to_string(&path)?.contains("Available on <strong>crate feature")
        };
        if says {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The registry's names of what these crates are for.
const CATEGORIES: &[&str] = &[
    "asynchronous",
    "authentication",
    "caching",
    "config",
    "database",
    "development-tools::profiling",
    "development-tools::testing",
    "filesystem",
    "parser-implementations",
    "web-programming",
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package() -> Value {
        json!({
            "name": "session-core",
            "description": "Sessions.",
            "license": "MIT OR Apache-2.0",
            "rust_version": "1.89",
            "readme": "README.md",
            "keywords": ["session", "sans-io"],
            "categories": ["web-programming"],
            "metadata": { "docs": { "rs": { "all-features": true, "rustdoc-args": ["--cfg", "docsrs"] } } },
        })
    }

    #[test]
    fn each_missing_field_is_named() {
        let folder = Path::new("../session-core");
        assert_eq!(judge(&package(), folder), [""; 0]);
        let mut worse = package();
        worse["description"] = Value::Null;
        worse["keywords"] = json!(["two words"]);
        worse["metadata"] = Value::Null;
        let wrong = judge(&worse, folder);
        assert_eq!(
            wrong,
            [
                "session-core has no description",
                "session-core has a keyword that a registry refuses",
                "session-core does not show all features on the documentation host",
                "session-core is not documented with `--cfg docsrs`",
            ]
        );
        assert!(
            judge(&package(), Path::new("/no/folder")).contains(&"session-core has no README".to_owned())
        );
    }

    #[test]
    fn the_default_alone_is_no_feature() {
        assert!(
            !has_features(&json!({ "default": [] })) && has_features(&json!({ "default": [], "tls": [] }))
        );
    }
}
