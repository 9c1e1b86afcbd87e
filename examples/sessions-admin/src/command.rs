//! The command line: what is asked, of which store.

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use session_core::{Handle, store::StoreKey};

/// Lists, inspects, ends and moves the sessions of any store.
///
/// Without --store, the store is the one that SESSION_DRIVER and its companions name.
#[derive(Debug, Parser)]
#[command(name = "sessions-admin", version, after_long_help = AFTER)]
pub(crate) struct Usage {
    /// The store's URL, such as redis://HOST:PORT or file:DIR.
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) store: Option<String>,
    /// Show values too, which may be anybody's secrets.
    #[arg(long, global = true)]
    pub(crate) show_values: bool,
    /// Print JSON, for other programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// How many sessions are alive, and the newest of them.
    Top {
        /// How many of the newest to show.
        #[arg(long, value_name = "COUNT", default_value_t = 10)]
        newest: usize,
    },
    /// The live sessions of a user.
    List { owner: String },
    /// One session: its head, and the names of what is in it.
    Show(Which),
    /// Ends one session.
    End(Which),
    /// Ends every session of a user.
    EndAll { owner: String },
    /// Moves sessions from the old store to the new one.
    Migrate(Migrate),
    /// Everything that is stored in the sessions of a user, as JSON.
    Export { owner: String },
    /// Ends every session of a user, and removes what is left of those that expired.
    Erase { owner: String },
    /// Secret keys: makes one, checks those of SESSION_KEYS, plans their rotation.
    #[command(subcommand)]
    Keys(Keys),
    /// Prints the completions of a shell.
    Completions { shell: Shell },
}

/// From where, and what.
#[derive(Debug, PartialEq, Eq, Args)]
pub(crate) struct Migrate {
    /// The old store's URL; without it, the one that SESSION_MIGRATE_FROM and its companions name.
    #[arg(long, value_name = "URL")]
    pub(crate) from: Option<String>,
    /// Move every session. Ctrl-C stops after the current one; run it again to go on.
    #[arg(long, required_unless_present = "count")]
    pub(crate) all: bool,
    /// Move nothing, and say how many sessions are left in the old store.
    #[arg(long, conflicts_with = "all")]
    pub(crate) count: bool,
}

/// What to do with secret keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Keys {
    /// Prints a new secret key for SESSION_KEYS.
    New,
    /// Checks the keys of SESSION_KEYS, without showing them.
    Check,
    /// Says step by step how to replace the key that seals, without signing anybody out.
    RotatePlan,
}

/// One session: OWNER and HANDLE, or KEY.
#[derive(Debug, PartialEq, Eq, Args)]
#[command(override_usage = "sessions-admin show|end OWNER HANDLE\n       sessions-admin show|end KEY")]
pub(crate) struct Which {
    /// The user, or the 64 digits of the session's key.
    #[arg(value_name = "OWNER|KEY")]
    first: String,
    /// The session's handle, 32 hexadecimal digits in lower case.
    #[arg(value_parser = handle)]
    handle: Option<Handle>,
}

/// A session as the words of [`Which`] name it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named<'a> {
    Of { owner: &'a str, handle: Handle },
    Under(StoreKey),
}

impl Which {
    pub(crate) fn named(&self) -> Result<Named<'_>, NoKey> {
        match self.handle {
            Some(handle) => Ok(Named::Of { owner: &self.first, handle }),
            None => self.first.parse().map(Named::Under).map_err(|_| NoKey),
        }
    }
}

/// One word that is no key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session's key is 64 hexadecimal digits in lower case; behind a user, a handle is needed")]
pub(crate) struct NoKey;

fn handle(text: &str) -> Result<Handle, &'static str> {
    text.parse().map_err(|_| "a session's handle is 32 hexadecimal digits in lower case")
}

const AFTER: &str = "Exit codes:
  0    done
  1    the store or the configuration failed
  2    the command line was not understood
  3    there is no such session
  4    this store cannot do it
  130  stopped by Ctrl-C; run it again to go on

Colours appear on a terminal only, and not if NO_COLOR is set.";

#[cfg(test)]
impl Which {
    pub(crate) fn of(owner: &str, handle: Handle) -> Self {
        Self { first: owner.to_owned(), handle: Some(handle) }
    }

    pub(crate) fn under(key: StoreKey) -> Self {
        Self { first: key.to_string(), handle: None }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(line: &str) -> Result<Usage, clap::Error> {
        Usage::try_parse_from(std::iter::once("sessions-admin").chain(line.split_whitespace()))
    }

    #[test]
    fn a_session_is_named_by_owner_and_handle_or_by_its_key() {
        let (handle, key) = ("ab".repeat(16), "ab".repeat(32));
        let Command::Show(which) = parse(&format!("show ada {handle}")).unwrap().command else {
            panic!("show")
        };
        assert_eq!(which.named(), Ok(Named::Of { owner: "ada", handle: handle.parse().unwrap() }));
        let Command::End(which) = parse(&format!("end {key}")).unwrap().command else { panic!("end") };
        assert_eq!(which.named(), Ok(Named::Under(key.parse().unwrap())));
    }

    #[test]
    fn what_is_not_understood_does_nothing() {
        let kind = |line| parse(line).unwrap_err().kind();
        assert_eq!(kind("list"), ErrorKind::MissingRequiredArgument);
        assert_eq!(kind("end ada everything"), ErrorKind::ValueValidation);
        assert_eq!(kind("list ada --forse"), ErrorKind::UnknownArgument);
        assert_eq!(kind("list ada --store"), ErrorKind::InvalidValue);
        assert_eq!(kind("lsit ada"), ErrorKind::InvalidSubcommand);
        assert_eq!(kind("migrate"), ErrorKind::MissingRequiredArgument);
        assert_eq!(kind("migrate --all --count"), ErrorKind::ArgumentConflict);
        let Command::End(which) = parse("end ada").unwrap().command else { panic!("end") };
        assert_eq!(which.named(), Err(NoKey));
    }

    #[test]
    fn flags_stand_before_or_behind_the_command() {
        for line in
            ["--store memory --show-values --json list ada", "list ada --json --store memory --show-values"]
        {
            let usage = parse(line).unwrap();
            assert_eq!((usage.store.as_deref(), usage.show_values, usage.json), (Some("memory"), true, true));
        }
    }

    #[test]
    fn the_command_line_is_one_that_clap_accepts() {
        Usage::command().debug_assert();
    }
}
