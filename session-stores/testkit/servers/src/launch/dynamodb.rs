//! The DynamoDB emulator `dynoxide`, with its tables in one SQLite file.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Place, bound_to};
use crate::{Kind, ServerError};

pub(super) fn command(place: &Place<'_>) -> Result<Command, ServerError> {
    let mut command = bound_to(Kind::DynamoDb, "dynoxide", &directories(), None)?;
    command
        .args(["--host", "127.0.0.1", "--port", &place.port.to_string(), "--log", "quiet", "--db-path"])
        .arg(place.directory.join("tables.db"));
    Ok(command)
}

/// Where `cargo xtask` puts tools: `$XTASK_TOOLS/bin`, else the workspace's `target/tools/bin`.
fn directories() -> Vec<PathBuf> {
    let named = env::var_os("XTASK_TOOLS").map(|tools| Path::new(&tools).join("bin"));
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).map(|root| root.join("target/tools/bin"));
    named.into_iter().chain(workspace).collect()
}
