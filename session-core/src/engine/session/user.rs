//! The user of a session: tagging a session with its user, and the facet with everything else about the user.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Access, Session};
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
pub struct User<'s>(pub(super) &'s Session);

impl Session {
    /// Returns the facet for the session's user: name, last authentication, credentials, device.
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

    /// Keeps a stamp of the user's credentials with the session: of the password's hash, or of a counter that the
    /// application increases to sign the user out everywhere. Only a hash of `credentials` is kept. Call it at sign-in,
    /// and after a password change in the session that is to go on.
    ///
    /// [`check_stamp`](Self::check_stamp) ends every session whose stamp is another, so a password change ends all other
    /// sessions of the user, also those that live in cookies and cannot be listed.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    /// # use session_core::Session;
    /// # let session = Session::standalone();
    /// session.tag("ada")?;
    /// session.user().set_stamp("$argon2id$v=19$…")?; // the hash as it is in the table of users
    /// assert!(session.user().check_stamp("$argon2id$v=19$…")?);
    /// // On another device the password was changed.
    /// assert!(!session.user().check_stamp("$argon2id$v=19$another…")?);
    /// assert_eq!(session.user().name(), None);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn set_stamp(&self, credentials: impl AsRef<[u8]>) -> Result<(), SessionError> {
        let stamp = stamp_of(credentials.as_ref());
        self.0.edit(|state| state.content.system.put(content::STAMP, stamp))
    }

    /// Returns whether the session still belongs to its user: whether its [stamp](Self::set_stamp) is that of the
    /// credentials as they are today. If it is not, or if the session has no stamp, the session ends as by
    /// [`invalidate`](Session::invalidate). Compares in constant time.
    ///
    /// Without a user the answer is `false`, and nothing ends. A read-only handle only answers.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change) if the session must end, but for a read-only handle.
    pub fn check_stamp(&self, credentials: impl AsRef<[u8]>) -> Result<bool, SessionError> {
        let today = stamp_of(credentials.as_ref());
        let (is_user, own) = self.0.try_read(|state| {
            let own = state.content.system.get::<String>(content::STAMP).ok().flatten();
            Ok::<_, SessionError>((state.owner().is_some(), own))
        })?;
        let is_same = own.is_some_and(|own| own.as_bytes().ct_eq(today.as_bytes()).into());
        if is_user && !is_same && self.0.access != Access::ReadOnly {
            self.0.invalidate()?;
        }
        Ok(is_user && is_same)
    }

    /// Stores something about this session for the user's list of devices: the browser, an address.
    ///
    /// # Errors
    /// Those of [`Session::put`].
    pub fn set_meta(&self, name: &str, value: impl Serialize) -> Result<(), SessionError> {
        self.0.edit(|state| state.content.set_meta(name, value))
    }

    /// Returns what [`set_meta`](Self::set_meta) stored under this name.
    ///
    /// # Errors
    /// [`SessionError::Value`] if the value is of another type.
    pub fn meta<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        self.0.try_read(|state| state.content.system.get(Path::segments(&[content::META, name])))
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
    /// If another request with the same cookie has signed the same user in meanwhile (a double click), this one joins its
    /// session: the commit replays its changes there, and its response sets the same cookie. [`id`](Self::id) then
    /// returns another handle than before the commit.
    ///
    /// When one user follows another, the time of authentication and the [stamp](User::set_stamp) of the former are
    /// removed; values stay, and [`invalidate`](Self::invalidate) removes those.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
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
        self.edit(|state| {
            state.set_owner(user);
            Ok::<_, SessionError>(())
        })
    }
}

/// 128 bits of a hash under a label of its own: enough that no other credentials have the same stamp.
fn stamp_of(credentials: &[u8]) -> String {
    let hash = Sha256::new().chain_update(b"session stamp v1\0").chain_update(credentials).finalize();
    URL_SAFE_NO_PAD.encode(&hash[..16])
}
