//! The measured server: the probe, started on a free port, with its CPU time read from the kernel.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::failure::Failure;

/// A running probe, killed on drop.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts the probe with one worker thread and waits until it listens.
    pub(super) fn start(adapter: &str, store: &str) -> Result<Self, Failure> {
        let mut command = Command::new(PROGRAM);
        command.args(["--adapter", adapter, "--store", store, "--listen", "127.0.0.1:0", "--threads", "1"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().expect("it was asked for");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
        match address {
            Some(address) => Ok(Self { child, address }),
            None => {
                end(&mut child);
                Err(Failure::new(format!("the probe ({adapter}, {store}) said {line:?} and no address")))
            }
        }
    }

    /// Returns the CPU time that all its threads have used, in user and kernel mode.
    ///
    /// Read from `schedstat`, which counts nanoseconds; `/proc/PID/stat` counts ticks of 10 ms.
    pub(super) fn processor_time(&self) -> Result<Duration, Failure> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let books = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += on_processor(&books)
                .ok_or_else(|| Failure::new("this kernel keeps no processor times (schedstat)"))?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // The probe has nothing to save, and may have exited already.
    let _ = child.kill();
    let _ = child.wait();
}

/// The first of the three numbers is the CPU time.
fn on_processor(books: &str) -> Option<u64> {
    books.split_ascii_whitespace().next()?.parse().ok()
}

const PROGRAM: &str = "target/release/probe";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_is_the_time() {
        assert_eq!(on_processor("4711 12 3\n"), Some(4711));
        assert_eq!(on_processor(""), None);
    }
}
