//! Starts all servers of the tests in parallel, in the background.

use std::thread::{self, JoinHandle};

use session_test_servers::{Kind, Server, start};

use crate::failure::Failure;
use crate::packages::{self, DYNOXIDE, GECKODRIVER, Package};

/// Servers that are being installed and started. Drop waits for the installation and stops them, because interrupting
/// the package manager would be worse than waiting.
pub(crate) struct Starting {
    threads: Vec<JoinHandle<Result<Vec<Server>, Failure>>>,
}

/// Running servers, stopped on drop.
pub(crate) struct Running {
    pub(crate) servers: Vec<Server>,
}

impl Starting {
    /// Installs the packages, then starts servers of these kinds in parallel. `browser` asks for the driver that no
    /// package has.
    pub(crate) fn begin(kinds: &[Kind], install: Vec<Package>, browser: bool) -> Self {
        let (emulated, packaged): (Vec<Kind>, Vec<Kind>) =
            kinds.iter().partition(|&&kind| kind == Kind::DynamoDb);
        let mut threads = vec![thread::spawn(move || {
            packages::install(&install)?;
            start_all(&packaged)
        })];
        // These builds take minutes, so they run beside everything else, but one after the other.
        threads.push(thread::spawn(move || {
            if browser {
                GECKODRIVER.install()?;
            }
            if emulated.is_empty() {
                return Ok(Vec::new());
            }
            DYNOXIDE.install()?;
            start_all(&emulated)
        }));
        Self { threads }
    }

    /// Waits until all servers are ready.
    pub(crate) fn wait(mut self) -> Result<Running, Failure> {
        let mut servers = Vec::new();
        for thread in std::mem::take(&mut self.threads) {
            servers.extend(thread.join().map_err(|_| Failure::new("starting a server panicked"))??);
        }
        servers.sort_by_key(|server| Kind::ALL.iter().position(|&kind| kind == server.kind()));
        Ok(Running { servers })
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        // Waits for the package manager only; the builds are killed with this process.
        if !self.threads.is_empty() {
            drop(self.threads.remove(0).join());
        }
    }
}

impl Running {
    /// Returns the environment variables with the addresses for the tests.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        self.servers.iter().flat_map(Server::env).collect()
    }
}

fn start_all(kinds: &[Kind]) -> Result<Vec<Server>, Failure> {
    let threads: Vec<_> = kinds.iter().map(|&kind| thread::spawn(move || start(kind))).collect();
    threads
        .into_iter()
        .map(|thread| Ok(thread.join().map_err(|_| Failure::new("starting a server panicked"))??))
        .collect()
}
