//! A measured server, started on a free port, and CPU times read from the kernel.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::subject::Subject;
use crate::failure::Failure;

/// A running server, killed on drop.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts it with one worker thread and waits until it listens.
    pub(super) fn start(subject: &Subject) -> Result<Self, Failure> {
        let mut command = Command::new(&subject.program);
        command.args(&subject.arguments).args(["--listen", "127.0.0.1:0"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().expect("it was asked for");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
        match address {
            Some(address) => Ok(Self { child, address }),
            None => {
                end(&mut child);
                let Subject { library, store, .. } = subject;
                Err(Failure::new(format!(
                    "the server of {library} with {store} printed {line:?} and no address"
                )))
            }
        }
    }

    /// Returns the CPU time that it has used so far.
    pub(super) fn processor_time(&self) -> Result<Duration, Failure> {
        processor_time(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Returns the CPU time that all threads of a process have used, in user and kernel mode.
///
/// Read from `schedstat`, which counts nanoseconds; `/proc/PID/stat` counts ticks of 10 ms.
pub(super) fn processor_time(process: u32) -> Result<Duration, Failure> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let books = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += on_processor(&books)
            .ok_or_else(|| Failure::new("this kernel keeps no processor times (schedstat)"))?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

fn end(child: &mut Child) {
    // The server has nothing to save, and may have exited already.
    let _ = child.kill();
    let _ = child.wait();
}

/// The first of the three numbers is the CPU time.
fn on_processor(books: &str) -> Option<u64> {
    books.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_is_the_time() {
        assert_eq!(on_processor("4711 12 3\n"), Some(4711));
        assert_eq!(on_processor(""), None);
    }
}
