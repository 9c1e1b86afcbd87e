//! Where the repository is and which files belong to it.

use std::env;
use std::path::Path;

use xshell::{Shell, cmd};

use crate::failure::Failure;

/// Goes to the root, so that every path below is relative to it whoever called from wherever.
pub(crate) fn enter() -> Result<(), Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    env::set_current_dir(root)?;
    Ok(())
}

/// Every file that is tracked or would be: ignored ones are nobody's business.
pub(crate) fn files() -> Result<Vec<String>, Failure> {
    let shell = Shell::new()?;
    let list = cmd!(shell, "git ls-files --cached --others --exclude-standard").quiet().read()?;
    Ok(list.lines().filter(|file| Path::new(file).is_file()).map(str::to_owned).collect())
}
