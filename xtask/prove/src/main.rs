//! Long proofs on real servers. `cargo xtask prove` starts them.
//!
//! `prove histories` runs several processes of itself against one store while faults strike, and checks what they were
//! answered for linearizability. `prove soak` does the same with an application, and judges what its users are answered.

mod client;
mod faults;
mod flags;
mod histories;
mod place;
mod process;
mod random;
mod soak;

use std::error::Error;
use std::process::ExitCode;

use crate::flags::{Prove, ProveCmd};

/// An error with its causes, for the terminal.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let flags = Prove::from_env_or_exit();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    let outcome = runtime.block_on(async {
        match flags.subcommand {
            ProveCmd::Histories(flags) => histories::run(&flags).await,
            ProveCmd::Client(flags) => client::run(&flags).await,
            ProveCmd::Soak(flags) => soak::run(&flags).await,
            ProveCmd::App(flags) => soak::app::run(&flags).await,
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("prove: {failure}");
            ExitCode::FAILURE
        }
    }
}
