//! The crates that go to a registry, read from their manifests.

use serde_json::Value;
use xshell::{Shell, cmd};

use crate::failure::Failure;

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

/// Every member of the workspace that may be published, by name.
pub(crate) fn published() -> Result<Vec<Crate>, Failure> {
    let shell = Shell::new()?;
    let metadata = cmd!(shell, "cargo metadata --format-version 1 --no-deps --locked").quiet().read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut crates: Vec<Crate> = packages.filter_map(|package| read(root, package)).collect();
    crates.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(crates)
}

/// `publish` is null where a manifest says nothing, and an empty list where it says `false`.
fn read(root: &str, package: &Value) -> Option<Crate> {
    if package["publish"].as_array().is_some_and(Vec::is_empty) {
        return None;
    }
    let manifest = package["manifest_path"].as_str()?;
    let folder = manifest.strip_prefix(root)?.strip_prefix('/')?.strip_suffix("/Cargo.toml")?;
    Some(Crate { name: package["name"].as_str()?.to_owned(), folder: folder.to_owned() })
}

/// `-p a -p b`.
pub(crate) fn scope(crates: &[Crate]) -> String {
    crates.iter().map(|each| format!("-p {}", each.name)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_package_is_published_unless_its_manifest_says_otherwise() {
        let package =
            |publish| json!({ "name": "a-b", "manifest_path": "/r/x/a/Cargo.toml", "publish": publish });
        let read_as = |publish| read("/r", &package(publish)).map(|each| (each.identifier(), each.folder));
        assert_eq!(read_as(Value::Null), Some(("a_b".to_owned(), "x/a".to_owned())));
        assert_eq!(read_as(json!(["a-registry"])), Some(("a_b".to_owned(), "x/a".to_owned())));
        assert_eq!(read_as(json!([])), None);
    }
}
