//! `cargo xtask one-crate`: checks that the quick start of each adapter compiles with that adapter and its framework
//! as the only dependencies.
//!
//! Doctests cannot check this, because they can use every dependency of their crate. Each README is turned into a
//! separate application, from its first TOML block and its first Rust block, with the Redis store enabled as a user
//! would do.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::runner::Call;

const ADAPTERS: [&str; 3] = ["session-axum", "session-actix", "session-hyper"];
const FEATURE: &str = "redis";

pub(crate) fn run() -> Result<(), Failure> {
    for adapter in ADAPTERS {
        let folder = make(adapter)?;
        let manifest = folder.join("Cargo.toml");
        // In the workspace's target directory, for the dependencies that have the same features here and there.
        let check = Call::cargo("check --quiet --target-dir target --manifest-path");
        check.arg(manifest.to_string_lossy()).run().map_err(|failure| {
            Failure::new(format!("the quick start of {adapter}/README.md is not an application: {failure}"))
        })?;
    }
    println!("{} quick starts compile with their adapter and their framework alone", ADAPTERS.len());
    Ok(())
}

/// Writes the application. Unchanged files are not written, to avoid rebuilds.
fn make(adapter: &str) -> Result<PathBuf, Failure> {
    let readme = fs::read_to_string(format!("{adapter}/README.md"))?;
    let missing =
        |block| Failure::new(format!("{adapter}/README.md has no {block} block for its quick start"));
    let dependencies = block(&readme, "toml").ok_or_else(|| missing("toml"))?;
    let program = block(&readme, "rust").ok_or_else(|| missing("rust"))?;
    let folder = Path::new("target/one-crate/applications").join(adapter);
    fs::create_dir_all(folder.join("src"))?;
    let workspace = fs::read_to_string("Cargo.toml")?;
    write(&folder.join("Cargo.toml"), &manifest(adapter, &dependencies, profiles(&workspace)))?;
    write(&folder.join("src/main.rs"), &shown_and_hidden(&program))?;
    let lock = folder.join("Cargo.lock");
    if !lock.exists() {
        // Use the versions with which the workspace is tested.
        fs::copy("Cargo.lock", lock)?;
    }
    Ok(folder)
}

/// Returns the first fenced block of a language, with any attributes.
fn block(readme: &str, language: &str) -> Option<String> {
    let fence =
        |line: &&str| line.strip_prefix("```").is_some_and(|kind| kind.split(',').next() == Some(language));
    let lines = readme.lines().skip_while(|line| !fence(line)).skip(1).take_while(|line| *line != "```");
    let block: String = lines.map(|line| format!("{line}\n")).collect();
    (!block.is_empty()).then_some(block)
}

/// Returns the profiles of a manifest, its last tables. With other profiles, no dependency could be shared.
fn profiles(manifest: &str) -> &str {
    manifest.find("[profile.").map_or("", |at| &manifest[at..])
}

/// Returns the dependencies from the README, with a path for the adapter.
fn manifest(adapter: &str, dependencies: &str, profiles: &str) -> String {
    let here = format!("{adapter} = {{ path = \"../../../../{adapter}\", features = [\"{FEATURE}\"] }}");
    let own = |line: &str| line.split('=').next().is_some_and(|name| name.trim() == adapter);
    let lines = dependencies.lines().map(|line| if own(line) { here.clone() } else { line.to_owned() });
    let dependencies: String = lines.map(|line| format!("{line}\n")).collect();
    format!(
        "[package]\nname = \"with-{adapter}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         {dependencies}\n[workspace]\n\n{profiles}"
    )
}

/// Returns the lines of a doctest as the compiler sees them, hidden ones included.
fn shown_and_hidden(program: &str) -> String {
    program.lines().map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line))).collect()
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    if fs::read_to_string(file).is_ok_and(|before| before == text) {
        return Ok(());
    }
    Ok(fs::write(file, text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_block_of_a_language_is_taken_whatever_its_attributes() {
        let readme = "x\n```toml\na = 1\n```\n```rust,no_run\nfn main() {}\n```\n```rust\nlater\n```\n";
        assert_eq!(block(readme, "rust").as_deref(), Some("fn main() {}\n"));
        assert_eq!(block(readme, "toml").as_deref(), Some("a = 1\n"));
        assert_eq!(block(readme, "sql"), None);
    }

    #[test]
    fn the_adapter_comes_from_here_and_the_rest_as_the_readme_says() {
        let dependencies = "[dependencies]\naxum = \"0.8\"\nsession-axum = \"0.1\"\n";
        let profiles = profiles("[workspace]\nmembers = []\n\n[profile.dev]\ndebug = true\n");
        let manifest = manifest("session-axum", dependencies, profiles);
        assert!(manifest.contains("\naxum = \"0.8\"\n"), "{manifest}");
        let here = "\nsession-axum = { path = \"../../../../session-axum\", features = [\"redis\"] }\n";
        assert!(manifest.contains(here) && !manifest.contains("0.1\""), "{manifest}");
        assert!(manifest.ends_with("[workspace]\n\n[profile.dev]\ndebug = true\n"), "{manifest}");
    }
}
