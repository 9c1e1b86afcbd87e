//! The command line: every flag at most once, every wrong value named together with what is allowed.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use session_core::SecretKey;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) adapter: Adapter,
    /// Without any session layer: the baseline of measurements.
    pub(crate) bare: bool,
    pub(crate) listen: SocketAddr,
    pub(crate) threads: Option<usize>,
    pub(crate) settings: Settings,
}

/// What the sessions shall be like.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) store: Store,
    pub(crate) age: Option<Duration>,
    /// `Some(None)` is "for as long as it is used".
    pub(crate) absolute: Option<Option<Duration>>,
    pub(crate) keys: Vec<SecretKey>,
    pub(crate) cookie: String,
    pub(crate) eager: bool,
    pub(crate) commit_on_error: bool,
    pub(crate) encrypt_at_rest: bool,
    pub(crate) store_timeout: Option<Duration>,
    pub(crate) max_record: Option<usize>,
}

/// The framework that serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adapter {
    Axum,
    Actix,
    Hyper,
}

/// Where sessions live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Memory,
    Cookie,
    File(PathBuf),
    Redis(String),
    RedisCluster(Vec<String>),
    DynamoDb { server: String, table: String },
    Postgres(String),
    MySql(String),
    Sqlite(PathBuf),
}

/// A flag that makes no sense, on one line: which, its value where that may be shown, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrongFlag(String);

impl WrongFlag {
    pub(crate) fn new(flag: &str, value: &str, allowed: &str) -> Self {
        Self(format!("{flag} {value:?} is not allowed: {allowed}"))
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
        Ok(Self { adapter, bare, listen, threads, settings: Settings::read(&given)? })
    }
}

impl Settings {
    fn read(given: &Given) -> Result<Self, WrongFlag> {
        let keys = given.all("--key").map(|hex| {
            // The value is a secret, so the message does without it.
            hex.parse::<SecretKey>()
                .map_err(|error| WrongFlag(format!("--key is not allowed: {error}; {KEY}")))
        });
        Ok(Self {
            store: store(given.need("--store")?)?,
            age: given.read("--age", AGE, age)?,
            absolute: given.read("--absolute", ABSOLUTE, |text| match text {
                "none" => Some(None),
                text => age(text).map(Some),
            })?,
            keys: keys.collect::<Result<_, _>>()?,
            cookie: given.one("--cookie").unwrap_or("sid").to_owned(),
            eager: given.has("--eager"),
            commit_on_error: given.has("--commit-on-error"),
            encrypt_at_rest: given.has("--encrypt-at-rest"),
            store_timeout: given.read("--store-timeout", AGE, age)?,
            max_record: given.read("--max-record", "a number of bytes from 1", |text| {
                text.parse().ok().filter(|bytes| *bytes > 0)
            })?,
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

fn store(text: &str) -> Result<Store, WrongFlag> {
    let some = |rest: &str| (!rest.is_empty()).then(|| rest.to_owned());
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    let slashed = rest.strip_prefix("//").and_then(some);
    let store = match kind {
        "memory" if text == kind => Some(Store::Memory),
        "cookie" if text == kind => Some(Store::Cookie),
        "file" => some(rest).map(|folder| Store::File(folder.into())),
        "sqlite" => some(rest).map(|file| Store::Sqlite(file.into())),
        "redis" | "rediss" => slashed.map(|_| Store::Redis(text.to_owned())),
        "postgres" | "postgresql" => slashed.map(|_| Store::Postgres(text.to_owned())),
        "mysql" => slashed.map(|_| Store::MySql(text.to_owned())),
        "redis-cluster" => slashed.map(|nodes| {
            Store::RedisCluster(nodes.split(',').map(|node| format!("redis://{node}")).collect())
        }),
        "dynamodb" => slashed.and_then(|rest| {
            let (server, table) = rest.split_once('/')?;
            Some(Store::DynamoDb { server: some(server)?, table: some(table)? })
        }),
        _ => None,
    };
    // A URL may hold a password, so of the value only its kind is shown.
    store.ok_or_else(|| WrongFlag::new("--store", if slashed_url(text) { kind } else { text }, STORES))
}

fn slashed_url(text: &str) -> bool {
    text.contains("//") || text.contains('@')
}

/// Whole seconds: `2h`, `30 min`, `90`.
fn age(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim_start_matches(' ') {
        "" | "s" | "sec" => 1,
        "m" | "min" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let seconds = number.parse::<u64>().ok()?.checked_mul(unit)?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

const ADAPTERS: &str = "axum, actix, hyper, none-axum, none-actix, none-hyper";
const STORES: &str = "memory, cookie, file:DIR, redis://..., redis-cluster://HOST:PORT,HOST:PORT, \
                      dynamodb://HOST:PORT/TABLE, postgres://..., mysql://..., sqlite:PATH";
const LISTEN: &str = "an address and a port such as 127.0.0.1:8080";
const AGE: &str = "whole seconds from 1 up, such as 90, 30min, 2h, 7d";
const ABSOLUTE: &str = "whole seconds from 1 up, such as 90, 30min, 24h, 7d; or none";
const KEY: &str = "64 hex digits";
const SWITCHES: [&str; 3] = ["--eager", "--commit-on-error", "--encrypt-at-rest"];
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
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split(' ').map(str::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn ages_are_whole_seconds() {
        let good = [("90", 90), ("30 min", 1_800), ("30min", 1_800), ("2h", 7_200), ("7d", 604_800)];
        for (text, seconds) in good {
            assert_eq!(age(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "0", "-1h", "500ms", "1mo", "abc", "1.5h", "h", "99999999999999999999d"] {
            assert_eq!(age(text), None, "{text}");
        }
    }

    #[test]
    fn stores_are_told_apart() {
        assert_eq!(store("file:/tmp/a"), Ok(Store::File("/tmp/a".into())));
        let nodes = vec!["redis://a:1".to_owned(), "redis://b:2".to_owned()];
        assert_eq!(store("redis-cluster://a:1,b:2"), Ok(Store::RedisCluster(nodes)));
        let dynamo = Store::DynamoDb { server: "a:1".to_owned(), table: "t".to_owned() };
        assert_eq!(store("dynamodb://a:1/t"), Ok(dynamo));
        for wrong in ["", "disk", "memory:x", "file:", "redis:x", "dynamodb://a:1", "sqlite:"] {
            assert!(store(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_flag_is_named_with_its_value_and_what_is_allowed() {
        let base = "--adapter axum --store memory --listen 127.0.0.1:0";
        assert!(parse(base).is_ok());
        for (flags, names) in [
            ("--age 500ms", &["--age", "500ms", "2h"][..]),
            ("--threads 0", &["--threads", "\"0\"", "1024"]),
            ("--colour red", &["--colour", "--eager"]),
            ("--max-record", &["--max-record", "needs a value"]),
            ("--adapter axum", &["--adapter", "twice"]),
        ] {
            let error = parse(&format!("{base} {flags}")).unwrap_err();
            assert!(names.iter().all(|name| error.contains(name)), "{error}");
            assert_eq!(error.lines().count(), 1);
        }
    }

    #[test]
    fn no_key_and_no_password_is_ever_shown() {
        let error = parse("--adapter axum --store memory --listen 127.0.0.1:0 --key c0ffee").unwrap_err();
        assert!(error.contains("--key") && !error.contains("c0ffee"), "{error}");
        let error = parse("--adapter axum --store pg://ada:pass@host/db --listen 127.0.0.1:0").unwrap_err();
        assert!(error.contains("--store") && !error.contains("pass"), "{error}");
    }
}
