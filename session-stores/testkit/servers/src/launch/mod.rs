//! What is particular to each server: how it is prepared, started, found ready and asked to stop.

mod dynamodb;
mod etcd;
mod mariadb;
mod memcached;
mod postgres;
mod redis;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::error::os;
use crate::process::{User, bound, spawn};
use crate::{Kind, ServerError};

/// One process to be: its directory and its port.
pub(crate) struct Place<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) port: u16,
}

/// How many processes make one server of this kind.
pub(crate) fn nodes(kind: Kind) -> usize {
    match kind {
        Kind::Redis | Kind::Postgres | Kind::MariaDb | Kind::DynamoDb | Kind::Memcached | Kind::Etcd => 1,
        Kind::RedisCluster => redis::CLUSTER_NODES,
    }
}

/// Fills the data directory, once.
pub(crate) fn prepare(kind: Kind, place: &Place<'_>) -> Result<(), ServerError> {
    match kind {
        Kind::Redis | Kind::RedisCluster | Kind::DynamoDb | Kind::Memcached | Kind::Etcd => Ok(()),
        Kind::Postgres => postgres::prepare(place),
        Kind::MariaDb => mariadb::prepare(place),
    }
}

/// The command that serves in the foreground.
pub(crate) fn command(kind: Kind, place: &Place<'_>) -> Result<Command, ServerError> {
    match kind {
        Kind::Redis => redis::command(place, false),
        Kind::RedisCluster => redis::command(place, true),
        Kind::Postgres => postgres::command(place),
        Kind::MariaDb => mariadb::command(place),
        Kind::DynamoDb => dynamodb::command(place),
        Kind::Memcached => memcached::command(place),
        Kind::Etcd => etcd::command(place),
    }
}

/// Asks one process whether it serves.
pub(crate) fn ready(kind: Kind, port: u16) -> io::Result<()> {
    match kind {
        Kind::Redis | Kind::RedisCluster => redis::ready(port),
        Kind::Postgres => postgres::ready(port),
        Kind::MariaDb => crate::talk::mysql(port),
        Kind::DynamoDb => crate::talk::http(port).map(drop),
        Kind::Memcached => crate::talk::memcached(port),
        Kind::Etcd => crate::talk::etcd(port),
    }
}

/// Once, when all processes serve: makes one server of them.
pub(crate) fn unite(kind: Kind, ports: &[u16]) -> Result<(), ServerError> {
    match kind {
        Kind::RedisCluster => redis::unite(ports),
        Kind::Redis | Kind::Postgres | Kind::MariaDb | Kind::DynamoDb | Kind::Memcached | Kind::Etcd => {
            Ok(())
        }
    }
}

/// Asks whether the processes together serve.
pub(crate) fn united(kind: Kind, ports: &[u16]) -> io::Result<()> {
    match kind {
        Kind::RedisCluster => redis::united(ports),
        Kind::Redis | Kind::Postgres | Kind::MariaDb | Kind::DynamoDb | Kind::Memcached | Kind::Etcd => {
            Ok(())
        }
    }
}

/// The signal that means: end now, in order, whoever is connected.
pub(crate) fn stop_signal(kind: Kind) -> &'static str {
    match kind {
        // Postgres waits for its clients on TERM.
        Kind::Postgres => "INT",
        Kind::Redis | Kind::RedisCluster | Kind::MariaDb | Kind::DynamoDb | Kind::Memcached | Kind::Etcd => {
            "TERM"
        }
    }
}

/// The user that a server which refuses root runs as: none if we are not root ourselves.
fn unprivileged(names: &[&str]) -> Option<User> {
    let root = fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    if root { User::first_of(names) } else { None }
}

/// Gives a directory to the user who will write there.
fn give(kind: Kind, directory: &Path, user: Option<&User>) -> Result<(), ServerError> {
    let Some(user) = user else { return Ok(()) };
    chown(directory, Some(user.uid), Some(user.gid)).map_err(os(kind, "give the directory away"))
}

/// Runs a preparing program to its end.
fn run(kind: Kind, program: &'static str, mut command: Command, directory: &Path) -> Result<(), ServerError> {
    let log = directory.join(format!("{program}.log"));
    let file = File::create(&log).map_err(os(kind, "create a log"))?;
    command.stderr(file.try_clone().map_err(os(kind, "create a log"))?).stdout(file).current_dir(directory);
    let mut child = spawn(command).map_err(|source| started(kind, source))?;
    let status = child.wait().map_err(os(kind, "wait"))?;
    if status.success() { Ok(()) } else { Err(ServerError::Prepare { kind, program, said: tail(&log) }) }
}

/// What it means that a process did not start.
pub(crate) fn started(kind: Kind, source: io::Error) -> ServerError {
    match source.kind() {
        io::ErrorKind::NotFound => ServerError::MissingTool { binary: "setpriv", package: "util-linux" },
        _ => ServerError::Os { kind, doing: "start a process", source },
    }
}

/// The last lines of a log: enough of them to reach beyond the advice that `mariadb-install-db` ends with.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn find(kind: Kind, binary: &'static str, directories: &[PathBuf]) -> Result<PathBuf, ServerError> {
    crate::process::find(binary, directories).ok_or(ServerError::Missing { kind, binary })
}

/// A command for this binary that ends with us, as that user.
fn bound_to(
    kind: Kind,
    binary: &'static str,
    directories: &[PathBuf],
    user: Option<&User>,
) -> Result<Command, ServerError> {
    Ok(bound(&find(kind, binary, directories)?, user))
}
