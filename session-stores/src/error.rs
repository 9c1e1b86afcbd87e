//! Errors in a configuration: the setting, its value unless secret, and the accepted values.

use std::error::Error;
use std::fmt;

use session_core::{
    ConfigError,
    error::{EntropyError, KeyError},
};

/// Returned when the configuration is invalid or a store in it cannot be opened.
///
/// `key` is the name that the user wrote: a variable (`SESSION_AGE`) or the path in a file (`cookie.same_site`).
/// Messages never contain secret keys, passwords or URLs.
///
/// `Debug` prints the message and its causes, so that an operator can read the error when `main` returns it.
///
/// ```
/// use session_stores::SessionConfig;
///
/// let error = SessionConfig::from_vars([("SESSION_COOKIE_SAME_SITE", "sometimes")]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "SESSION_COOKIE_SAME_SITE = \"sometimes\" is not allowed; allowed: strict, lax or none"
/// );
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// The value is not accepted by the setting.
    #[error("{key} = {value} is not allowed; allowed: {allowed}")]
    Refused {
        /// The setting.
        key: String,
        /// The value; strings are quoted.
        value: String,
        /// The accepted values.
        allowed: String,
    },
    /// The value is not accepted by the setting, and is not shown because it is or may contain a secret.
    #[error(
        "the value of {key} is not allowed (and not shown, because it may contain a secret); allowed: {allowed}"
    )]
    RefusedSecret {
        /// The setting.
        key: String,
        /// The accepted values.
        allowed: String,
    },
    /// A secret key is invalid.
    #[error("{key}, key {place}: {problem}; allowed: {allowed}")]
    Key {
        /// The setting.
        key: String,
        /// The position of the key, starting from 1.
        place: usize,
        /// What is wrong with the key.
        problem: KeyError,
        /// The accepted values.
        allowed: String,
    },
    /// The secret keys do not form a valid key ring.
    #[error("{key}: {problem}; allowed: {allowed}")]
    Keys {
        /// The setting.
        key: String,
        /// What is wrong with the keys.
        problem: KeyError,
        /// The accepted values.
        allowed: String,
    },
    /// The setting has an empty value.
    #[error("{key} is empty; omit it to use the default; allowed: {allowed}")]
    Empty {
        /// The setting.
        key: String,
        /// The accepted values.
        allowed: String,
    },
    /// No setting has this name. Unknown names are errors so that a misspelled setting does not fall back to its
    /// default.
    #[error("unknown setting {key}{hint}; docs/configuration.md lists all settings")]
    Unknown {
        /// The unknown name.
        key: String,
        /// A suggestion such as ` (did you mean NAME?)`, or empty.
        hint: String,
    },
    /// The setting does not apply to the driver of the store.
    #[error("{key} does not apply to the driver {driver}; it applies to {drivers}")]
    Foreign {
        /// The setting.
        key: String,
        /// The store's driver.
        driver: String,
        /// The drivers that accept the setting.
        drivers: String,
    },
    /// A required setting is missing.
    #[error("{key} is not set; allowed: {allowed}")]
    Missing {
        /// The setting.
        key: String,
        /// The accepted values.
        allowed: String,
    },
    /// The driver was not compiled into this program.
    #[error(
        "the session driver {driver} is not compiled into this program: enable the feature \"{feature}\" of the crate \
         your sessions come from, as in `cargo add session-axum --features {feature}` \
         (the same for session-actix, session-hyper and session-stores)"
    )]
    NotCompiled {
        /// The driver, with the setting that requires the feature.
        driver: String,
        /// The required feature of `session-stores` and of every adapter crate.
        feature: &'static str,
    },
    /// The setting needs a feature that was not compiled into this program.
    #[error(
        "{key} = {value} needs the feature \"{feature}\", which is not compiled into this program: enable it in the crate \
         your sessions come from, as in `cargo add session-axum --features {feature}` \
         (the same for session-actix, session-hyper and session-stores)"
    )]
    FeatureOff {
        /// The setting.
        key: String,
        /// Its value.
        value: String,
        /// The required feature of `session-stores` and of every adapter crate.
        feature: &'static str,
    },
    /// There is no driver or store with this name.
    #[error(
        "unknown session driver {driver:?} (SESSION_DRIVER); allowed: {allowed}; to use this name, \
         add a table [stores.{driver}] with one of them as `driver`"
    )]
    UnknownDriver {
        /// The unknown name.
        driver: String,
        /// The known names.
        allowed: String,
    },
    /// Sessions are stored in cookies, so there is no store to open.
    #[error("the driver cookie stores sessions in cookies: there is no store to open")]
    NoStore,
    /// The settings contradict each other.
    #[error(transparent)]
    Sessions(#[from] ConfigError),
    /// The operating system returned no random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store could not be opened.
    #[error("the session store of the driver {driver} could not be opened")]
    Store {
        /// The driver.
        driver: String,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Debug for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut source = self.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

/// The reason why a single value was rejected. The caller adds the name of the setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    Refused,
    Key { place: usize, problem: KeyError },
    Keys(KeyError),
}
