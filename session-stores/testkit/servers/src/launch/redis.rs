//! Redis, alone and as a cluster of three masters and three replicas. Nothing is kept on disk.

use std::io;
use std::process::Command;

use super::{Place, bound_to, find, said};
use crate::error::os;
use crate::talk;
use crate::{Kind, ServerError};

pub(super) const CLUSTER_NODES: usize = 6;

pub(super) fn command(place: &Place<'_>, cluster: bool) -> Result<Command, ServerError> {
    let kind = if cluster { Kind::RedisCluster } else { Kind::Redis };
    let port = place.port.to_string();
    let mut command = bound_to(kind, "redis-server", &[], None)?;
    command
        .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
        .arg(place.directory)
        // Faults are made with DEBUG SLEEP.
        .args(["--enable-debug-command", "local", "--maxclients", "2000"]);
    if cluster {
        command.args(["--cluster-enabled", "yes", "--cluster-node-timeout", "3000"]);
        command.args(["--repl-diskless-sync-delay", "0"]);
    }
    Ok(command)
}

pub(super) fn ready(port: u16) -> io::Result<()> {
    // A replica that still waits for its master answers PING with an error, but it serves.
    talk::redis(port, "PING").map(drop)
}

pub(super) fn unite(ports: &[u16]) -> Result<(), ServerError> {
    let kind = Kind::RedisCluster;
    let nodes = ports.iter().map(|port| format!("127.0.0.1:{port}"));
    let output = Command::new(find(kind, "redis-cli", &[])?)
        .args(["--cluster", "create"])
        .args(nodes)
        .args(["--cluster-replicas", "1", "--cluster-yes"])
        .output()
        .map_err(os(kind, "run redis-cli"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(ServerError::Prepare { kind, program: "redis-cli", said: said(&output) })
}

/// Every node says that the cluster is whole, and every replica is linked: the first comes before the second.
pub(super) fn united(ports: &[u16]) -> io::Result<()> {
    for &port in ports {
        if !talk::redis(port, "CLUSTER INFO")?.contains("cluster_state:ok") {
            return Err(io::Error::other("the cluster is not whole"));
        }
        let replication = talk::redis(port, "INFO replication")?;
        if replication.contains("role:slave") && !replication.contains("master_link_status:up") {
            return Err(io::Error::other("a replica is not linked"));
        }
    }
    Ok(())
}
