//! The errors of opening, using and configuring sessions.

use crate::decision::policy::PolicyError;
use crate::decision::state::NewerFormat;
use crate::engine::report::Failure;
use crate::engine::sources::EntropyError;
use crate::value::answer::StoreError;
use crate::value::error::ValueError;

/// Returned when a session cannot be opened. It never means "there is no session": respond with 503 and do not change
/// the cookie.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store failed.
    #[error("the session could not be loaded")]
    Store(#[source] StoreError),
    /// The record was written by a newer version of this library, and is not changed.
    #[error("the session could not be loaded")]
    Newer(#[source] NewerFormat),
    /// Sessions are switched off (`SESSION_ENABLED=false`).
    #[error("sessions are switched off by configuration")]
    Disabled,
    /// The response was already sent.
    #[error("the response was already sent")]
    Closed,
}

impl OpenError {
    /// Returns the failure to respond with when a handler cannot have its session.
    #[must_use]
    pub const fn failure(&self) -> Failure {
        match self {
            Self::Store(_) | Self::Newer(_) => Failure::Unavailable,
            Self::Disabled | Self::Closed => Failure::Internal,
        }
    }
}

/// Returned when an operation on a session fails. Nothing was changed.
///
/// ```
/// use session_core::{Session, SessionError};
///
/// let session = Session::standalone();
/// session.destroy()?;
/// assert!(matches!(session.put("user", "ada"), Err(SessionError::Destroyed)));
/// assert!(matches!(session.to_read_only().put("user", "ada"), Err(SessionError::ReadOnly)));
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// A path is malformed, or a value is of the wrong type.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The handle is read-only.
    #[error("the session is read-only here")]
    ReadOnly,
    /// The session was destroyed earlier in this request.
    #[error("the session was destroyed")]
    Destroyed,
    /// The head of the response was already sent, so a change could not be kept.
    #[error("the response was already sent; the session can no longer be changed")]
    Closed,
    /// The session is used inside of a closure or an implementation of `Serialize` or `Deserialize` that a call on the
    /// same session is running, such as the closure of [`update`](crate::Session::update).
    #[error(
        "the session is already in use by this call; do not use it in a closure or a serde implementation that it runs"
    )]
    InUse,
    /// The session's own lifetimes contradict each other or the configuration, as those of a builder may: an idle timeout
    /// beyond the absolute lifetime, or a lifetime under a second.
    #[error(transparent)]
    Lifetime(#[from] PolicyError),
    /// The redirect target leads to another site.
    #[error("the URL is not a path on this site")]
    RefusedUrl,
    /// The system's random generator failed.
    #[error("no random bytes for the session")]
    Entropy(#[from] EntropyError),
}

/// Returned when an operation on a user's sessions fails.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::{SecretKey, Sessions, UserSessionsError};
///
/// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
/// // Sessions in cookies are with their visitors: nobody can list them.
/// let error = sessions.of("ada").list().await.unwrap_err();
/// assert!(matches!(error, UserSessionsError::NotSupported { store: "cookie" }));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum UserSessionsError {
    /// This store keeps no index by owner.
    #[error(
        "the {store} session store cannot find sessions by their user; memory, file, redis, dynamodb and sql can"
    )]
    NotSupported {
        /// The store in use.
        store: &'static str,
    },
    /// The store failed.
    #[error("the user's sessions could not be looked up")]
    Store(#[source] StoreError),
    /// The user has as many sessions as are allowed.
    #[error("the user already has {most} sessions, which is as many as are allowed")]
    TooMany {
        /// The limit.
        most: usize,
    },
}

/// Returned when a configuration is incomplete or contradictory.
///
/// ```
/// use std::time::Duration;
///
/// use session_core::{ConfigError, SecretKey, Sessions};
///
/// let hour = Duration::from_secs(3_600);
/// let error = Sessions::builder()
///     .in_cookie()
///     .key(SecretKey::generate()?)
///     .age(2 * hour)
///     .absolute(hour)
///     .build()
///     .unwrap_err();
/// assert!(matches!(error, ConfigError::Policy(_)));
/// assert_eq!(error.to_string(), "the idle age (7200 s) is longer than the absolute lifetime (3600 s)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Two rules contradict each other.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The cookie's attributes contradict each other.
    #[error(transparent)]
    Cookie(#[from] crate::value::cookie::error::CookieError),
    /// A key is not fit for use.
    #[error(transparent)]
    Key(#[from] crate::value::cookie::key::KeyError),
    /// There is no key to seal cookies with.
    #[error("no key: give at least one with `key` or `keys` (SESSION_KEYS)")]
    NoKey,
    /// Neither a store nor the cookie was chosen as the place of sessions.
    #[error("no place for sessions: call `store` or `in_cookie`")]
    NoPlacement,
    /// Both a store and the cookie were chosen as the place of sessions.
    #[error("two places for sessions: call `store` or `in_cookie`, not both")]
    TwoPlacements,
    /// A list of revocations was configured for sessions in a store, which are ended by removing their record.
    #[error("`revocations` is for sessions that are kept `in_cookie`")]
    NothingToRevoke,
    /// A path of the device binding is not a plain absolute path.
    #[error("a path of the device binding is not an absolute path of letters, digits and `-._~`")]
    DevicePath,
    /// The device would have to prove itself more often than once in a second.
    #[error("the device binding is refreshed more often than once in a second")]
    DeviceRefresh,
    /// Sessions whose tokens come in a header have no cookies to bind.
    #[error("sessions are bound to devices by their cookies; these come in a header")]
    DeviceNeedsCookie,
    /// Tokens in a header were configured for sessions in cookies.
    #[error("tokens in a header are for sessions in a `store`")]
    HeaderNeedsStore,
    /// A cookie of an earlier configuration was named for sessions whose tokens come in a header.
    #[error("`migrate_from_cookie` is for sessions whose cookie is named now; these come in a header")]
    OldCookieNeedsCookie,
    /// The earlier configuration of the cookie is the current one.
    #[error("the old cookie of `migrate_from_cookie` is the current one: name what it was before")]
    OldCookieIsCurrent,
    /// A cookie of an earlier configuration names a store while sessions are in a store, or a list of revocations while they
    /// are in cookies.
    #[error(
        "an old cookie names a store only if sessions are in cookies now, and a list of revocations only if they are in a \
         store now; from one store to another, sessions are moved by a `MigratingStore`"
    )]
    OldCookiePlace,
    /// Sessions of another library are imported into a store, with a cookie for each.
    #[error("`import_from` is for sessions in a `store` whose id comes in a cookie")]
    ImportNeedsStore,
    /// The name of the header for tokens is not a token of RFC 9110, or is the name of a header with another meaning.
    #[error("a session's token cannot be in the header {name:?}: use a name of its own, such as x-session")]
    BadHeader {
        /// The name.
        name: &'static str,
    },
    /// Encryption at rest was configured for sessions in cookies, which are always encrypted.
    #[error("`encrypt_at_rest` is for sessions in a `store`; a cookie is always encrypted")]
    NothingAtRest,
    /// An entry of `redirect_hosts` is not a host: it is empty, has a wildcard, a scheme, a user or a path, or is not
    /// ASCII.
    #[error(
        "entry {position} of `redirect_hosts` is not `host` or `host:port`, such as `accounts.example.com`"
    )]
    RedirectHost {
        /// The entry's position in the list, counted from 1.
        position: usize,
    },
}
