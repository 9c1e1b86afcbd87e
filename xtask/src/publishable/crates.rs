//! The crates that go to a registry, read from their manifests.

use std::fs;

use crate::failure::Failure;
use crate::repository;

/// A publishable crate of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) folder: String,
}

impl Crate {
    /// The name in Rust code and in the names of files that the compiler writes.
    pub(crate) fn identifier(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// Every member without `publish = false`, by name.
pub(crate) fn published() -> Result<Vec<Crate>, Failure> {
    let mut crates = Vec::new();
    for file in repository::files()? {
        let Some(folder) = file.strip_suffix("/Cargo.toml") else { continue };
        crates.extend(read(folder, &fs::read_to_string(&file)?));
    }
    crates.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(crates)
}

fn read(folder: &str, manifest: &str) -> Option<Crate> {
    let (_, package) = manifest.split_once("[package]\n")?;
    let package = package.split("\n[").next().unwrap_or(package);
    if package.lines().any(|line| line == "publish = false") {
        return None;
    }
    let name = package.lines().find_map(|line| line.strip_prefix("name = "))?;
    Some(Crate { name: name.trim_matches('"').to_owned(), folder: folder.to_owned() })
}

/// `-p a -p b`.
pub(crate) fn scope(crates: &[Crate]) -> String {
    crates.iter().map(|each| format!("-p {}", each.name)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_published_unless_it_says_otherwise() {
        let manifest = "[package]\nname = \"a-b\"\nversion = \"1\"\n\n[dependencies]\nname = \"no\"\n";
        let read_as = |manifest| read("x/a", manifest).map(|each| (each.identifier(), each.folder));
        assert_eq!(read_as(manifest), Some(("a_b".to_owned(), "x/a".to_owned())));
        assert_eq!(read_as("[package]\nname = \"a\"\npublish = false\n"), None);
        assert_eq!(read_as("[workspace]\nmembers = []\n"), None);
    }
}
