//! What the environment and the command line say: where sessions live, with which keys, where to listen.

use std::path::PathBuf;
use std::time::Duration;

use session_core::{Cookie, SecretKey, Sessions};
use session_stores::{FileStore, MemoryStore};

/// Everything that is decided before the first request.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) driver: Driver,
    pub(crate) keys: Vec<SecretKey>,
    pub(crate) listen: String,
    pub(crate) confirm_after: Duration,
    file_location: PathBuf,
}

/// Where sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    Cookie,
    Memory,
    File,
}

/// The configuration cannot be used; nothing was started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigProblem {
    #[error("{key}={given:?} is not one of {allowed}")]
    NotOneOf { key: &'static str, given: String, allowed: &'static str },
    #[error("{key}={given:?} is not {wanted}")]
    NotA { key: &'static str, given: String, wanted: &'static str },
    // The value is a secret, so the message does without it.
    #[error("key number {number} of SESSION_KEYS cannot be used")]
    Key { number: usize, source: session_core::KeyError },
    #[error("unknown argument {0:?}; see --help")]
    Argument(String),
    #[error("--listen needs an address, such as 127.0.0.1:3000")]
    NoAddress,
    #[error("help was asked for")]
    Help,
}

impl Driver {
    pub(crate) fn place(self) -> &'static str {
        match self {
            Self::Cookie => "the cookie",
            Self::Memory => "memory",
            Self::File => "files",
        }
    }
}

impl Config {
    pub(crate) fn read(
        arguments: &[String],
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigProblem> {
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let driver = match set("SESSION_DRIVER").as_deref() {
            None | Some("cookie") => Driver::Cookie,
            Some("memory") => Driver::Memory,
            Some("file") => Driver::File,
            Some(other) => {
                let (given, allowed) = (other.to_owned(), "cookie, memory, file");
                return Err(ConfigProblem::NotOneOf { key: "SESSION_DRIVER", given, allowed });
            }
        };
        let keys = set("SESSION_KEYS").unwrap_or_default();
        let keys = keys.split(',').map(str::trim).filter(|key| !key.is_empty()).enumerate();
        let keys = keys.map(|(index, key)| {
            key.parse().map_err(|source| ConfigProblem::Key { number: index + 1, source })
        });
        let confirm_after = match set("SHOP_CONFIRM_AFTER") {
            None => CONFIRM_AFTER,
            Some(given) => match given.parse() {
                Ok(seconds) => Duration::from_secs(seconds),
                Err(_) => {
                    let (key, wanted) = ("SHOP_CONFIRM_AFTER", "a number of seconds");
                    return Err(ConfigProblem::NotA { key, given, wanted });
                }
            },
        };
        let mut listen = set("SHOP_ADDR").unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => return Err(ConfigProblem::Help),
                "--listen" => arguments.next().ok_or(ConfigProblem::NoAddress)?.clone_into(&mut listen),
                other => return Err(ConfigProblem::Argument(other.to_owned())),
            }
        }
        Ok(Self {
            driver,
            keys: keys.collect::<Result<_, _>>()?,
            listen,
            confirm_after,
            file_location: set("SESSION_FILE_LOCATION")
                .map_or_else(|| std::env::temp_dir().join("shop-sessions"), PathBuf::from),
        })
    }

    /// The sessions that this configuration describes. Without keys one is made up.
    pub(crate) fn sessions(&self) -> Result<Sessions, Box<dyn std::error::Error>> {
        // The demo speaks plain HTTP on the loopback; a real shop leaves this line out and gets `__Host-sid; Secure`.
        let builder = Sessions::builder().cookie(Cookie::insecure_http("shop"));
        let builder = match self.driver {
            Driver::Cookie => builder.in_cookie(),
            Driver::Memory => builder.store(MemoryStore::default()),
            Driver::File => builder.store(FileStore::open(&self.file_location)?),
        };
        let builder = match self.keys.as_slice() {
            [] => builder.key(SecretKey::generate()?),
            keys => builder.keys(keys.iter().cloned()),
        };
        Ok(builder.build()?)
    }
}

/// As long as it takes to fetch a coffee.
const CONFIRM_AFTER: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(environment: &[(&str, &str)], arguments: &[&str]) -> Result<Config, ConfigProblem> {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Config::read(&arguments, |name| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_said_means_the_cookie_on_port_3000() {
        let config = read(&[], &[]).unwrap();
        assert_eq!((config.driver, config.listen.as_str()), (Driver::Cookie, "127.0.0.1:3000"));
        assert!(config.sessions().unwrap().store().is_none());
    }

    #[test]
    fn an_unknown_driver_is_refused_with_the_words_that_are_known() {
        let problem = read(&[("SESSION_DRIVER", "paper")], &[]).unwrap_err();
        assert_eq!(problem.to_string(), r#"SESSION_DRIVER="paper" is not one of cookie, memory, file"#);
    }

    #[test]
    fn a_bad_key_is_named_by_its_place_and_not_shown() {
        let good = SecretKey::generate().unwrap().expose_secret_hex();
        let problem = read(&[("SESSION_KEYS", &format!("{},hunter2", &*good))], &[]).unwrap_err();
        assert_eq!(problem.to_string(), "key number 2 of SESSION_KEYS cannot be used");
    }

    #[test]
    fn the_command_line_wins_over_the_environment() {
        let config = read(&[("SHOP_ADDR", "127.0.0.1:1")], &["--listen", "127.0.0.1:2"]).unwrap();
        assert_eq!(config.listen, "127.0.0.1:2");
        assert!(matches!(read(&[], &["--listen"]), Err(ConfigProblem::NoAddress)));
    }
}
