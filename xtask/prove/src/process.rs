//! Another process of this program, which takes orders on its standard input and answers in lines.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::Failure;

/// A running process. It is killed on drop.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) orders: ChildStdin,
    pub(crate) answers: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts this program with other arguments, and waits until it is ready.
    pub(crate) async fn start(arguments: &[String]) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (orders, answers) = (child.stdin.take(), child.stdout.take());
        let (orders, answers) = orders.zip(answers).ok_or("a child has pipes")?;
        let mut process = Self { child, orders, answers: BufReader::new(answers).lines() };
        process.hear("ready").await?;
        Ok(process)
    }

    pub(crate) async fn order(&mut self, order: &str) -> Result<(), Failure> {
        Ok(self.orders.write_all(format!("{order}\n").as_bytes()).await?)
    }

    pub(crate) async fn done(&mut self, order: &str) -> Result<(), Failure> {
        self.hear(&format!("done {order}")).await
    }

    async fn hear(&mut self, line: &str) -> Result<(), Failure> {
        let next = tokio::time::timeout(PATIENCE, self.answers.next_line()).await;
        match next.map_err(|_| format!("a process did not answer `{line}` within {PATIENCE:?}"))?? {
            Some(there) if there == line => Ok(()),
            there => Err(format!("a process answered {there:?} and not `{line}`").into()),
        }
    }
}

/// For a round under faults on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
