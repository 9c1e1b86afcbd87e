//! One application as a process of its own.

use std::error::Error;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::Old;
use crate::serve::{POSTGRES, REDIS, Role};

/// A running application. Killed when it is dropped.
pub(crate) struct Application {
    child: Child,
    pub(crate) port: u16,
}

impl Application {
    /// Starts an application, which prints its port once it listens.
    pub(crate) async fn start(old: Old, role: Role, urls: &Urls) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", &name(old), &name(role)])
            .env(REDIS, &urls.redis)
            .env(POSTGRES, &urls.postgres)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().ok_or("the application has no output")?;
        let mut lines = BufReader::new(output).lines();
        let line = lines.next_line().await?.ok_or("the application ended before it listened")?;
        Ok(Self { child, port: line.trim().parse()? })
    }

    /// Ends the process.
    pub(crate) async fn stop(mut self) -> Result<(), Box<dyn Error>> {
        self.child.kill().await?;
        Ok(())
    }
}

/// The servers that the applications use.
pub(crate) struct Urls {
    pub(crate) redis: String,
    /// Empty if no application needs it.
    pub(crate) postgres: String,
}

/// The name of a value on the command line.
fn name(value: impl clap::ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
