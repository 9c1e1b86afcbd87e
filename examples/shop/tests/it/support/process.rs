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
    /// The lines before that.
    pub(crate) heard: Vec<String>,
}

impl Process {
    /// Starts it and reads its output until the word after `mark`, which begins with a digit.
    pub(crate) fn start(mut command: Command, mark: &str, advice: &str) -> Self {
        let mut child = spawn(command.stdout(Stdio::piped()), advice);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut heard = Vec::new();
        let said = lines.by_ref().map_while(Result::ok).find_map(|line| {
            match line.split_once(mark).filter(|(_, rest)| rest.starts_with(char::is_numeric)) {
                Some((_, rest)) => {
                    Some(rest.split(' ').next().unwrap_or(rest).trim_end_matches('.').to_owned())
                }
                None => {
                    heard.push(line);
                    None
                }
            }
        });
        // Whatever it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let said = said.unwrap_or_else(|| panic!("{:?} ended before it listened", command.get_program()));
        Self { child, said, heard }
    }

    /// Starts one that is told its port, says nothing, and listens some time later.
    pub(crate) fn start_on(port: u16, mut command: Command, advice: &str) -> Self {
        let child = spawn(command.stdout(Stdio::null()), advice);
        let mut this = Self { child, said: port.to_string(), heard: Vec::new() };
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
