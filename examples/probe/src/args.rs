//! The command line: every flag at most once, every wrong value named together with what is allowed.
//!
//! clap reads it; what is wrong is said on one line instead of clap's several, and without the value where that is secret.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, CommandFactory, Parser, ValueEnum};
use session_core::error::PolicyError;
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
    /// The files of the certificate and its key.
    pub(crate) tls: Option<[PathBuf; 2]>,
    pub(crate) rules: Rules,
}

/// Where the settings of the sessions come from.
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
    /// Bound to the device, which proves itself as often as this.
    pub(crate) bind_to_device: Option<Duration>,
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

/// A server whose requests are scripts: what a session does, shown, tested and measured.
#[derive(Debug, Parser)]
#[command(name = "probe", version, max_term_width = 100)]
struct Flags {
    /// The framework; with none- before it, the same server without sessions.
    #[arg(long)]
    adapter: Named,
    /// Where sessions live: memory, cookie, file:DIR, or a URL such as redis://HOST:PORT.
    #[arg(long, value_parser = store, required_unless_present = FROM_ENV)]
    store: Option<StoreConfig>,
    /// Where to listen, such as 127.0.0.1:8080.
    #[arg(long, value_name = "ADDRESS", value_parser = listen)]
    listen: SocketAddr,
    /// Worker threads; as many as there are processors.
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<usize>,
    /// How long a session lives without use, such as 90, 30min, 2h, 7d.
    #[arg(long, value_parser = age, conflicts_with = FROM_ENV)]
    age: Option<Duration>,
    /// How long it lives at most, or never.
    #[arg(long, value_parser = absolute, conflicts_with = FROM_ENV)]
    absolute: Option<Absolute>,
    /// The key that seals cookies, 64 hex digits; again for older keys. A random one without it.
    #[arg(long = "key", value_name = "HEX64", value_parser = key, action = ArgAction::Append, conflicts_with = FROM_ENV)]
    keys: Vec<SecretKey>,
    /// The cookie's name.
    #[arg(long, value_name = "NAME", default_value = "sid", conflicts_with = FROM_ENV)]
    cookie: String,
    /// Open the session of every request, and send the cookie with every response.
    #[arg(long, conflicts_with = FROM_ENV)]
    eager: bool,
    /// Keep changes when the response is a 5xx.
    #[arg(long, conflicts_with = FROM_ENV)]
    commit_on_error: bool,
    /// Seal what the store holds.
    #[arg(long, conflicts_with = FROM_ENV)]
    encrypt_at_rest: bool,
    /// How long the store may take, such as 500ms or 2s.
    #[arg(long, value_name = "WAIT", value_parser = wait, conflicts_with = FROM_ENV)]
    store_timeout: Option<Duration>,
    /// The largest record, in bytes.
    #[arg(long, value_name = "BYTES", value_parser = max_record, conflicts_with = FROM_ENV)]
    max_record: Option<usize>,
    /// Keep up to so many sessions in a near cache; for redis.
    #[arg(long, value_name = "SESSIONS", value_parser = near_cache, conflicts_with = FROM_ENV)]
    near_cache: Option<usize>,
    /// Bind sessions to the device (DBSC), refreshed every 5min or as said, such as --bind-to-device=10s.
    #[arg(
        long,
        value_name = "REFRESH",
        value_parser = age,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "5min",
        conflicts_with = FROM_ENV
    )]
    bind_to_device: Option<Duration>,
    /// Serve over TLS with this certificate and key, both PEM files.
    #[arg(long, num_args = 2, value_names = ["CERT", "KEY"])]
    tls: Option<Vec<PathBuf>>,
    /// What keys in the store begin with.
    #[arg(long, value_name = "TEXT", conflicts_with = FROM_ENV)]
    prefix: Option<String>,
    /// Everything else comes from SESSION_*, as in an application.
    #[arg(long, conflicts_with = "store")]
    from_env: bool,
}

/// An adapter as the command line names it.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Named {
    Axum,
    Actix,
    Hyper,
    NoneAxum,
    NoneActix,
    NoneHyper,
}

/// "for as long as it is used", or an age: clap takes an option in an option for a flag without a value.
#[derive(Clone, Copy, Debug)]
struct Absolute(Option<Duration>);

impl Args {
    /// Reads the arguments, without the program's name.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, Refused> {
        let words = std::iter::once("probe".to_owned()).chain(words);
        let flags = Flags::try_parse_from(words).map_err(Refused::read)?;
        let (adapter, bare) = match flags.adapter {
            Named::Axum => (Adapter::Axum, false),
            Named::Actix => (Adapter::Actix, false),
            Named::Hyper => (Adapter::Hyper, false),
            Named::NoneAxum => (Adapter::Axum, true),
            Named::NoneActix => (Adapter::Actix, true),
            Named::NoneHyper => (Adapter::Hyper, true),
        };
        let (listen, threads) = (flags.listen, flags.threads);
        // clap counts them.
        let tls = flags.tls.clone().and_then(|files| files.try_into().ok());
        let rules = flags.settings().map_or(Rules::Environment, |settings| Rules::Flags(Box::new(settings)));
        Ok(Self { adapter, bare, listen, threads, tls, rules })
    }
}

impl Flags {
    /// `None` with `--from-env`, beside which clap wants no store.
    fn settings(self) -> Option<Settings> {
        let mut store = self.store?;
        store.max_record = self.max_record;
        store.timeout = self.store_timeout.unwrap_or(store.timeout);
        store.prefix = self.prefix.unwrap_or(store.prefix);
        store.client_cache = self.near_cache;
        Some(Settings {
            store,
            age: self.age,
            absolute: self.absolute.map(|Absolute(absolute)| absolute),
            keys: self.keys,
            cookie: self.cookie,
            eager: self.eager,
            commit_on_error: self.commit_on_error,
            encrypt_at_rest: self.encrypt_at_rest,
            max_record: self.max_record,
            bind_to_device: self.bind_to_device,
        })
    }
}

/// Why there are no arguments to go on with.
#[derive(Debug)]
pub(crate) enum Refused {
    /// `--help` or `--version`: the text that was asked for.
    Asked(String),
    Wrong(WrongFlag),
}

impl Refused {
    fn read(error: clap::Error) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Self::Asked(error.to_string()),
            _ => Self::Wrong(WrongFlag::of(&error)),
        }
    }
}

impl WrongFlag {
    fn of(error: &clap::Error) -> Self {
        let of = |kind| error.get(kind).map(words).unwrap_or_default();
        let flags = of(ContextKind::InvalidArg);
        let flag = flags.first().map(String::as_str).unwrap_or_default();
        match error.kind() {
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
                let value = of(ContextKind::InvalidValue).concat();
                match std::error::Error::source(error) {
                    _ if value.is_empty() => Self(format!("{flag} needs a value")),
                    // These say themselves what of the value may be shown.
                    Some(why) if SECRET.contains(&flag) => Self(format!("{flag} {why}")),
                    Some(allowed) => Self::new(flag, &value, &allowed.to_string()),
                    None => Self::new(flag, &value, &of(ContextKind::ValidValue).join(", ")),
                }
            }
            ErrorKind::WrongNumberOfValues => Self(format!("{flag} needs two files: CERT and KEY, both PEM")),
            ErrorKind::MissingRequiredArgument => {
                let allowed =
                    MISSING.iter().find(|(name, _)| *name == flag).map_or("", |(_, allowed)| allowed);
                Self(format!("{flag} is missing: {allowed}"))
            }
            ErrorKind::ArgumentConflict => {
                let others = of(ContextKind::PriorArg);
                match flags.iter().chain(&others).find(|flag| *flag != "--from-env") {
                    Some(other) if flags.iter().chain(&others).any(|flag| flag == "--from-env") => {
                        Self(format!("{other} is not allowed with --from-env: {BESIDE_ENVIRONMENT}"))
                    }
                    _ => Self(format!("{flag} is given twice: once is allowed")),
                }
            }
            _ => {
                let command = Flags::command();
                let known: Vec<String> = command
                    .get_arguments()
                    .filter_map(|flag| Some(format!("--{}", flag.get_long()?)))
                    .collect();
                Self(format!("{flag:?} is not a flag: the flags are {}", known.join(", ")))
            }
        }
    }
}

/// The flags or values of an error, without the names of their values: `--age <AGE>` is `--age`.
fn words(value: &ContextValue) -> Vec<String> {
    let flag = |text: &String| match text.split_once(" <") {
        Some((flag, _)) if flag.starts_with("--") => flag.to_owned(),
        _ => text.clone(),
    };
    match value {
        ContextValue::String(text) => vec![flag(text)],
        ContextValue::Strings(texts) => texts.iter().map(flag).collect(),
        _ => Vec::new(),
    }
}

fn store(text: &str) -> Result<StoreConfig, String> {
    StoreConfig::from_url(text).map_err(|_| {
        // A URL may hold a password, so of the value only its kind is shown.
        let kind = text.split_once("://").map_or("", |(kind, _)| kind);
        let is_plain = !text.contains("//") && !text.contains('@');
        format!("{:?} is not allowed: {STORES}", if is_plain { text } else { kind })
    })
}

/// The value is a secret, so the message does without it.
fn key(hex: &str) -> Result<SecretKey, String> {
    let is_hex = hex.len() == 64 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
    let wrong = |problem: &dyn fmt::Display| format!("is not allowed: {problem}; {KEY}");
    if !is_hex {
        return Err(wrong(&"its value, not shown, is something else"));
    }
    hex.parse().map_err(|error: session_core::error::KeyError| wrong(&error))
}

fn listen(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| LISTEN)
}

fn threads(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|threads| (1..=1024).contains(threads)).ok_or("a number from 1 to 1024")
}

fn near_cache(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|sessions| *sessions > 0).ok_or("a number of sessions from 1")
}

fn max_record(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|bytes| *bytes > 0).ok_or("a number of bytes from 1")
}

fn age(text: &str) -> Result<Duration, &'static str> {
    text.parse().map(Age::as_duration).map_err(|_| AGE)
}

fn absolute(text: &str) -> Result<Absolute, &'static str> {
    match text {
        "never" | "none" => Ok(Absolute(None)),
        text => age(text).map(|age| Absolute(Some(age))).map_err(|_| ABSOLUTE),
    }
}

/// Shorter than a second, too: a wait is no age.
fn wait(text: &str) -> Result<Duration, &'static str> {
    match text.strip_suffix("ms") {
        Some(number) => number.parse().ok().filter(|ms| *ms > 0).map(Duration::from_millis).ok_or(WAIT),
        None => age(text).map_err(|_| WAIT),
    }
}

const ADAPTERS: &str = "axum, actix, hyper, none-axum, none-actix, none-hyper";
const STORES: &str = "memory, cookie, file:DIR, redis://..., redis-cluster://HOST:PORT,HOST:PORT, \
                      redis-sentinel://HOST:PORT/SERVICE, memcached://HOST:PORT, etcd://HOST:PORT, \
                      dynamodb://HOST:PORT/TABLE, postgres://..., mysql://..., sqlite:PATH, redb:PATH";
const LISTEN: &str = "an address and a port such as 127.0.0.1:8080";
const AGE: &str = "whole seconds from 1 up, such as 90, 30min, 2h, 7d";
const WAIT: &str = "500ms, or whole seconds from 1 up, such as 5, 30s, 1min";
const ABSOLUTE: &str = "whole seconds from 1 up, such as 90, 30min, 24h, 7d; or never";
const KEY: &str = "allowed: 64 hex digits";
/// As clap knows it.
const FROM_ENV: &str = "from_env";
const BESIDE_ENVIRONMENT: &str =
    "only --adapter, --listen, --threads and --tls are, the rest is said by SESSION_*";
const SECRET: [&str; 2] = ["--store", "--key"];
const MISSING: [(&str, &str); 3] = [("--adapter", ADAPTERS), ("--store", STORES), ("--listen", LISTEN)];

#[cfg(test)]
mod tests;
