//! The child processes of the browser tests: the shop, the drivers, and a screen.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child process that listens somewhere, and is killed by its id when this is dropped.
pub(crate) struct Process {
    child: Child,
    /// Where it listens, as far as it says so: an address, a port, a display.
    pub(crate) said: String,
}

impl Process {
    /// Starts it and reads its output until the word after `mark`, which begins with a digit.
    pub(crate) fn start(mut command: Command, mark: &str, advice: &str) -> Self {
        let mut child = spawn(command.stdout(Stdio::piped()), advice);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once(mark).filter(|(_, rest)| rest.starts_with(char::is_numeric))?;
            Some(rest.split(' ').next().unwrap_or(rest).trim_end_matches('.').to_owned())
        });
        // Whatever it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let said = said.unwrap_or_else(|| panic!("{:?} ended before it listened", command.get_program()));
        Self { child, said }
    }

    /// Starts one that is told its port, says nothing, and listens some time later.
    pub(crate) fn start_on(port: u16, mut command: Command, advice: &str) -> Self {
        let mut this = Self { child: spawn(command.stdout(Stdio::null()), advice), said: port.to_string() };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = this.child.try_wait().unwrap();
            assert!(ended.is_none(), "{:?} ended before it listened", command.get_program());
            assert!(begun.elapsed() < PATIENCE, "{:?} does not listen", command.get_program());
            std::thread::sleep(Duration::from_millis(20));
        }
        this
    }
}

fn spawn(command: &mut Command, advice: &str) -> Child {
    command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{:?} does not start ({error}): {advice}", command.get_program()))
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
