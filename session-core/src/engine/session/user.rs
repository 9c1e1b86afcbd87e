//! The user of a session: tagging a session with its user, and the facet with everything else about the user.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Session;
use crate::engine::error::SessionError;
use crate::value::content;
use crate::value::path::Path;
use crate::value::time::Timestamp;

/// The user of a session, and what is known about the user's device. From [`Session::user`].
///
/// ```
/// # use session_core::Session;
/// let session = Session::standalone();
/// session.tag("user-1")?;
/// session.user().confirm()?;
/// session.user().set_meta("browser", "Firefox on Linux")?;
/// assert_eq!(session.user().name().as_deref(), Some("user-1"));
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[derive(Debug)]
pub struct User<'s>(&'s Session);

impl Session {
    /// Returns the facet for the session's user: name, last authentication, device metadata.
    #[must_use]
    pub fn user(&self) -> User<'_> {
        User(self)
    }
}

impl User<'_> {
    /// Returns the user that the session is [tagged](Session::tag) with.
    #[must_use]
    #[doc(alias = "owner")]
    pub fn name(&self) -> Option<String> {
        self.0.read(|state| state.owner().map(str::to_owned))
    }

    /// Records that the user has just authenticated: at sign-in, and on a page that asks for the password again.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    pub fn confirm(&self) -> Result<(), SessionError> {
        let now = self.0.shared.engine.clock.now();
        self.0.edit(|state| state.content.system.put(content::AUTHENTICATED_AT, now))
    }

    /// Returns when the user last authenticated, for pages that require a recent authentication.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.0.read(|state| state.content.system.get(content::AUTHENTICATED_AT).ok().flatten())
    }

    /// Returns whether the user authenticated ([`confirm`](Self::confirm)) within this time, for pages that require the
    /// password again ("step-up authentication").
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # let session = session_core::Session::standalone();
    /// assert!(!session.user().confirmed_within(Duration::from_secs(15 * 60)));
    /// session.user().confirm()?;
    /// assert!(session.user().confirmed_within(Duration::from_secs(15 * 60)));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[must_use]
    pub fn confirmed_within(&self, duration: Duration) -> bool {
        let now = self.0.shared.engine.clock.now();
        self.authenticated_at().is_some_and(|then| now < then.plus(duration))
    }

    /// Stores something about this session for the user's list of devices: the browser, an address.
    ///
    /// # Errors
    /// Those of [`Session::put`].
    pub fn set_meta(&self, name: &str, value: impl Serialize) -> Result<(), SessionError> {
        self.0.edit(|state| state.content.system.put(Path::segments(&[content::META, name]), value))
    }

    /// Returns what [`set_meta`](Self::set_meta) stored under this name.
    ///
    /// # Errors
    /// [`SessionError::Value`] if the value is of another type.
    pub fn meta<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        Ok(self.0.read(|state| state.content.system.get(Path::segments(&[content::META, name])))?)
    }
}

impl Session {
    /// Tags the session with its user, by the application's own name for users. The tag is written in the same step as
    /// the data.
    ///
    /// If the session had no user, or another one, it also gets a new id and a new CSRF token, as by
    /// [`regenerate`](Self::regenerate), so that an id that was planted before the sign-in is worthless after it (OWASP
    /// session fixation, ASVS 7.2.4). A `regenerate` in the same request, before or after, makes no difference. Tagging
    /// with the same user again changes nothing.
    ///
    /// When one user follows another, the time of authentication and the [stamp](User::set_stamp) of the former are
    /// removed; values stay, and [`invalidate`](Self::invalidate) removes those.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change), and [`SessionError::Entropy`] if no random bytes
    /// are available.
    pub fn tag(&self, user: impl AsRef<str>) -> Result<(), SessionError> {
        self.set_owner(Some(user.as_ref()))
    }

    /// Removes the tag: the session belongs to no user. The id stays; to sign a user out, end the session with
    /// [`destroy`](Self::destroy) or [`invalidate`](Self::invalidate).
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    pub fn untag(&self) -> Result<(), SessionError> {
        self.set_owner(None)
    }

    fn set_owner(&self, user: Option<&str>) -> Result<(), SessionError> {
        let engine = self.shared.engine.clone();
        self.edit(|state| state.set_owner(user, || engine.random_token()))
    }
}
