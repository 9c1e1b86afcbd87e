//! A deployment that signs nobody out: an application on another session library is replaced, under load, by one on this
//! library.
//!
//! ```text
//! cargo run -- deploy tower-redis     # or tower-postgres, actix-redis, actix-cookie
//! ```
//!
//! Three processes take part: the old application, the new one with its importer, and at the end the new one without it.
//! The visitors are in this process.

mod deployment;
mod process;
mod serve;
mod visitor;

use std::error::Error;

use clap::{Parser, ValueEnum};

use crate::serve::Role;

#[derive(Debug, Parser)]
enum Command {
    /// Replaces an application on another session library under load, and checks that nobody is signed out.
    Deploy {
        from: Old,
        /// How many visitors are signed in.
        #[arg(long, default_value_t = 1_000)]
        visitors: usize,
    },
    /// One of the applications, which the demonstration starts itself.
    #[command(hide = true)]
    Serve { old: Old, role: Role },
}

/// The session library of the old application, and where it keeps its sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Old {
    TowerRedis,
    TowerPostgres,
    ActixRedis,
    ActixCookie,
}

fn main() -> Result<(), Box<dyn Error>> {
    match Command::parse() {
        Command::Serve { old, role } => serve::run(old, role),
        Command::Deploy { from, visitors } => {
            let report = deployment::run(from, visitors)?;
            println!("{report}");
            if report.is_clean() {
                Ok(())
            } else {
                Err("not every visitor was carried over unnoticed".into())
            }
        }
    }
}
