//! Every setting, once: its key in a file, its variable, its default, what is allowed, and how it is taken.
//!
//! The environment, files, error messages and the page `docs/configuration.md` all read these two tables.
// Long because it is one table: a setting in a second file would be a setting that is forgotten.

use session_core::{KeyRing, SameSite, SecretKey};

use crate::config::SessionConfig;
use crate::error::{Problem, SettingError};
use crate::store_config::{StoreConfig, is_table};
use crate::value::Value;

/// A setting of the sessions.
///
/// ```
/// use session_stores::SETTINGS;
///
/// let age = SETTINGS.iter().find(|setting| setting.key == "age").unwrap();
/// assert_eq!((age.variable, age.default), ("SESSION_AGE", "2h"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Setting {
    /// Its path in a file: `cookie.same_site`.
    pub key: &'static str,
    /// Its variable.
    pub variable: &'static str,
    /// What holds when nothing is said.
    pub default: &'static str,
    /// What it may be.
    pub allowed: &'static str,
    /// What it is for, in one sentence.
    pub about: &'static str,
    pub(crate) take: fn(&mut SessionConfig, &Value) -> Result<(), Problem>,
}

/// A setting of one store.
///
/// ```
/// use session_stores::STORE_SETTINGS;
///
/// let location = STORE_SETTINGS.iter().find(|setting| setting.key == "location").unwrap();
/// assert_eq!((location.variables, location.drivers), (&["SESSION_FILE_LOCATION"][..], &["file"][..]));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct StoreSetting {
    /// Its key in the table `[stores.NAME]` of a file.
    pub key: &'static str,
    /// Its variables; of several that are set, the first counts. They speak of the store that `SESSION_DRIVER` chooses.
    pub variables: &'static [&'static str],
    /// The drivers that know it; none named: all.
    pub drivers: &'static [&'static str],
    /// What holds when nothing is said.
    pub default: &'static str,
    /// What it may be.
    pub allowed: &'static str,
    /// What it is for, in one sentence.
    pub about: &'static str,
    /// Whether its value is, or may hold, a secret.
    pub secret: bool,
    pub(crate) take: fn(&mut StoreConfig, &Value) -> Result<(), Problem>,
}

/// The settings of the sessions, in the order of the documentation.
///
/// ```
/// for setting in session_stores::SETTINGS {
///     println!("{} ({}): {}", setting.variable, setting.default, setting.about);
/// }
/// ```
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "enabled",
        variable: "SESSION_ENABLED",
        default: "true",
        allowed: FLAG,
        about: "Switched off, the layer steps aside, and extracting a session says so.",
        take: |config, value| put(&mut config.enabled, value.flag()),
    },
    Setting {
        key: "driver",
        variable: "SESSION_DRIVER",
        default: "none: it must be said",
        allowed: "cookie, memory, file, redis, redis-cluster, dynamodb, postgres, mysql, sqlite, \
                  a registered driver, or the name of a table under [stores]",
        about: "Where sessions live.",
        take: |config, value| put(&mut config.driver, name(value).map(Some)),
    },
    Setting {
        key: "keys",
        variable: "SESSION_KEYS",
        default: "none: it must be said",
        allowed: KEYS,
        about: "The keys that seal cookies: the first seals, all open. `APP_KEY` counts if this is not set.",
        take: take_keys,
    },
    Setting {
        key: "age",
        variable: "SESSION_AGE",
        default: "2h",
        allowed: AGE,
        about: "How long a session may lie unused.",
        take: |config, value| put(&mut config.age, value.age()),
    },
    Setting {
        key: "absolute",
        variable: "SESSION_ABSOLUTE",
        default: "24h",
        allowed: AGE_OR_NEVER,
        about: "How long a session may live in all; not less than `age`.",
        take: |config, value| put(&mut config.absolute, value.age_or_never()),
    },
    Setting {
        key: "clear_with_browser",
        variable: "SESSION_CLEAR_WITH_BROWSER",
        default: "true",
        allowed: FLAG,
        about: "Whether the cookie ends with the browser, unless a session decides for itself.",
        take: |config, value| put(&mut config.clear_with_browser, value.flag()),
    },
    Setting {
        key: "eager",
        variable: "SESSION_EAGER",
        default: "false",
        allowed: FLAG,
        about: "The classic behaviour: every visit opens its session, every response carries the cookie.",
        take: |config, value| put(&mut config.eager, value.flag()),
    },
    Setting {
        key: "commit_on_error",
        variable: "SESSION_COMMIT_ON_ERROR",
        default: "false",
        allowed: FLAG,
        about: "Write data changes even when the response is a 5xx.",
        take: |config, value| put(&mut config.commit_on_error, value.flag()),
    },
    Setting {
        key: "encrypt",
        variable: "SESSION_ENCRYPT",
        default: "false",
        allowed: FLAG,
        about: "Seal what the store keeps, with the same keys.",
        take: |config, value| put(&mut config.encrypt, value.flag()),
    },
    Setting {
        key: "max_record",
        variable: "SESSION_MAX_RECORD",
        default: "64 KiB",
        allowed: SIZE,
        about: "The largest session; a larger one is an error.",
        take: |config, value| put(&mut config.max_record, value.size()),
    },
    Setting {
        key: "tombstone",
        variable: "SESSION_TOMBSTONE",
        default: "60s",
        allowed: AGE,
        about: "How long an ended session is remembered as ended: at least as long as the longest request.",
        take: |config, value| put(&mut config.tombstone, value.age()),
    },
    Setting {
        key: "contention",
        variable: "SESSION_CONTENTION",
        default: "2s",
        allowed: PATIENCE,
        about: "How long a commit may go on replaying over other requests' writes.",
        take: |config, value| put(&mut config.contention, value.patience()),
    },
    Setting {
        key: "purpose",
        variable: "SESSION_PURPOSE",
        default: "session",
        allowed: NAME,
        about: "What these sessions are for: cookies of one purpose never open for another.",
        take: |config, value| put(&mut config.purpose, name(value).map(Some)),
    },
    Setting {
        key: "secret_fields",
        variable: "SESSION_SECRET_FIELDS",
        default: "password, password_confirmation, _csrf, _token, _method",
        allowed: LIST,
        about: "Form fields that are never flashed back unless named.",
        take: |config, value| put(&mut config.secret_fields, value.list().map(Some)),
    },
    Setting {
        key: "redirect_hosts",
        variable: "SESSION_REDIRECT_HOSTS",
        default: "none",
        allowed: LIST,
        about: "Hosts that an intended URL may lead to besides paths on this site.",
        take: |config, value| put(&mut config.redirect_hosts, value.list()),
    },
    Setting {
        key: "cookie.name",
        variable: "SESSION_COOKIE_NAME",
        default: "__Host-sid",
        allowed: "ASCII letters, digits and !#$%&'*+-.^_`|~",
        about: "The cookie's name. The default is `__Secure-sid` with a domain or path, `sid` without `secure`.",
        take: |config, value| put(&mut config.cookie.name, token(value).map(Some)),
    },
    Setting {
        key: "cookie.path",
        variable: "SESSION_COOKIE_PATH",
        default: "/",
        allowed: "a path that begins with /, of printable ASCII without semicolons",
        about: "The path below which browsers send the cookie. It is no protection.",
        take: |config, value| put(&mut config.cookie.path, path(value)),
    },
    Setting {
        key: "cookie.domain",
        variable: "SESSION_COOKIE_DOMAIN",
        default: "none: one host only",
        allowed: "a domain of ASCII letters, digits, dots and hyphens",
        about: "The domain with all of whose hosts the cookie is shared.",
        take: |config, value| put(&mut config.cookie.domain, domain(value).map(Some)),
    },
    Setting {
        key: "cookie.http_only",
        variable: "SESSION_COOKIE_HTTP_ONLY",
        default: "true",
        allowed: FLAG,
        about: "Whether the cookie is hidden from scripts.",
        take: |config, value| put(&mut config.cookie.http_only, value.flag()),
    },
    Setting {
        key: "cookie.secure",
        variable: "SESSION_COOKIE_SECURE",
        default: "true",
        allowed: FLAG,
        about: "Whether the cookie travels over HTTPS only. `false` is for development; it drops a `__Host-` or \
                `__Secure-` in front of the name, which browsers would refuse.",
        take: |config, value| put(&mut config.cookie.secure, value.flag()),
    },
    Setting {
        key: "cookie.same_site",
        variable: "SESSION_COOKIE_SAME_SITE",
        default: "lax",
        allowed: "strict, lax or none",
        about: "Whether the cookie comes along with requests that other sites cause.",
        take: |config, value| put(&mut config.cookie.same_site, same_site(value)),
    },
    Setting {
        key: "cookie.partitioned",
        variable: "SESSION_COOKIE_PARTITIONED",
        default: "false",
        allowed: FLAG,
        about: "Whether each top-level site that embeds this one gets a cookie of its own (CHIPS).",
        take: |config, value| put(&mut config.cookie.partitioned, value.flag()),
    },
];

/// The settings of one store, in the order of the documentation.
///
/// ```
/// let mut redis = session_stores::STORE_SETTINGS.iter().filter(|setting| setting.drivers.contains(&"redis"));
/// assert!(redis.any(|setting| setting.variables == ["REDIS_URL"]));
/// ```
pub const STORE_SETTINGS: &[StoreSetting] = &[
    StoreSetting {
        key: "url",
        variables: &["REDIS_URL"],
        drivers: &["redis", "redis-cluster"],
        default: "redis://127.0.0.1:6379",
        allowed: "redis://[user:password@]host[:port][/db], rediss://… (feature redis-tls), \
                  redis-cluster://host:port,host:port (feature redis-cluster)",
        about: "Where Redis or Valkey is.",
        secret: true,
        take: take_url,
    },
    StoreSetting {
        key: "url",
        variables: &["DATABASE_URL"],
        drivers: &["postgres", "mysql", "sqlite"],
        default: "none for postgres and mysql; sqlite:sessions.db for sqlite",
        allowed: "postgres://user:password@host:port/database, mysql://user:password@host:port/database, sqlite:PATH",
        about: "Where the database is.",
        secret: true,
        take: take_url,
    },
    StoreSetting {
        key: "location",
        variables: &["SESSION_FILE_LOCATION"],
        drivers: &["file"],
        default: "sessions",
        allowed: "a directory of its own on a local disk",
        about: "Where the file store keeps its files.",
        secret: false,
        take: |config, value| put(&mut config.location, value.text().map(|path| Some(path.into()))),
    },
    StoreSetting {
        key: "prefix",
        variables: &["SESSION_PREFIX"],
        drivers: &["redis", "redis-cluster", "dynamodb"],
        default: "app",
        allowed: "1 to 64 letters, digits, -, _ and . (a : at the end is dropped)",
        about: "What every key begins with: one for each application on a server.",
        secret: false,
        take: |config, value| put(&mut config.prefix, prefix(value)),
    },
    StoreSetting {
        key: "table",
        variables: &["SESSION_TABLE"],
        drivers: &["postgres", "mysql", "sqlite", "dynamodb"],
        default: "sessions",
        allowed: "1 to 255 letters, digits, -, _ and .; \
                  for SQL a lower-case letter, then lower-case letters, digits and _, at most 40",
        about: "The table sessions live in.",
        secret: false,
        take: |config, value| put(&mut config.table, table(value)),
    },
    StoreSetting {
        key: "timeout",
        variables: &["SESSION_STORE_TIMEOUT"],
        drivers: &[],
        default: "2s",
        allowed: PATIENCE,
        about: "How long one call of the store may take before it is an error.",
        secret: false,
        take: |config, value| put(&mut config.timeout, value.patience()),
    },
    StoreSetting {
        key: "max_record",
        variables: &[],
        drivers: &[],
        default: "as for the sessions",
        allowed: SIZE,
        about: "The largest record this store takes.",
        secret: false,
        take: |config, value| put(&mut config.max_record, value.size().map(Some)),
    },
    StoreSetting {
        key: "prepare",
        variables: &["SESSION_PREPARE"],
        drivers: &["redis", "redis-cluster", "postgres", "mysql", "sqlite", "dynamodb"],
        default: "true",
        allowed: FLAG,
        about: "Contact the server at start-up: connect, and make the table if it is missing. `false` starts without \
                the server, and leaves the table to your own tools.",
        secret: false,
        take: |config, value| put(&mut config.prepare, value.flag()),
    },
    StoreSetting {
        key: "max_connections",
        variables: &["SESSION_MAX_CONNECTIONS"],
        drivers: &["postgres", "mysql", "sqlite"],
        default: "10",
        allowed: "1 to 10000",
        about: "The most connections to the database.",
        secret: false,
        take: |config, value| {
            put(
                &mut config.max_connections,
                value.count(10_000).map(|most| u32::try_from(most).unwrap_or(10_000)),
            )
        },
    },
    StoreSetting {
        key: "max_sessions",
        variables: &["SESSION_MAX_SESSIONS"],
        drivers: &["memory"],
        default: "1000000",
        allowed: "1 to 1000000000",
        about: "The most sessions kept in memory; one more evicts one, anonymous ones first.",
        secret: false,
        take: |config, value| {
            let most = value.count(1_000_000_000).map(|most| usize::try_from(most).unwrap_or(usize::MAX));
            put(&mut config.max_sessions, most)
        },
    },
    StoreSetting {
        key: "endpoint",
        variables: &["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"],
        drivers: &["dynamodb"],
        default: "none: it must be said",
        allowed: "http://HOST:PORT (for AWS itself, register the driver with your own client)",
        about: "Where a server is that speaks DynamoDB's API.",
        secret: false,
        take: |config, value| put(&mut config.endpoint, endpoint(value).map(Some)),
    },
    StoreSetting {
        key: "region",
        variables: &["AWS_REGION", "AWS_DEFAULT_REGION"],
        drivers: &["dynamodb"],
        default: "us-east-1",
        allowed: NAME,
        about: "The region.",
        secret: false,
        take: |config, value| put(&mut config.region, name(value)),
    },
    StoreSetting {
        key: "access_key_id",
        variables: &["AWS_ACCESS_KEY_ID"],
        drivers: &["dynamodb"],
        default: "local",
        allowed: "a text",
        about: "Who asks.",
        secret: true,
        take: |config, value| put(&mut config.access_key_id, value.text().map(|id| Some(id.to_owned()))),
    },
    StoreSetting {
        key: "secret_access_key",
        variables: &["AWS_SECRET_ACCESS_KEY"],
        drivers: &["dynamodb"],
        default: "local",
        allowed: "a text",
        about: "The secret of the one who asks.",
        secret: true,
        take: |config, value| put(&mut config.secret_access_key, value.text().map(|key| Some(key.into()))),
    },
    StoreSetting {
        key: "session_token",
        variables: &["AWS_SESSION_TOKEN"],
        drivers: &["dynamodb"],
        default: "none",
        allowed: "a text",
        about: "The token of a temporary access.",
        secret: true,
        take: |config, value| put(&mut config.session_token, value.text().map(|token| Some(token.into()))),
    },
];

impl Setting {
    pub(crate) fn apply(
        &self,
        key: &str,
        config: &mut SessionConfig,
        value: &Value,
    ) -> Result<(), SettingError> {
        let secret = self.key == "keys";
        let problem = match value.is_empty_text() {
            true => {
                return Err(SettingError::Empty { key: key.to_owned(), allowed: self.allowed.to_owned() });
            }
            false => (self.take)(config, value),
        };
        problem.map_err(|problem| explain(key, value, self.allowed, secret, problem))
    }
}

impl StoreSetting {
    pub(crate) fn apply(
        &self,
        key: &str,
        config: &mut StoreConfig,
        value: &Value,
    ) -> Result<(), SettingError> {
        if value.is_empty_text() {
            return Err(SettingError::Empty { key: key.to_owned(), allowed: self.allowed.to_owned() });
        }
        (self.take)(config, value).map_err(|problem| explain(key, value, self.allowed, self.secret, problem))
    }

    pub(crate) fn is_for(&self, driver: &str) -> bool {
        self.drivers.is_empty() || self.drivers.contains(&driver)
    }
}

fn explain(key: &str, value: &Value, allowed: &str, secret: bool, problem: Problem) -> SettingError {
    let (key, allowed) = (key.to_owned(), allowed.to_owned());
    match problem {
        Problem::Key { place, problem } => SettingError::Key { key, place, problem, allowed },
        Problem::Keys(problem) => SettingError::Keys { key, problem, allowed },
        Problem::Refused if secret => SettingError::RefusedSecret { key, allowed },
        Problem::Refused => SettingError::Refused { key, value: value.to_string(), allowed },
    }
}

fn put<T>(place: &mut T, read: Result<T, Problem>) -> Result<(), Problem> {
    *place = read?;
    Ok(())
}

fn take_keys(config: &mut SessionConfig, value: &Value) -> Result<(), Problem> {
    let read = |(at, text): (usize, String)| {
        text.parse::<SecretKey>().map_err(|problem| Problem::Key { place: at + 1, problem })
    };
    let keys: Vec<SecretKey> = value.list()?.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
    KeyRing::new(keys.iter().cloned()).map_err(Problem::Keys)?;
    config.keys = keys;
    Ok(())
}

fn take_url(config: &mut StoreConfig, value: &Value) -> Result<(), Problem> {
    put(&mut config.url, value.text().map(|url| Some(url.into())))
}

fn checked(value: &Value, fits: impl Fn(&str) -> bool) -> Result<String, Problem> {
    value.text().and_then(|text| if fits(text) { Ok(text.to_owned()) } else { Err(Problem::Refused) })
}

fn name(value: &Value) -> Result<String, Problem> {
    checked(value, |text| {
        text.len() <= 64
            && !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    })
}

fn token(value: &Value) -> Result<String, Problem> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    checked(value, |text| !text.is_empty() && text.bytes().all(fits))
}

fn path(value: &Value) -> Result<String, Problem> {
    checked(value, |text| {
        text.starts_with('/') && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b';')
    })
}

fn domain(value: &Value) -> Result<String, Problem> {
    checked(value, |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)))
}

fn prefix(value: &Value) -> Result<String, Problem> {
    let prefix = value.text()?;
    name(&Value::Text(prefix.strip_suffix(':').unwrap_or(prefix).to_owned()))
}

fn table(value: &Value) -> Result<String, Problem> {
    checked(value, is_table)
}

fn endpoint(value: &Value) -> Result<String, Problem> {
    checked(value, |text| {
        let place = text.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let parts = place.and_then(|place| place.rsplit_once(':'));
        parts.is_some_and(|(host, port)| {
            !host.is_empty() && !host.contains(['@', '/', '?', '#']) && port.parse::<u16>().is_ok()
        })
    })
    .map(|text| text.trim_end_matches('/').to_owned())
}

fn same_site(value: &Value) -> Result<SameSite, Problem> {
    match value.text()?.to_ascii_lowercase().as_str() {
        "strict" => Ok(SameSite::Strict),
        "lax" => Ok(SameSite::Lax),
        "none" => Ok(SameSite::None),
        _ => Err(Problem::Refused),
    }
}

const FLAG: &str = "true or false";
const AGE: &str = "whole seconds from 1 up, as 2h, 30 min, 7d, or a bare number of seconds";
const AGE_OR_NEVER: &str = "whole seconds from 1 up, as 24h, 30 days, or a bare number of seconds; or never";
const PATIENCE: &str = "1ms to 5min, as 500ms, 2s, or a bare number of seconds";
const SIZE: &str = "256 to 16777216 bytes, as 65536, 64 KiB, 1 MiB";
const NAME: &str = "1 to 64 letters, digits, -, _ and .";
const LIST: &str = "a list of names, in the environment with commas between them";
const KEYS: &str = "1 to 8 keys of 32 random bytes or more each, as hexadecimal or base64 \
                    (base64: in front is allowed), in the environment with commas between them";
