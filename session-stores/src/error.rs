//! What is wrong with a configuration: the key, the value unless it is a secret, and what is allowed.

use std::error::Error;
use std::fmt;

use session_core::{ConfigError, EntropyError, KeyError};

/// The configuration is wrong, or a store in it could not be opened. Nothing was started.
///
/// `key` is the name as the person wrote it: a variable (`SESSION_AGE`), or the path in a file (`cookie.same_site`).
/// No message holds a key, a password or a URL.
///
/// `{:?}` is the sentence and its causes: what an operator reads when `main` returns this error.
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
    /// A value that this setting cannot have.
    #[error("{key} = {value} is not allowed; allowed: {allowed}")]
    Refused {
        /// The setting.
        key: String,
        /// Its value, text in quotation marks.
        value: String,
        /// What it may be.
        allowed: String,
    },
    /// A value that this setting cannot have, and that is not shown because it is, or may hold, a secret.
    #[error("the value of {key} is not allowed (and not shown, as it may hold a secret); allowed: {allowed}")]
    RefusedSecret {
        /// The setting.
        key: String,
        /// What it may be.
        allowed: String,
    },
    /// A key that is not fit to seal sessions.
    #[error("{key}, key {place}: {problem}; allowed: {allowed}")]
    Key {
        /// The setting.
        key: String,
        /// Which of the keys, counting from one.
        place: usize,
        /// What is wrong with it.
        problem: KeyError,
        /// What it may be.
        allowed: String,
    },
    /// Keys that do not go together.
    #[error("{key}: {problem}; allowed: {allowed}")]
    Keys {
        /// The setting.
        key: String,
        /// What is wrong with them.
        problem: KeyError,
        /// What they may be.
        allowed: String,
    },
    /// A setting that is there and has nothing in it.
    #[error("{key} is empty; leave it out for its default, or: {allowed}")]
    Empty {
        /// The setting.
        key: String,
        /// What it may be.
        allowed: String,
    },
    /// No setting has this name: a typing error would otherwise pass for a default.
    #[error("there is no setting {key}{hint}; docs/configuration.md lists them all")]
    Unknown {
        /// The name.
        key: String,
        /// `, perhaps NAME was meant`, or nothing.
        hint: String,
    },
    /// A setting of a store that its driver has no use for.
    #[error("{key} has no meaning for the driver {driver}; it is for {drivers}")]
    Foreign {
        /// The setting.
        key: String,
        /// The store's driver.
        driver: String,
        /// The drivers that know the setting.
        drivers: String,
    },
    /// A setting that must be there.
    #[error("{key} is not set; allowed: {allowed}")]
    Missing {
        /// The setting.
        key: String,
        /// What it may be.
        allowed: String,
    },
    /// A driver that this program was built without.
    #[error(
        "the session driver {driver} is not compiled into this program: enable the feature \"{feature}\" of the crate \
         your sessions come from, as in `cargo add session-axum --features {feature}` \
         (the same for session-actix, session-hyper and session-stores)"
    )]
    NotCompiled {
        /// The driver, and the setting that asks for more of it.
        driver: String,
        /// The feature of `session-stores`, and of every adapter crate.
        feature: &'static str,
    },
    /// No driver and no named store has this name.
    #[error(
        "there is no session driver {driver:?} (SESSION_DRIVER); there are {allowed}, and a table \
         [stores.{driver}] is one of them by its key `driver`"
    )]
    UnknownDriver {
        /// The name.
        driver: String,
        /// The names there are.
        allowed: String,
    },
    /// Sessions in cookies have no store to open.
    #[error("the driver cookie keeps sessions in cookies: there is no store to open")]
    NoStore,
    /// Settings that contradict each other.
    #[error(transparent)]
    Sessions(#[from] ConfigError),
    /// The operating system gave no random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store could not be opened.
    #[error("the session store of the driver {driver} could not be opened")]
    Store {
        /// The driver.
        driver: String,
        /// Why.
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

/// Why a single value was not taken; the caller knows the names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    Refused,
    Key { place: usize, problem: KeyError },
    Keys(KeyError),
}
