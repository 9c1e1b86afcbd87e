//! The crates compile with the oldest versions that their manifests allow of what they depend on directly.
//!
//! The lock file of a copy of the repository is written anew with those versions; ours stays as it is. Only cargo's resolver
//! is asked for something unstable; what is compiled, is compiled as by anybody.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::crates::{Crate, scope};
use crate::failure::Failure;
use crate::repository;
use crate::runner::Call;

pub(super) fn check(crates: &[Crate]) -> Result<(), Failure> {
    let files: BTreeSet<PathBuf> = repository::files()?.into_iter().map(PathBuf::from).collect();
    prune(Path::new(COPY), &files)?;
    copy(&files)?;
    let manifest = format!("--manifest-path {COPY}/Cargo.toml");
    Call::cargo(&format!("update --quiet -Z direct-minimal-versions {manifest}"))
        .env("RUSTC_BOOTSTRAP", "1")
        .run()?;
    let scope = scope(crates);
    Call::cargo(&format!(
        "check --quiet --all-features {scope} {manifest} --target-dir target/minimal/target"
    ))
    .run()
}

/// Every file of the repository, below a folder of its own; a file that is the same keeps its time.
fn copy(files: &BTreeSet<PathBuf>) -> Result<(), Failure> {
    for file in files {
        let copy = Path::new(COPY).join(file);
        let bytes = fs::read(file)?;
        if fs::read(&copy).is_ok_and(|there| there == bytes) {
            continue;
        }
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(copy, bytes)?;
    }
    Ok(())
}

/// Removes from the copy what the repository no longer has: cargo finds programs and members by their files.
fn prune(folder: &Path, files: &BTreeSet<PathBuf>) -> Result<(), Failure> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            prune(&path, files)?;
            if fs::read_dir(&path)?.next().is_none() {
                fs::remove_dir(&path)?;
            }
        } else if path.strip_prefix(COPY).is_ok_and(|file| !files.contains(file)) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

const COPY: &str = "target/minimal/repository";
