//! Runs the criterion benchmarks in `benches/` of each crate, one crate after another.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::repository;
use crate::runner::Call;

pub(crate) fn run(package: Option<&str>, filter: Option<&str>) -> Result<(), Failure> {
    let mut found = benches(&repository::files()?, |manifest| fs::read_to_string(manifest).ok());
    if let Some(package) = package {
        found.retain(|name, _| name == package);
    }
    if found.is_empty() {
        return Err(Failure::new("no crate has such benches"));
    }
    for (package, benches) in found {
        // Named individually: `--benches` would also run every unit test.
        let named = benches.iter().map(|bench| format!("--bench {bench}")).collect::<Vec<_>>().join(" ");
        let mut call = Call::cargo(&format!("bench -p {package} --all-features {named}"));
        if let Some(filter) = filter {
            call = call.args("--").arg(filter);
        }
        println!("\n==> {}", call.line());
        call.run()?;
    }
    Ok(())
}

/// Returns the benchmarks of each package, from the list of files.
fn benches(files: &[String], read: impl Fn(&str) -> Option<String>) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        let Some((folder, bench)) = file.rsplit_once("/benches/") else { continue };
        let Some(bench) = bench.strip_suffix(".rs").filter(|name| !name.contains('/')) else { continue };
        let manifest = Path::new(folder).join("Cargo.toml");
        let name = manifest.to_str().and_then(&read).and_then(|text| package_name(&text));
        if let Some(name) = name {
            found.entry(name).or_default().push(bench.to_owned());
        }
    }
    found
}

/// Returns the first `name` of a manifest, which is the name of the package, because `[package]` comes first in all
/// manifests.
fn package_name(manifest: &str) -> Option<String> {
    let line = manifest.lines().find(|line| line.starts_with("name = "))?;
    Some(line.trim_start_matches("name = ").trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benches_are_found_by_their_files_and_named_by_their_package() {
        let files = ["a/benches/seal.rs", "a/benches/help/mod.rs", "a/src/lib.rs", "b/benches/get.rs"];
        let files: Vec<String> = files.map(str::to_owned).to_vec();
        let read = |manifest: &str| Some(format!("[package]\nname = \"crate-{}\"\n", &manifest[..1]));
        let found = benches(&files, read);
        assert_eq!(found["crate-a"], ["seal"]);
        assert_eq!(found["crate-b"], ["get"]);
    }
}
