//! Redis processes with arguments other than those of the shared servers.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use session_test_servers::{Port, claim_port};

/// A process that is killed with its value.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = (self.0.kill(), self.0.wait());
    }
}

/// A port that nobody else gets as long as the value is there.
pub(crate) fn port() -> Port {
    claim_port().unwrap()
}

/// Starts a server with these further arguments, or with the one word `sentinel` a sentinel by its file in the directory.
pub(crate) fn run(directory: &tempfile::TempDir, port: u16, words: &[&str]) -> Running {
    let home = directory.path().join(port.to_string());
    fs::create_dir(&home).unwrap();
    let mut command = Command::new("redis-server");
    if words == ["sentinel"] {
        command.arg(directory.path().join("sentinel.conf")).arg("--sentinel");
    }
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"]).arg(&home);
    if words != ["sentinel"] {
        command.args(["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"]);
        command.args(words);
    }
    Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

pub(crate) async fn until_up(port: u16) {
    let began = Instant::now();
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(60), "nobody listens");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
