//! The command line: what is asked, of which store.

use session_core::{Handle, store::StoreKey};

/// What the command line says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) store: Option<String>,
    pub(crate) show_values: bool,
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    List { owner: String },
    Show(Which),
    End(Which),
    EndAll { owner: String },
}

/// One session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Of { owner: String, handle: Handle },
    Under(StoreKey),
}

impl Usage {
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, BadUsage> {
        let (mut store, mut show_values, mut rest) = (None, false, Vec::new());
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--store" => store = Some(words.next().ok_or(BadUsage::NoUrl)?),
                "--show-values" => show_values = true,
                "--help" | "-h" => rest = vec!["help".to_owned()],
                flag if flag.starts_with("--") => return Err(BadUsage::Flag(word)),
                _ => rest.push(word),
            }
        }
        Ok(Self { store, show_values, command: Command::parse(&rest)? })
    }
}

impl Command {
    fn parse(words: &[String]) -> Result<Self, BadUsage> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Ok(match words[..] {
            ["help"] => Self::Help,
            ["list", owner] => Self::List { owner: owner.to_owned() },
            ["show", ref which @ ..] => Self::Show(Which::parse(which)?),
            ["end", ref which @ ..] => Self::End(Which::parse(which)?),
            ["end-all", owner] => Self::EndAll { owner: owner.to_owned() },
            _ => return Err(BadUsage::Command),
        })
    }
}

impl Which {
    fn parse(words: &[&str]) -> Result<Self, BadUsage> {
        match *words {
            [key] => key.parse().map(Self::Under).map_err(|_| BadUsage::Key),
            [owner, handle] => {
                let handle = handle.parse().map_err(|_| BadUsage::Handle)?;
                Ok(Self::Of { owner: owner.to_owned(), handle })
            }
            _ => Err(BadUsage::Command),
        }
    }
}

/// The command line makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadUsage {
    #[error("--store needs a URL behind it")]
    NoUrl,
    #[error("there is no flag {0}; allowed are --store URL, --show-values and --help")]
    Flag(String),
    #[error("no such command; allowed are list, show, end, end-all and help")]
    Command,
    #[error("a session's key is 64 hexadecimal digits in lower case")]
    Key,
    #[error("a session's handle is 32 hexadecimal digits in lower case")]
    Handle,
}

pub(crate) const HELP: &str = "\
sessions-admin [--store URL] [--show-values] COMMAND

  list OWNER          the live sessions of this user
  show OWNER HANDLE   one of them: its head, and the names of what is in it
  show KEY            the same by the 64 digits of its key
  end OWNER HANDLE    ends that one
  end KEY             the same by its key
  end-all OWNER       ends every session of this user

Without --store, the store is the one that SESSION_DRIVER and its companions name.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Usage, BadUsage> {
        Usage::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_session_is_named_by_owner_and_handle_or_by_its_key() {
        let (handle, key) = ("ab".repeat(16), "ab".repeat(32));
        let of = Which::Of { owner: "ada".into(), handle: handle.parse().unwrap() };
        assert_eq!(parse(&format!("show ada {handle}")).unwrap().command, Command::Show(of));
        assert_eq!(
            parse(&format!("end {key}")).unwrap().command,
            Command::End(Which::Under(key.parse().unwrap()))
        );
    }

    #[test]
    fn what_is_not_understood_does_nothing() {
        assert_eq!(parse("list"), Err(BadUsage::Command));
        assert_eq!(parse("end ada"), Err(BadUsage::Key));
        assert_eq!(parse("end ada everything"), Err(BadUsage::Handle));
        assert_eq!(parse("list ada --forse"), Err(BadUsage::Flag("--forse".into())));
        assert_eq!(parse("list ada --store"), Err(BadUsage::NoUrl));
    }
}
