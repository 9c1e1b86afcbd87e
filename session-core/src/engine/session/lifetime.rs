//! How long a session lasts, where this one differs from what is configured; and when its user last proved who they are.

use std::time::Duration;

use super::Session;
use crate::engine::error::SessionError;
use crate::value::content;
use crate::value::time::Timestamp;

impl Session {
    /// When the session began; `None` for one that is not written yet.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert_eq!(Session::standalone().lifetime().created(), None);
    /// ```
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.read(|state| state.created())
    }

    /// How long this session may lie unused, instead of what is configured. Whole seconds, at least one.
    ///
    /// # Errors
    /// [`SessionError::ReadOnly`], [`SessionError::Destroyed`], [`SessionError::Closed`].
    ///
    /// ```
    /// # use session_core::Session;
    /// # use std::time::Duration;
    /// Session::standalone().lifetime().set_age(Duration::from_secs(30 * 60))?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn set_age(&self, age: Duration) -> Result<(), SessionError> {
        let age = Duration::from_secs(age.as_secs().max(1));
        self.edit(|state| state.content.set_age(age))
    }

    /// How long this session may live in all, from now, instead of what is configured; `None` for as long as it is used.
    /// Nothing but this call ever moves the absolute deadline.
    ///
    /// # Errors
    /// [`SessionError::ReadOnly`], [`SessionError::Destroyed`], [`SessionError::Closed`].
    ///
    /// ```
    /// # use session_core::Session;
    /// # use std::time::Duration;
    /// Session::standalone().lifetime().set_absolute(Some(Duration::from_secs(12 * 60 * 60)))?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn set_absolute(&self, lifetime: Option<Duration>) -> Result<(), SessionError> {
        let now = self.shared.sessions.clock.now();
        self.edit(|state| {
            state.content.set_absolute(lifetime.map(|lifetime| now.plus(lifetime)));
            Ok::<_, SessionError>(())
        })
    }

    /// "Remember me": the session may lie unused and live this long, and its cookie outlives the browser.
    ///
    /// # Errors
    /// [`SessionError::ReadOnly`], [`SessionError::Destroyed`], [`SessionError::Closed`].
    ///
    /// ```
    /// # use session_core::Session;
    /// # use std::time::Duration;
    /// Session::standalone().lifetime().remember_me(Duration::from_secs(30 * 24 * 60 * 60))?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn remember_me(&self, lifetime: Duration) -> Result<(), SessionError> {
        self.set_age(lifetime)?;
        self.set_absolute(Some(lifetime))?;
        self.edit(|state| state.content.set_persistent(true))
    }

    /// Whether the cookie outlives the browser (`true`) or goes with it, instead of what is configured.
    ///
    /// # Errors
    /// [`SessionError::ReadOnly`], [`SessionError::Destroyed`], [`SessionError::Closed`].
    ///
    /// ```
    /// # use session_core::Session;
    /// Session::standalone().lifetime().set_persistent(false)?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn set_persistent(&self, persistent: bool) -> Result<(), SessionError> {
        self.edit(|state| state.content.set_persistent(persistent))
    }

    /// Notes that the user has just proved who they are: at sign-in, and on a page that asks for the password again.
    ///
    /// # Errors
    /// [`SessionError::ReadOnly`], [`SessionError::Destroyed`], [`SessionError::Closed`].
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.user().confirm()?;
    /// assert!(session.user().authenticated_at().is_some());
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn confirm(&self) -> Result<(), SessionError> {
        let now = self.shared.sessions.clock.now();
        self.edit(|state| state.content.system.put(content::AUTHENTICATED_AT, now))
    }

    /// When the user last proved who they are; for pages that ask again after a while.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert_eq!(Session::standalone().user().authenticated_at(), None);
    /// ```
    #[must_use]
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.read(|state| state.content.system.get(content::AUTHENTICATED_AT).ok().flatten())
    }
}
