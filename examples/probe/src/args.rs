//! The command line: every flag at most once, every wrong value named together with what is allowed.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use session_core::PolicyError;
use session_core::{Age, ConfigError, SecretKey};
use session_stores::StoreConfig;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) adapter: Adapter,
    /// Without any session layer: the baseline of measurements.
    pub(crate) bare: bool,
    pub(crate) listen: SocketAddr,
    pub(crate) threads: Option<usize>,
    pub(crate) rules: Rules,
}

/// Who says what the sessions shall be like.
#[derive(Debug)]
pub(crate) enum Rules {
    Flags(Box<Settings>),
    /// `SESSION_*`, with the library's defaults.
    Environment,
}

/// What the sessions shall be like.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) store: StoreConfig,
    pub(crate) age: Option<Duration>,
    /// `Some(None)` is "for as long as it is used".
    pub(crate) absolute: Option<Option<Duration>>,
    pub(crate) keys: Vec<SecretKey>,
    pub(crate) cookie: String,
    pub(crate) eager: bool,
    pub(crate) commit_on_error: bool,
    pub(crate) encrypt_at_rest: bool,
    pub(crate) max_record: Option<usize>,
}

/// The framework that serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adapter {
    Axum,
    Actix,
    Hyper,
}

/// A flag that makes no sense, on one line: which, its value where that may be shown, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrongFlag(String);

impl WrongFlag {
    pub(crate) fn new(flag: &str, value: &str, allowed: &str) -> Self {
        Self(format!("{flag} {value:?} is not allowed: {allowed}"))
    }

    /// What only all flags together show to be wrong.
    pub(crate) fn together(cookie: &str, error: &ConfigError) -> Self {
        match error {
            ConfigError::Cookie(error) => Self::new("--cookie", cookie, &error.to_string()),
            ConfigError::Key(error) => Self(format!("--key is not allowed: {error}; {KEY}")),
            ConfigError::Policy(PolicyError::AgeBeyondAbsolute { age, absolute }) => {
                let allowed =
                    format!("at most what --absolute says, which is {absolute} s; raise that, or say never");
                Self::new("--age", &format!("{age} s"), &allowed)
            }
            error => Self(format!("these flags do not agree: {error}")),
        }
    }
}

impl fmt::Display for WrongFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongFlag {}

impl Args {
    /// Reads the arguments, without the program's name.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, WrongFlag> {
        let given = Given::parse(words)?;
        let (adapter, bare) = match given.need("--adapter")? {
            "axum" => (Adapter::Axum, false),
            "actix" => (Adapter::Actix, false),
            "hyper" => (Adapter::Hyper, false),
            "none-axum" => (Adapter::Axum, true),
            "none-actix" => (Adapter::Actix, true),
            "none-hyper" => (Adapter::Hyper, true),
            other => return Err(WrongFlag::new("--adapter", other, ADAPTERS)),
        };
        let threads = given.read("--threads", "a number from 1 to 1024", |text| {
            text.parse().ok().filter(|threads| (1..=1024).contains(threads))
        })?;
        let listen = |text: &str| text.parse().ok();
        let listen = match given.read("--listen", LISTEN, listen)? {
            Some(address) => address,
            None => return Err(WrongFlag(format!("--listen is missing: {LISTEN}"))),
        };
        let rules = if given.has(FROM_ENV) {
            given.refuse_beside_environment()?;
            Rules::Environment
        } else {
            Rules::Flags(Box::new(Settings::read(&given)?))
        };
        Ok(Self { adapter, bare, listen, threads, rules })
    }
}

impl Settings {
    fn read(given: &Given) -> Result<Self, WrongFlag> {
        let max_record = given.read("--max-record", "a number of bytes from 1", |text| {
            text.parse().ok().filter(|bytes| *bytes > 0)
        })?;
        let mut store = store(given.need("--store")?)?;
        store.max_record = max_record;
        store.timeout = given.read("--store-timeout", WAIT, wait)?.unwrap_or(store.timeout);
        Ok(Self {
            store,
            age: given.read("--age", AGE, age)?,
            absolute: given.read("--absolute", ABSOLUTE, |text| match text {
                "never" | "none" => Some(None),
                text => age(text).map(Some),
            })?,
            keys: given.all("--key").map(key).collect::<Result<_, _>>()?,
            cookie: given.one("--cookie").unwrap_or("sid").to_owned(),
            eager: given.has("--eager"),
            commit_on_error: given.has("--commit-on-error"),
            encrypt_at_rest: given.has("--encrypt-at-rest"),
            max_record,
        })
    }
}

/// The words as they came, sorted into flags and values.
struct Given(Vec<(String, String)>);

impl Given {
    fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, WrongFlag> {
        let mut words = words.into_iter();
        let mut given = Self(Vec::new());
        while let Some(flag) = words.next() {
            let value = match flag.as_str() {
                flag if SWITCHES.contains(&flag) => String::new(),
                flag if VALUES.contains(&flag) => match words.next() {
                    Some(value) if !value.starts_with("--") => value,
                    _ => return Err(WrongFlag(format!("{flag} needs a value"))),
                },
                flag => {
                    let known = [VALUES.join(", "), SWITCHES.join(", ")].join(", ");
                    return Err(WrongFlag(format!("{flag:?} is not a flag: the flags are {known}")));
                }
            };
            if flag != "--key" && given.one(&flag).is_some() {
                return Err(WrongFlag(format!("{flag} is given twice: once is allowed")));
            }
            given.0.push((flag, value));
        }
        Ok(given)
    }

    fn all(&self, flag: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(given, _)| given == flag).map(|(_, value)| value.as_str())
    }

    fn one(&self, flag: &str) -> Option<&str> {
        self.all(flag).next()
    }

    fn has(&self, switch: &str) -> bool {
        self.one(switch).is_some()
    }

    fn need(&self, flag: &'static str) -> Result<&str, WrongFlag> {
        let allowed = if flag == "--adapter" { ADAPTERS } else { STORES };
        self.one(flag).ok_or_else(|| WrongFlag(format!("{flag} is missing: {allowed}")))
    }

    /// One flag beside the environment would make two places to look at.
    fn refuse_beside_environment(&self) -> Result<(), WrongFlag> {
        let foreign =
            self.0.iter().find(|(flag, _)| ![FROM_ENV, "--adapter", "--listen"].contains(&flag.as_str()));
        match foreign {
            None => Ok(()),
            Some((flag, _)) => Err(WrongFlag(format!(
                "{flag} is not allowed with {FROM_ENV}: only --adapter and --listen are, the rest is said by SESSION_*"
            ))),
        }
    }

    fn read<T>(
        &self,
        flag: &str,
        allowed: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, WrongFlag> {
        let value = self.one(flag);
        value.map(|value| read(value).ok_or_else(|| WrongFlag::new(flag, value, allowed))).transpose()
    }
}

fn store(text: &str) -> Result<StoreConfig, WrongFlag> {
    StoreConfig::from_url(text).map_err(|_| {
        // A URL may hold a password, so of the value only its kind is shown.
        let kind = text.split_once("://").map_or("", |(kind, _)| kind);
        let is_plain = !text.contains("//") && !text.contains('@');
        WrongFlag::new("--store", if is_plain { text } else { kind }, STORES)
    })
}

/// The value is a secret, so the message does without it.
fn key(hex: &str) -> Result<SecretKey, WrongFlag> {
    let is_hex = hex.len() == 64 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
    let wrong = |problem: &dyn fmt::Display| WrongFlag(format!("--key is not allowed: {problem}; {KEY}"));
    if !is_hex {
        return Err(wrong(&"its value, not shown, is something else"));
    }
    hex.parse().map_err(|error: session_core::KeyError| wrong(&error))
}

fn age(text: &str) -> Option<Duration> {
    text.parse().ok().map(Age::as_duration)
}

/// Shorter than a second, too: a wait is no age.
fn wait(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(number) => number.parse().ok().filter(|ms| *ms > 0).map(Duration::from_millis),
        None => age(text),
    }
}

const ADAPTERS: &str = "axum, actix, hyper, none-axum, none-actix, none-hyper";
const STORES: &str = "memory, cookie, file:DIR, redis://..., redis-cluster://HOST:PORT,HOST:PORT, \
                      redis-sentinel://HOST:PORT/SERVICE, memcached://HOST:PORT, dynamodb://HOST:PORT/TABLE, postgres://..., \
                      mysql://..., sqlite:PATH";
const LISTEN: &str = "an address and a port such as 127.0.0.1:8080";
const AGE: &str = "whole seconds from 1 up, such as 90, 30min, 2h, 7d";
const WAIT: &str = "500ms, or whole seconds from 1 up, such as 5, 30s, 1min";
const ABSOLUTE: &str = "whole seconds from 1 up, such as 90, 30min, 24h, 7d; or never";
const KEY: &str = "allowed: 64 hex digits";
const FROM_ENV: &str = "--from-env";
const SWITCHES: [&str; 4] = [FROM_ENV, "--eager", "--commit-on-error", "--encrypt-at-rest"];
const VALUES: [&str; 10] = [
    "--adapter",
    "--store",
    "--listen",
    "--threads",
    "--age",
    "--absolute",
    "--key",
    "--cookie",
    "--store-timeout",
    "--max-record",
];

#[cfg(test)]
mod tests;
