//! The lifetime of one session where it differs from the configuration, as a facet of [`Session`].

use std::time::Duration;

use super::Session;
use crate::engine::error::SessionError;
use crate::value::time::Timestamp;

/// How long a session lasts. From [`Session::lifetime`].
///
/// What is not set here comes from the configuration: [`SessionsBuilder::age`](crate::SessionsBuilder::age) and
/// [`SessionsBuilder::absolute`](crate::SessionsBuilder::absolute). Every method that changes something returns the
/// [errors of every change](Session#errors-of-every-change).
///
/// ```
/// # use std::time::Duration;
/// # use session_core::Session;
/// # let session = Session::standalone();
/// // "Remember me" at sign-in: 30 days, and the cookie outlives the browser.
/// session.lifetime().remember_me(Duration::from_secs(30 * 24 * 60 * 60))?;
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[derive(Debug)]
pub struct Lifetime<'s>(&'s Session);

impl Session {
    /// Returns the facet for the session's lifetime: idle timeout, absolute lifetime, "remember me".
    #[must_use]
    pub fn lifetime(&self) -> Lifetime<'_> {
        Lifetime(self)
    }
}

impl Lifetime<'_> {
    /// Returns when the session was created, or `None` if it has not been stored yet.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.0.read(|state| state.created())
    }

    /// Sets the idle timeout of this session: whole seconds, at least one.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    pub fn set_age(&self, age: Duration) -> Result<(), SessionError> {
        let age = Duration::from_secs(age.as_secs().max(1));
        self.0.edit(|state| state.content.set_age(age))
    }

    /// Sets the absolute lifetime of this session, counted from now; `None` removes the limit. Nothing else moves the
    /// absolute deadline.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    pub fn set_absolute(&self, lifetime: Option<Duration>) -> Result<(), SessionError> {
        let now = self.0.shared.engine.clock.now();
        self.0.edit(|state| {
            state.content.set_absolute(lifetime.map(|lifetime| now.plus(lifetime)));
            Ok::<_, SessionError>(())
        })
    }

    /// Sets both the idle timeout and the absolute lifetime to `lifetime`, and makes the cookie outlive the browser.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    pub fn remember_me(&self, lifetime: Duration) -> Result<(), SessionError> {
        self.set_age(lifetime)?;
        self.set_absolute(Some(lifetime))?;
        self.set_persistent(true)
    }

    /// Sets whether the cookie outlives the browser.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    pub fn set_persistent(&self, persistent: bool) -> Result<(), SessionError> {
        self.0.edit(|state| state.content.set_persistent(persistent))
    }
}
