//! Finds loopback ports that nobody uses, and keeps them claimed across restarts.
//!
//! A port from the kernel (`bind` to port 0) may be taken by any outgoing connection while its server is down
//! between `kill9` and `restart`. Ports are therefore taken from below the kernel's range, and a file lock, which the kernel
//! releases with this process, prevents two test processes from choosing the same one.

use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::BuildHasher;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::ServerError;

/// A port that is reserved until this is dropped: no other test on this machine claims it, and it is below the range
/// of ports that Linux assigns.
#[derive(Debug)]
pub struct Port {
    pub(crate) number: u16,
    /// Its lock is the claim.
    _claim: File,
}

impl Port {
    /// Returns the number.
    ///
    /// ```
    /// # use session_test_servers::claim_port;
    /// assert!(claim_port()?.number() < 32_768);
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }
}

/// Claims a free loopback port, for a server that a test starts itself.
///
/// # Errors
/// [`ServerError::Claim`] if the directory of the claims cannot be written, [`ServerError::NoPort`] if none is free.
///
/// ```
/// use session_test_servers::claim_port;
///
/// let port = claim_port()?;
/// let listener = std::net::TcpListener::bind(("127.0.0.1", port.number()));
/// # drop(listener);
/// # Ok::<(), session_test_servers::ServerError>(())
/// ```
pub fn claim_port() -> Result<Port, ServerError> {
    let directory = directory();
    let failed = |source| ServerError::Claim { directory: directory.clone(), source };
    fs::create_dir_all(&directory).map_err(failed)?;
    let start = RandomState::new().hash_one(std::process::id()) % COUNT;
    for step in 0..COUNT {
        let number = FIRST + u16::try_from((start + step) % COUNT).expect("COUNT fits in a u16");
        let claim = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join(number.to_string()))
            .map_err(failed)?;
        if claim.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok() {
            return Ok(Port { number, _claim: claim });
        }
    }
    Err(ServerError::NoPort)
}

/// One directory per user, because users cannot open each other's files.
fn directory() -> PathBuf {
    let user = fs::metadata("/proc/self").map_or(0, |metadata| metadata.uid());
    std::env::temp_dir().join(format!("session-test-ports-{user}"))
}

/// A node of a Redis cluster also uses the port ten thousand above: outside of this range, and below the kernel's.
const FIRST: u16 = 12_000;
const COUNT: u64 = 10_000;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_claimed_port_is_not_given_twice() {
        let ports: Vec<Port> = (0..50).map(|_| claim_port().unwrap()).collect();
        assert_eq!(ports.iter().map(|port| port.number).collect::<HashSet<_>>().len(), 50);
    }

    #[test]
    fn a_claimed_port_can_be_listened_on() {
        let port = claim_port().unwrap();
        TcpListener::bind(("127.0.0.1", port.number)).unwrap();
    }
}
