//! What can go wrong at the edge: opening a session, using it, configuring it. One level per `Display`.

use crate::decision::policy::PolicyError;
use crate::decision::state::NewerFormat;
use crate::engine::sources::EntropyError;
use crate::value::answer::StoreError;
use crate::value::error::ValueError;

/// A session could not be opened. This is never "there is no session": answer 503 and leave the cookie alone.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store failed.
    #[error("the session could not be loaded")]
    Store(#[source] StoreError),
    /// The record was written by a newer version of this library, and is left alone.
    #[error("the session could not be loaded")]
    Newer(#[source] NewerFormat),
    /// Sessions are switched off (`SESSION_ENABLED=false`).
    #[error("sessions are switched off by configuration")]
    Disabled,
    /// The visit is over: its response was sent.
    #[error("the response was already sent")]
    Closed,
}

/// A call on a session did nothing.
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
    /// A path or a value was wrong.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// This handle only reads.
    #[error("the session is read-only here")]
    ReadOnly,
    /// The session was destroyed earlier in this request.
    #[error("the session was destroyed")]
    Destroyed,
    /// The head of the response is sent, so a change could no longer be kept.
    #[error("the response was already sent; the session can no longer be changed")]
    Closed,
    /// A redirect target that leads elsewhere.
    #[error("the URL is not a path on this site")]
    RefusedUrl,
    /// The system's generator failed.
    #[error("no random bytes for the session")]
    Entropy(#[from] EntropyError),
}

/// A question about a user's sessions was not answered.
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
        /// As many as are allowed.
        most: usize,
    },
}

/// The configuration is wrong. Nothing was started.
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
    Cookie(#[from] crate::value::cookie::builder::CookieError),
    /// A key is not fit for use.
    #[error(transparent)]
    Key(#[from] crate::value::cookie::key::KeyError),
    /// Without a key no cookie can be sealed.
    #[error("no key: give at least one with `key` or `keys` (SESSION_KEYS)")]
    NoKey,
    /// Sessions in a store need the store.
    #[error("no place for sessions: call `store` or `in_cookie`")]
    NoPlacement,
}
