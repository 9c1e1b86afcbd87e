//! The table of session settings: key in a file, environment variable, default, accepted values, and parser.
//!
//! The environment, files, error messages and `docs/configuration.md` are all based on this table.

use session_core::{KeyRing, SecretKey};

use crate::config::SessionConfig;
use crate::device::{mode, paths};
use crate::error::{Problem, SettingError};
use crate::migrate::{FROM, from};
use crate::migrate_cookie::{MOMENT, moment};
use crate::reading::{
    AGE, AGE_OR_NEVER, FLAG, HOSTS, KEYS, LIST, NAME, PATIENCE, SIZE, domain, hosts, name, path, prefix, put,
    same_site, table, token,
};
use crate::value::Value;

/// A session setting.
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
    /// The path in a file: `cookie.same_site`.
    pub key: &'static str,
    /// The environment variable.
    pub variable: &'static str,
    /// The default, as text.
    pub default: &'static str,
    /// The accepted values.
    pub allowed: &'static str,
    /// What the setting does, in one sentence.
    pub about: &'static str,
    pub(crate) take: fn(&mut SessionConfig, &Value) -> Result<(), Problem>,
}

/// All session settings, in the order of the documentation.
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
        about: "Whether sessions are enabled. If not, the layer forwards requests unchanged, and extracting a session is an error.",
        take: |config, value| put(&mut config.enabled, value.flag()),
    },
    Setting {
        key: "driver",
        variable: "SESSION_DRIVER",
        default: "none (required)",
        allowed: "cookie, memory, file, redb, redis, redis-cluster, redis-sentinel, memcached, etcd, dynamodb, postgres, \
                  mysql, sqlite, a registered driver, or the name of a table under [stores]",
        about: "Where sessions are stored.",
        take: |config, value| put(&mut config.driver, name(value).map(Some)),
    },
    Setting {
        key: "revocations",
        variable: "SESSION_REVOCATIONS",
        default: "none: a copied cookie is valid until its deadline",
        allowed: "a driver other than cookie, or the name of a table under [stores]",
        about: "For sessions in cookies: the store that records ended sessions, so that a copied cookie is rejected after \
                the sign-out. Costs one load per visit that opens its session.",
        take: |config, value| put(&mut config.revocations, name(value).map(Some)),
    },
    Setting {
        key: "keys",
        variable: "SESSION_KEYS",
        default: "none (required)",
        allowed: KEYS,
        about: "The secret keys for cookies: the first seals, all open. Falls back to `APP_KEY`.",
        take: take_keys,
    },
    Setting {
        key: "age",
        variable: "SESSION_AGE",
        default: "2h",
        allowed: AGE,
        about: "The idle timeout: how long a session stays valid without being used.",
        take: |config, value| put(&mut config.age, value.age()),
    },
    Setting {
        key: "absolute",
        variable: "SESSION_ABSOLUTE",
        default: "24h",
        allowed: AGE_OR_NEVER,
        about: "The absolute lifetime of a session; not less than `age`.",
        take: |config, value| put(&mut config.absolute, value.age_or_never()),
    },
    Setting {
        key: "clear_with_browser",
        variable: "SESSION_CLEAR_WITH_BROWSER",
        default: "true",
        allowed: FLAG,
        about: "Whether the cookie is removed when the browser closes, unless set for a single session.",
        take: |config, value| put(&mut config.clear_with_browser, value.flag()),
    },
    Setting {
        key: "eager",
        variable: "SESSION_EAGER",
        default: "false",
        allowed: FLAG,
        about: "Whether every visit opens its session and every response carries the cookie, as in classic frameworks.",
        take: |config, value| put(&mut config.eager, value.flag()),
    },
    Setting {
        key: "commit_on_error",
        variable: "SESSION_COMMIT_ON_ERROR",
        default: "false",
        allowed: FLAG,
        about: "Whether changes of data are written even if the response is a 5xx.",
        take: |config, value| put(&mut config.commit_on_error, value.flag()),
    },
    Setting {
        key: "encrypt",
        variable: "SESSION_ENCRYPT",
        default: "false",
        allowed: FLAG,
        about: "Whether records in the store are encrypted, with the same keys.",
        take: |config, value| put(&mut config.encrypt, value.flag()),
    },
    Setting {
        key: "max_record",
        variable: "SESSION_MAX_RECORD",
        default: "64 KiB",
        allowed: SIZE,
        about: "The maximum size of a session; a larger one is an error.",
        take: |config, value| put(&mut config.max_record, value.size()),
    },
    Setting {
        key: "tombstone",
        variable: "SESSION_TOMBSTONE",
        default: "60s",
        allowed: AGE,
        about: "How long the tombstone of an ended session is kept: at least as long as the longest request.",
        take: |config, value| put(&mut config.tombstone, value.age()),
    },
    Setting {
        key: "contention",
        variable: "SESSION_CONTENTION",
        default: "2s",
        allowed: PATIENCE,
        about: "How long a commit retries after conflicts with other requests.",
        take: |config, value| put(&mut config.contention, value.patience()),
    },
    Setting {
        key: "purpose",
        variable: "SESSION_PURPOSE",
        default: "session",
        allowed: NAME,
        about: "The purpose of these sessions: a cookie sealed for one purpose does not open for another.",
        take: |config, value| put(&mut config.purpose, name(value).map(Some)),
    },
    Setting {
        key: "secret_fields",
        variable: "SESSION_SECRET_FIELDS",
        default: "none",
        allowed: LIST,
        about: "Words of the names of form fields that are not kept as old input unless named explicitly, in addition to password, passwd, pass, pwd, passphrase, secret, token, csrf, pin, otp, cvc, cvv, ssn, api key, private key, card number.",
        take: |config, value| put(&mut config.secret_fields, value.list().map(Some)),
    },
    Setting {
        key: "redirect_hosts",
        variable: "SESSION_REDIRECT_HOSTS",
        default: "none",
        allowed: HOSTS,
        about: "Other hosts that a redirect may lead to, over https.",
        take: |config, value| put(&mut config.redirect_hosts, hosts(value)),
    },
    Setting {
        key: "redirect_over_http",
        variable: "SESSION_REDIRECT_OVER_HTTP",
        default: "false",
        allowed: FLAG,
        about: "Whether a redirect may lead to these hosts over plain http as well, for development.",
        take: |config, value| put(&mut config.redirect_over_http, value.flag()),
    },
    Setting {
        key: "private_pages",
        variable: "SESSION_PRIVATE_PAGES",
        default: "false",
        allowed: FLAG,
        about: "Whether pages of users, and pages with a CSRF token, are kept out of every cache (`no-store, private`).",
        take: |config, value| put(&mut config.private_pages, value.flag()),
    },
    Setting {
        key: "xsrf_cookie",
        variable: "SESSION_XSRF_COOKIE",
        default: "false",
        allowed: FLAG,
        about: "Whether the CSRF token is also set as the cookie `XSRF-TOKEN`, which axios and Angular send back.",
        take: |config, value| put(&mut config.xsrf_cookie, value.flag()),
    },
    Setting {
        key: "device_binding",
        variable: "SESSION_DEVICE_BINDING",
        default: "off",
        allowed: "off, observe or require",
        about: "Whether sessions are bound to the device that signs in (feature `dbsc`): `observe` reports requests without \
                proof, `require` treats them as a stranger's. See [Device binding](device-binding.md).",
        take: |config, value| put(&mut config.device_binding, mode(value)),
    },
    Setting {
        key: "device_binding_paths",
        variable: "SESSION_DEVICE_BINDING_PATHS",
        default: "none: everywhere",
        allowed: "a list of paths that begin with /, separated by commas in the environment",
        about: "The paths, with everything below them, for which `require` asks for the proof.",
        take: |config, value| put(&mut config.device_binding_paths, paths(value)),
    },
    Setting {
        key: "device_binding_refresh",
        variable: "SESSION_DEVICE_BINDING_REFRESH",
        default: "5min",
        allowed: AGE,
        about: "How long one proof of the device lasts, and for how long a copied cookie works. Not less than 3 minutes outside of \
                tests.",
        take: |config, value| put(&mut config.device_binding_refresh, value.age()),
    },
    Setting {
        key: "device_binding_rs256",
        variable: "SESSION_DEVICE_BINDING_RS256",
        default: "false",
        allowed: FLAG,
        about: "Whether the device's key may be an RSA key (feature `dbsc-rs256`), for hardware that makes no others.",
        take: |config, value| put(&mut config.device_binding_rs256, value.flag()),
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
        about: "The path under which browsers send the cookie. It is not a security boundary.",
        take: |config, value| put(&mut config.cookie.path, path(value)),
    },
    Setting {
        key: "cookie.domain",
        variable: "SESSION_COOKIE_DOMAIN",
        default: "none (host-only)",
        allowed: "a domain of ASCII letters, digits, dots and hyphens",
        about: "The domain whose hosts share the cookie.",
        take: |config, value| put(&mut config.cookie.domain, domain(value).map(Some)),
    },
    Setting {
        key: "cookie.domains",
        variable: "SESSION_COOKIE_DOMAINS",
        default: "none",
        allowed: LIST,
        about: "Several domains, one for each tenant: a response's cookie gets the one that the request's host belongs to. On \
                other hosts it is host-only.",
        take: |config, value| put(&mut config.cookie.domains, value.list()),
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
        about: "Whether the cookie is sent over HTTPS only. `false` is for development. A name with a prefix such as \
                `__Host-` requires it.",
        take: |config, value| put(&mut config.cookie.secure, value.flag()),
    },
    Setting {
        key: "cookie.same_site",
        variable: "SESSION_COOKIE_SAME_SITE",
        default: "lax",
        allowed: "strict, lax or none",
        about: "Whether the cookie is sent with cross-site requests.",
        take: |config, value| put(&mut config.cookie.same_site, same_site(value)),
    },
    Setting {
        key: "cookie.partitioned",
        variable: "SESSION_COOKIE_PARTITIONED",
        default: "false",
        allowed: FLAG,
        about: "Whether each top-level site that embeds this one gets a separate cookie (CHIPS).",
        take: |config, value| put(&mut config.cookie.partitioned, value.flag()),
    },
    Setting {
        key: "cookie.max_size",
        variable: "SESSION_COOKIE_MAX_SIZE",
        default: "4 KiB",
        allowed: SIZE,
        about: "The maximum size of the cookie with its name, value and attributes; a larger one is an error. Browsers keep \
                at most 4 KiB of name and value, whatever is set here.",
        take: |config, value| put(&mut config.cookie.max_size, value.size()),
    },
    Setting {
        key: "migrate.from",
        variable: "SESSION_MIGRATE_FROM",
        default: "none: there is one store",
        allowed: FROM,
        about: "The store that sessions are moved from while they are in use, to the one of `driver`. The variables of its \
                driver apply to it, unless they are those of `driver` as well and name the server: give a URL then. From or to \
                `cookie`, `migrate.until` is required.",
        take: |config, value| put(&mut config.migrate.from, from(value).map(Some)),
    },
    Setting {
        key: "migrate.prefix",
        variable: "SESSION_MIGRATE_PREFIX",
        default: "as for any store",
        allowed: "1 to 64 letters, digits, -, _ and . (a trailing : is removed)",
        about: "The prefix of store keys in the store that sessions are moved from, if it is not the same as in the new one.",
        take: |config, value| put(&mut config.migrate.prefix, prefix(value).map(Some)),
    },
    Setting {
        key: "migrate.table",
        variable: "SESSION_MIGRATE_TABLE",
        default: "as for any store",
        allowed: "1 to 255 letters, digits, -, _ and .",
        about: "The table in the store that sessions are moved from, if it has not the same name as the new one.",
        take: |config, value| put(&mut config.migrate.table, table(value).map(Some)),
    },
    Setting {
        key: "migrate.standby",
        variable: "SESSION_MIGRATE_STANDBY",
        default: "false",
        allowed: FLAG,
        about: "Leave sessions in the old store, and find those that other processes have moved: for the first of the two \
                deployments of a migration.",
        take: |config, value| put(&mut config.migrate.standby, value.flag()),
    },
    Setting {
        key: "migrate.cookie_name",
        variable: "SESSION_MIGRATE_COOKIE_NAME",
        default: "as for cookie.name",
        allowed: "ASCII letters, digits and !#$%&'*+-.^_`|~",
        about: "What `SESSION_COOKIE_NAME` was before, if it was set.",
        take: |config, value| put(&mut config.migrate.cookie_name, token(value).map(Some)),
    },
    Setting {
        key: "migrate.cookie_path",
        variable: "SESSION_MIGRATE_COOKIE_PATH",
        default: "/",
        allowed: "a path that begins with /, of printable ASCII without semicolons",
        about: "What `SESSION_COOKIE_PATH` was before, if it was set.",
        take: |config, value| put(&mut config.migrate.cookie_path, path(value).map(Some)),
    },
    Setting {
        key: "migrate.cookie_domain",
        variable: "SESSION_MIGRATE_COOKIE_DOMAIN",
        default: "none (host-only)",
        allowed: "a domain of ASCII letters, digits, dots and hyphens",
        about: "What `SESSION_COOKIE_DOMAIN` was before, if it was set.",
        take: |config, value| put(&mut config.migrate.cookie_domain, domain(value).map(Some)),
    },
    Setting {
        key: "migrate.until",
        variable: "SESSION_MIGRATE_UNTIL",
        default: "none: no old cookie is recognised",
        allowed: MOMENT,
        about: "Until when cookies of the earlier configuration are recognised: those of the earlier name, path and domain, and \
                those of sessions that move between the cookie and a store. See \
                [Changing the cookie](migrating/changing-the-cookie.md).",
        take: |config, value| put(&mut config.migrate.until, moment(value).map(Some)),
    },
];

impl Setting {
    pub(crate) fn apply(
        &self,
        key: &str,
        config: &mut SessionConfig,
        value: &Value,
    ) -> Result<(), SettingError> {
        let secret = matches!(self.key, "keys" | "migrate.from");
        let problem = match value.is_empty_text() {
            true => {
                return Err(SettingError::Empty { key: key.to_owned(), allowed: self.allowed.to_owned() });
            }
            false => (self.take)(config, value),
        };
        problem.map_err(|problem| explain(key, value, self.allowed, secret, problem))
    }
}

pub(crate) fn explain(
    key: &str,
    value: &Value,
    allowed: &str,
    secret: bool,
    problem: Problem,
) -> SettingError {
    let (key, allowed) = (key.to_owned(), allowed.to_owned());
    match problem {
        Problem::Key { place, problem } => SettingError::Key { key, place, problem, allowed },
        Problem::Keys(problem) => SettingError::Keys { key, problem, allowed },
        Problem::Refused if secret => SettingError::RefusedSecret { key, allowed },
        Problem::Refused => SettingError::Refused { key, value: value.to_string(), allowed },
    }
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
