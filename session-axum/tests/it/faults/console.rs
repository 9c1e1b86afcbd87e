//! A client of a Redis server for tests: inline commands, and replies as text.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A connection that stays open, whatever becomes of the others.
pub(crate) struct Console(TcpStream);

impl Console {
    pub(crate) fn to(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(stream)
    }

    /// Says it and hears the answer.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.say(command);
        let mut answer = Vec::new();
        while !is_whole(&answer) {
            let mut piece = [0; 4096];
            let length = self.0.read(&mut piece).unwrap();
            assert_ne!(length, 0, "{command}: the server hung up");
            answer.extend_from_slice(&piece[..length]);
        }
        String::from_utf8(answer).unwrap()
    }

    /// Says it, and it is done.
    pub(crate) fn order(&mut self, command: &str) {
        let answer = self.ask(command);
        assert!(!answer.starts_with('-'), "{command}: {answer}");
    }

    pub(crate) fn say(&mut self, command: &str) {
        self.0.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    }
}

/// A line, or a text of the announced length.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(2).position(|pair| pair == b"\r\n") else { return false };
    match answer.strip_prefix(b"$") {
        Some(rest) => {
            let length: usize = std::str::from_utf8(&rest[..end - 1]).unwrap().parse().unwrap();
            answer.len() >= end + 2 + length + 2
        }
        None => true,
    }
}
