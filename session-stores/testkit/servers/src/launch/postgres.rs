//! Postgres 15: trusted, no fsync (a killed process loses nothing, a lost power supply is not tested), statistics on.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use super::{Place, bound_to, give, run, unprivileged};
use crate::process::User;
use crate::talk;
use crate::{Kind, ServerError};

pub(super) fn prepare(place: &Place<'_>) -> Result<(), ServerError> {
    let user = user();
    give(KIND, place.directory, user.as_ref())?;
    let mut command = bound_to(KIND, "initdb", &[directory()], user.as_ref())?;
    command.arg("-D").arg(place.directory.join("data")).args([
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]);
    run(KIND, "initdb", command, place.directory)
}

pub(super) fn command(place: &Place<'_>) -> Result<Command, ServerError> {
    let mut command = bound_to(KIND, "postgres", &[directory()], user().as_ref())?;
    command.arg("-D").arg(place.directory.join("data")).arg("-p").arg(place.port.to_string());
    command.arg("-k").arg(place.directory);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    Ok(command)
}

pub(super) fn ready(port: u16) -> io::Result<()> {
    match talk::postgres(port, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements") {
        // A standby serves as well, and has what its master had.
        Err(error) if error.to_string().contains(READ_ONLY) => Ok(()),
        answer => answer.map(drop),
    }
}

fn user() -> Option<User> {
    unprivileged(&["postgres", "nobody"])
}

/// Debian keeps the programs of each major version out of the path.
fn directory() -> PathBuf {
    PathBuf::from("/usr/lib/postgresql/15/bin")
}

const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "max_connections=300",
    "shared_buffers=64MB",
    "shared_preload_libraries=pg_stat_statements",
    "pg_stat_statements.track=all",
    // A whole run of tests, each with a table of its own: with the 5,000 that it keeps by itself, counts would be dropped.
    "pg_stat_statements.max=20000",
    "fsync=off",
    // In the data directory, so that a killed server leaves nothing in /dev/shm.
    "dynamic_shared_memory_type=mmap",
];

/// How Postgres numbers that error.
const READ_ONLY: &str = "C25006";

const KIND: Kind = Kind::Postgres;
