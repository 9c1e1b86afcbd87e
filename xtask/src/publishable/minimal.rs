//! The crates compile with the oldest versions that their manifests allow of what they depend on directly.
//!
//! The lock file of a copy of the repository is written anew with those versions; ours stays as it is. Only cargo's resolver
//! is asked for something unstable; what is compiled, is compiled as by anybody.

use std::fs;
use std::path::Path;

use super::crates::{Crate, scope};
use crate::failure::Failure;
use crate::repository;
use crate::runner::Call;

pub(super) fn check(crates: &[Crate]) -> Result<(), Failure> {
    copy()?;
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
fn copy() -> Result<(), Failure> {
    for file in repository::files()? {
        let copy = Path::new(COPY).join(&file);
        let bytes = fs::read(&file)?;
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

const COPY: &str = "target/minimal/repository";
