//! The oldest compiler that each crate states is enough for what it depends on.
//!
//! Read from the manifests of the dependencies, for the crate without optional features; what all features need is printed.
//! That our own code keeps to it is clippy's `incompatible_msrv`, which `test` runs with warnings denied. Where rustup has
//! a stated toolchain, the crates that state it are compiled with it as well; this stage installs none.

use std::collections::BTreeMap;

use xshell::{Shell, cmd};

use super::crates::Crate;
use crate::failure::Failure;
use crate::runner::Call;

/// A version of the compiler.
type Version = (u32, u32, u32);

/// By name and version of a package, as `cargo tree` prints them: `serde v1.0.0`.
type Stated = BTreeMap<String, Version>;

pub(super) fn check(crates: &[Crate]) -> Result<(), Failure> {
    let shell = Shell::new()?;
    let stated = stated(&cmd!(shell, "cargo metadata --format-version 1 --locked").quiet().read()?)?;
    let mut wrong = Vec::new();
    for Crate { name, .. } in crates {
        let tree = |features: &[&str]| {
            let command =
                cmd!(shell, "cargo tree --locked --package {name} --edges normal,build {features...}");
            command.args(["--prefix", "none", "--format", "{p}"]).quiet().read()
        };
        let own = stated.iter().find(|(package, _)| package.split(' ').next() == Some(name.as_str()));
        let Some((_, &own)) = own else {
            wrong.push(format!("{name} states no rust-version"));
            continue;
        };
        let (bare, full) = (tree(&[])?, tree(&["--all-features"])?);
        if let Some((package, needed)) = newest(&bare, &stated).filter(|(_, needed)| *needed > own) {
            wrong.push(format!("{name} states {}, but {package} needs {}", shown(own), shown(needed)));
        }
        match newest(&full, &stated).filter(|(_, needed)| *needed > own) {
            Some((package, needed)) => {
                println!("{name}: {}, with all features {} ({package})", shown(own), shown(needed));
            }
            None => println!("{name}: {}", shown(own)),
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::new(wrong.join("\n")));
    }
    let installed = cmd!(shell, "rustup toolchain list").quiet().ignore_stderr().read().unwrap_or_default();
    for (version, crates) in by_version(crates, &stated) {
        match toolchain(&installed, version) {
            Some(toolchain) => {
                println!("compiling with {toolchain}: {}", crates.join(", "));
                let scope: String = crates.iter().map(|name| format!(" -p {name}")).collect();
                let words =
                    format!("+{toolchain} check --quiet --locked --lib{scope} --target-dir target/msrv");
                Call::cargo(&words).run()?;
            }
            None => {
                let names = crates.join(", ");
                println!("NOT COMPILED with {}, which rustup does not have: {names}", shown(version));
            }
        }
    }
    Ok(())
}

/// The crates that state each version.
fn by_version<'a>(crates: &'a [Crate], stated: &Stated) -> BTreeMap<Version, Vec<&'a str>> {
    let mut by_version: BTreeMap<Version, Vec<&str>> = BTreeMap::new();
    for Crate { name, .. } in crates {
        let own = stated.iter().find(|(package, _)| package.split(' ').next() == Some(name.as_str()));
        if let Some((_, version)) = own {
            by_version.entry(*version).or_default().push(name);
        }
    }
    by_version
}

/// The toolchain of this version, if rustup lists one.
fn toolchain(installed: &str, (major, minor, patch): Version) -> Option<&str> {
    let exact = format!("{major}.{minor}.{patch}-");
    let short = format!("{major}.{minor}-");
    let names = installed.lines().filter_map(|line| line.split_whitespace().next());
    names.into_iter().find(|name| name.starts_with(&exact) || patch == 0 && name.starts_with(&short))
}

/// What every package states.
fn stated(metadata: &str) -> Result<Stated, Failure> {
    let metadata: serde_json::Value = serde_json::from_str(metadata)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let stated = packages.filter_map(|package| {
        let text = |field: &str| package[field].as_str();
        let version = version(text("rust_version")?)?;
        Some((format!("{} v{}", text("name")?, text("version")?), version))
    });
    Ok(stated.collect())
}

/// The dependency that wants the newest compiler.
fn newest<'a>(tree: &'a str, stated: &Stated) -> Option<(&'a str, Version)> {
    let packages = tree.lines().map(|line| line.split(" (").next().unwrap_or(line));
    packages.filter_map(|package| Some((package, *stated.get(package)?))).max_by_key(|(_, version)| *version)
}

fn version(text: &str) -> Option<Version> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next().unwrap_or(Some(0))?, parts.next().unwrap_or(Some(0))?))
}

fn shown((major, minor, patch): Version) -> String {
    if patch == 0 { format!("{major}.{minor}") } else { format!("{major}.{minor}.{patch}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_need_of_a_tree_is_found() {
        let metadata = r#"{"packages": [
            {"name": "a", "version": "1.0.0", "rust_version": "1.85"},
            {"name": "b", "version": "2.0.0", "rust_version": "1.90.1"},
            {"name": "c", "version": "3.0.0", "rust_version": null}]}"#;
        let stated = stated(metadata).unwrap();
        let tree = "own v0.1.0 (/x)\na v1.0.0\nb v2.0.0 (proc-macro)\nc v3.0.0 (*)\n";
        assert_eq!(newest(tree, &stated), Some(("b v2.0.0", (1, 90, 1))));
        assert_eq!(newest("own v0.1.0 (/x)\n", &stated), None);
    }

    #[test]
    fn a_stated_toolchain_is_found_among_those_of_rustup() {
        let installed =
            "stable-x86_64-unknown-linux-gnu (default)\n1.89-x86_64-unknown-linux-gnu\n1.95.0-x86_64-a\n";
        assert_eq!(toolchain(installed, (1, 89, 0)), Some("1.89-x86_64-unknown-linux-gnu"));
        assert_eq!(toolchain(installed, (1, 95, 0)), Some("1.95.0-x86_64-a"));
        assert_eq!(toolchain(installed, (1, 95, 1)), None);
        assert_eq!(toolchain(installed, (1, 9, 0)), None);
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(version("1.94.1") > version("1.94") && version("1.9") < version("1.89"));
        assert_eq!((shown((1, 89, 0)), shown((1, 94, 1))), ("1.89".to_owned(), "1.94.1".to_owned()));
    }
}
