//! Every server of the tests, started side by side while something else goes on.

use std::thread::{self, JoinHandle};

use session_test_servers::{Kind, Server, start};

use crate::failure::Failure;
use crate::packages;

/// Servers that are being installed and started. Dropped early, it waits and stops them: an interrupted package manager
/// is worse than a minute.
pub(crate) struct Starting {
    threads: Vec<JoinHandle<Result<Vec<Server>, Failure>>>,
}

/// Servers that answer; dropping it stops them.
pub(crate) struct Running {
    pub(crate) servers: Vec<Server>,
}

impl Starting {
    /// Begins with these kinds: installs what is given, then starts them all at once.
    pub(crate) fn begin(kinds: &[Kind], install: Vec<packages::Package>) -> Self {
        let (emulated, packaged): (Vec<Kind>, Vec<Kind>) =
            kinds.iter().partition(|&&kind| kind == Kind::DynamoDb);
        let mut threads = vec![thread::spawn(move || {
            packages::install(&install)?;
            start_all(&packaged)
        })];
        if !emulated.is_empty() {
            // Minutes of building: beside everything else, from the very beginning.
            threads.push(thread::spawn(move || {
                packages::install_dynoxide()?;
                start_all(&emulated)
            }));
        }
        Self { threads }
    }

    /// Waits until all of them answer.
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
        // The package manager's thread only; the emulator's build ends with this process.
        if !self.threads.is_empty() {
            drop(self.threads.remove(0).join());
        }
    }
}

impl Running {
    /// What the tests read their addresses from.
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
