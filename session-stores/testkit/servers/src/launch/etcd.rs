//! One etcd member, a cluster of itself, that keeps its data in its directory.

use std::process::Command;

use super::{Place, bound_to};
use crate::{Kind, ServerError};

pub(super) fn command(place: &Place<'_>) -> Result<Command, ServerError> {
    let clients = format!("http://127.0.0.1:{}", place.port);
    let mut command = bound_to(Kind::Etcd, "etcd", &[], None)?;
    command
        .arg("--data-dir")
        .arg(place.directory.join("data"))
        .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
        // A member without peers: it listens for them on a port that nobody knows.
        .args(["--listen-peer-urls", "http://127.0.0.1:0", "--initial-advertise-peer-urls", NOWHERE])
        .args(["--initial-cluster", &format!("default={NOWHERE}")])
        // A killed process loses nothing; a power cut is not tested. Old revisions go, as in production.
        .args([
            "--unsafe-no-fsync",
            "--auto-compaction-mode",
            "revision",
            "--auto-compaction-retention",
            "1000",
        ]);
    Ok(command)
}

const NOWHERE: &str = "http://127.0.0.1:1";
