//! MariaDB: root without a password on loopback, an empty database `test`.

use std::fs;
use std::process::Command;

use super::{Place, bound_to, find, give, run, unprivileged};
use crate::error::os;
use crate::process::User;
use crate::{Kind, ServerError};

pub(super) fn prepare(place: &Place<'_>) -> Result<(), ServerError> {
    let user = user();
    give(KIND, place.directory, user.as_ref())?;
    fs::write(place.directory.join("init.sql"), "CREATE DATABASE IF NOT EXISTS test;\n")
        .map_err(os(KIND, "write the first statements"))?;
    let mut command = bound_to(KIND, "mariadb-install-db", &[], user.as_ref())?;
    command
        .env("TMPDIR", place.directory)
        .arg("--no-defaults")
        .arg(format!("--datadir={}", place.directory.join("data").display()))
        .args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
    run(KIND, "mariadb-install-db", command, place.directory)
}

pub(super) fn command(place: &Place<'_>) -> Result<Command, ServerError> {
    let mut command = bound_to(KIND, "env", &[], user().as_ref())?;
    // A test may limit the size of its files: that is to be an error, as a full disk is, and not its end.
    command.arg("--ignore-signal=XFSZ").arg(find(KIND, "mariadbd", &[])?);
    let directory = place.directory.display();
    command
        // A server that starts clears its directory for temporary tables, were it another server's too.
        .env("TMPDIR", place.directory)
        .arg("--no-defaults")
        .arg(format!("--datadir={directory}/data"))
        .arg(format!("--socket={directory}/sock"))
        .arg(format!("--pid-file={directory}/pid"))
        .arg(format!("--init-file={directory}/init.sql"))
        .arg(format!("--port={}", place.port))
        .args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=300"])
        // As Debian configures it.
        .arg("--character-set-server=utf8mb4")
        // To the operating system with each commit, to the disk once a second: a killed process loses nothing.
        .args(["--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=64M", "--skip-log-bin"]);
    Ok(command)
}

fn user() -> Option<User> {
    unprivileged(&["mysql", "nobody"])
}

const KIND: Kind = Kind::MariaDb;
