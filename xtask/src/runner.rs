//! Runs programs for the stages: shows their output, and captures it where it is needed.

use std::io::{self, IsTerminal, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use crate::failure::Failure;

/// A program with its arguments and environment variables.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Call {
    /// A call of `cargo` with these arguments, separated by blanks.
    pub(crate) fn cargo(words: &str) -> Self {
        let arguments = words.split_whitespace().map(str::to_owned).collect();
        Self { program: "cargo".to_owned(), arguments, environment: Vec::new() }
    }

    /// A call of another program.
    pub(crate) fn program(name: &str) -> Self {
        Self { program: name.to_owned(), arguments: Vec::new(), environment: Vec::new() }
    }

    pub(crate) fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn args(mut self, words: &str) -> Self {
        self.arguments.extend(words.split_whitespace().map(str::to_owned));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn envs(mut self, pairs: &[(String, String)]) -> Self {
        self.environment.extend_from_slice(pairs);
        self
    }

    /// Returns the call as a user would type it, without the addresses of servers, which stop with this run; tests
    /// start their own servers if no address is set.
    pub(crate) fn line(&self) -> String {
        let environment = self.environment.iter().filter(|(name, _)| !name.starts_with("SESSION_TEST_"));
        environment
            .map(|(name, value)| format!("{name}={}", quoted(value)))
            .chain([self.program.clone()])
            .chain(self.arguments.iter().map(|argument| quoted(argument)))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Runs it on the terminal.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        outcome(self.command().status()?)
    }

    /// Runs it, shows its output and returns it, together with the result.
    pub(crate) fn heard(&self) -> Result<(String, Result<(), Failure>), Failure> {
        let mut command = self.command();
        if io::stdout().is_terminal() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().expect("it was asked for a line above");
        let stderr = child.stderr.take().expect("it was asked for two lines above");
        let stdout = thread::spawn(move || tee(stdout, io::stdout()));
        let mut heard = tee(stderr, io::stderr());
        heard.extend(stdout.join().unwrap_or_default());
        Ok((String::from_utf8_lossy(&heard).into_owned(), outcome(child.wait()?)))
    }

    /// Runs it and gives back what it writes to its standard output; complaints are seen by the person.
    pub(crate) fn read(&self) -> Result<String, Failure> {
        let output = self.command().stderr(Stdio::inherit()).output()?;
        outcome(output.status)?;
        Ok(String::from_utf8(output.stdout)?)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // Set by the `cargo run` that started xtask, and not meant for the calls below.
        command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH");
        if std::env::var_os("CI").is_some() {
            // Data for the next build, in a checkout that is built once: a tenth of the time, and half of the space.
            command.env("CARGO_INCREMENTAL", "0");
        }
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

fn outcome(status: std::process::ExitStatus) -> Result<(), Failure> {
    if status.success() { Ok(()) } else { Err(Failure::new(format!("the command ended with {status}"))) }
}

fn tee(mut from: impl Read, mut to: impl Write) -> Vec<u8> {
    let mut heard = Vec::new();
    let mut buffer = [0; 8192];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        heard.extend_from_slice(&buffer[..read]);
        // Continue if the terminal is closed.
        drop(to.write_all(&buffer[..read]).and_then(|()| to.flush()));
    }
    heard
}

fn quoted(word: &str) -> String {
    let harmless = |char: char| char.is_ascii_alphanumeric() || "-_=./,:@+".contains(char);
    if !word.is_empty() && word.chars().all(harmless) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_can_be_pasted_into_a_shell_and_names_no_server_of_this_run() {
        let call = Call::cargo("doc --no-deps")
            .env("RUSTDOCFLAGS", "-D warnings")
            .env("SESSION_TEST_REDIS_URL", "redis://127.0.0.1:1")
            .arg("not test(/redis/)");
        assert_eq!(call.line(), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'not test(/redis/)'");
    }

    #[test]
    fn what_is_said_on_both_streams_is_heard() {
        let call = Call {
            program: "sh".to_owned(),
            arguments: vec!["-c".to_owned(), "echo out; echo err >&2; exit 3".to_owned()],
            environment: Vec::new(),
        };
        let (heard, outcome) = call.heard().unwrap();
        assert!(heard.contains("out\n") && heard.contains("err\n"));
        assert!(outcome.unwrap_err().to_string().contains('3'));
    }
}
