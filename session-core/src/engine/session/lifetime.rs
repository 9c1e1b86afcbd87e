//! The lifetime of one session where it differs from the configuration, as a facet of [`Session`].

use std::sync::Arc;
use std::time::Duration;

use super::Session;
use crate::engine::common::Engine;
use crate::engine::error::SessionError;
use crate::value::time::Timestamp;

/// How long a session lasts. From [`Session::lifetime`].
///
/// What is not set here comes from the configuration: [`SessionsBuilder::age`](crate::SessionsBuilder::age) and
/// [`SessionsBuilder::absolute`](crate::SessionsBuilder::absolute). Every method that changes something returns the
/// [errors of every change](Session#errors-of-every-change). For a session in its cookie, a change of lifetime also takes a
/// new id, so that a list of [revocations](crate::SessionsBuilder::revocations) covers every copy of the cookie.
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

    /// Sets the idle timeout of this session: whole seconds, at least one, and at most the absolute lifetime. For a longer
    /// one call [`set_absolute`](Self::set_absolute) first.
    ///
    /// # Errors
    /// [`SessionError::Lifetime`], under the limits of [`SessionsBuilder::build`](crate::SessionsBuilder::build), and the
    /// [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use session_core::{Session, SessionError};
    /// # let session = Session::standalone();
    /// let sixty_days = Duration::from_secs(60 * 24 * 60 * 60);
    /// // The absolute lifetime is 24 hours, unless it is configured.
    /// assert!(matches!(session.lifetime().set_age(sixty_days), Err(SessionError::Lifetime(_))));
    /// session.lifetime().set_absolute(Some(sixty_days))?;
    /// session.lifetime().set_age(sixty_days)?;
    /// # Ok::<(), SessionError>(())
    /// ```
    pub fn set_age(&self, age: Duration) -> Result<(), SessionError> {
        let (engine, now) = self.engine_now();
        self.0.edit(|state| state.set_age(age, &engine.policy, now))
    }

    /// Sets the absolute lifetime of this session, counted from now, at least a second; `None` removes the limit. Nothing
    /// else moves the absolute deadline. If it is shorter than the idle timeout, the session ends earlier.
    ///
    /// # Errors
    /// [`SessionError::Lifetime`] for less than a second, and the
    /// [errors of every change](Session#errors-of-every-change).
    pub fn set_absolute(&self, lifetime: Option<Duration>) -> Result<(), SessionError> {
        let (_, now) = self.engine_now();
        self.0.edit(|state| state.set_absolute(lifetime, now))
    }

    /// Sets both the idle timeout and the absolute lifetime to `lifetime`, at least a second, and makes the cookie outlive
    /// the browser.
    ///
    /// # Errors
    /// [`SessionError::Lifetime`] for less than a second, and the
    /// [errors of every change](Session#errors-of-every-change).
    pub fn remember_me(&self, lifetime: Duration) -> Result<(), SessionError> {
        let (_, now) = self.engine_now();
        self.0.edit(|state| state.remember_me(lifetime, now))
    }

    /// Sets whether the cookie outlives the browser.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    pub fn set_persistent(&self, persistent: bool) -> Result<(), SessionError> {
        self.0.edit(|state| {
            state.content.set_persistent(persistent);
            Ok::<_, SessionError>(())
        })
    }

    fn engine_now(&self) -> (Arc<Engine>, Timestamp) {
        let engine = self.0.shared.engine.clone();
        let now = engine.clock.now();
        (engine, now)
    }
}
