//! The root of the repository and its files.

use std::env;
use std::path::Path;

use xshell::{Shell, cmd};

use crate::failure::Failure;

/// Changes to the root, so that all paths are relative to it.
pub(crate) fn enter() -> Result<(), Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    env::set_current_dir(root)?;
    Ok(())
}

/// Returns all files that are tracked or not ignored.
pub(crate) fn files() -> Result<Vec<String>, Failure> {
    let shell = Shell::new()?;
    let list = cmd!(shell, "git ls-files --cached --others --exclude-standard").quiet().read()?;
    Ok(list.lines().filter(|file| Path::new(file).is_file()).map(str::to_owned).collect())
}
