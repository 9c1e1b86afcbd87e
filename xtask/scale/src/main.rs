//! What many sessions in a store cost those who wait meanwhile. `cargo xtask bench --scale` runs it.
//!
//! It prints a figure a line: a name and a number. A name that is printed again is the same figure of another round.

mod crowd;
mod flags;
mod sweep;
mod user;
mod visits;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use crate::flags::{Scale, ScaleCmd};

/// An error with its causes, for the terminal.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let flags = Scale::from_env_or_exit();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    let outcome = runtime.block_on(async {
        match flags.subcommand {
            ScaleCmd::Sweep(flags) => sweep::run(&flags).await,
            ScaleCmd::User(flags) => user::run(&flags).await,
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("scale: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a figure.
fn figure(name: &str, number: f64) {
    println!("{name} {number}");
}

/// A time in milliseconds.
fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
