//! Memcached: 64 MB, loopback, TCP alone.

use std::process::Command;

use super::{Place, bound_to, unprivileged};
use crate::{Kind, ServerError};

pub(super) fn command(place: &Place<'_>) -> Result<Command, ServerError> {
    let user = unprivileged(&["memcache", "nobody"]);
    let mut command = bound_to(Kind::Memcached, "memcached", &[], user.as_ref())?;
    command.args(["-l", "127.0.0.1", "-p", &place.port.to_string(), "-U", "0", "-m", "64", "-c", "2048"]);
    Ok(command)
}
