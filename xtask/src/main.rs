//! The automation of this repository.
//!
//! One dispatch, one file per command. There are no shell scripts: developers, CI and benchmark machines run the same
//! code.

mod bench;
mod ci;
mod deps;
mod failure;
mod flags;
mod instructions;
mod new_store;
mod one_crate;
mod packages;
mod prove;
mod publishable;
mod repository;
mod runner;
mod servers;
mod stages;
mod test;
mod tidy;
mod totals;
mod up;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::failure::Failure;
use crate::flags::{Xtask, XtaskCmd};

fn main() -> ExitCode {
    if std::env::var_os(publishable::AS_RUSTDOC).is_some() {
        return publishable::rustdoc();
    }
    let mut asked: Vec<OsString> = std::env::args_os().skip(1).collect();
    if asked.is_empty() {
        asked.push("--help".into());
    }
    match dispatch(Xtask::from_vec(asked).unwrap_or_else(|help_or_error| help_or_error.exit())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nxtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(flags: Xtask) -> Result<(), Failure> {
    repository::enter()?;
    match flags.subcommand {
        XtaskCmd::Test(flags) => test::run(&flags),
        XtaskCmd::Ci(flags) => ci::run(&flags),
        XtaskCmd::Publishable(flags) => publishable::run(&flags),
        XtaskCmd::Api(flags) => publishable::api(&flags),
        XtaskCmd::Tidy(flags) => tidy::run(&flags),
        XtaskCmd::Deps(_) => deps::run(),
        XtaskCmd::OneCrate(_) => one_crate::run(),
        XtaskCmd::Bench(flags) => bench::run(&flags),
        XtaskCmd::Instructions(flags) => instructions::run(&flags),
        XtaskCmd::Prove(flags) => prove::run(&flags),
        XtaskCmd::Up(_) => up::run(),
        XtaskCmd::NewStore(flags) => new_store::run(&flags),
    }
}
