//! Whose session it is and what it is called: its tag, its public handle, what a list of devices says of it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Session;
use crate::engine::error::SessionError;
use crate::engine::sessions::Sessions;
use crate::value::content;
use crate::value::id::{Handle, SessionId};
use crate::value::path::Path;

impl Session {
    /// The public handle of this session: safe to show and to log, the same that device lists show. It changes with a
    /// regenerate. For a session that is not written yet it is the handle that it will have.
    ///
    /// # Errors
    /// [`SessionError::Entropy`] if a new id is needed and the system gives no random bytes.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// assert_eq!(session.id()?, session.id()?);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn id(&self) -> Result<Handle, SessionError> {
        let entropy = &self.shared.sessions.entropy;
        let id = self.shared.lock().state.id_to_be(|| {
            let mut bytes = [0; 32];
            entropy.fill(&mut bytes).map(|()| SessionId::from_bytes(bytes))
        })?;
        Ok(id.store_key().handle())
    }

    /// Says whose session it is, by the application's own name for its users. Written with the data, in the same step,
    /// and kept by a regenerate.
    ///
    /// # Errors
    /// [`SessionError::ReadOnly`], [`SessionError::Destroyed`], [`SessionError::Closed`].
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.tag("user-1")?;
    /// assert_eq!(session.user().name().as_deref(), Some("user-1"));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn tag(&self, user: impl AsRef<str>) -> Result<(), SessionError> {
        self.edit(|state| {
            state.set_owner(Some(user.as_ref()));
            Ok::<_, SessionError>(())
        })
    }

    /// The session belongs to nobody any more.
    ///
    /// # Errors
    /// [`SessionError::ReadOnly`], [`SessionError::Destroyed`], [`SessionError::Closed`].
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.tag("user-1")?;
    /// session.untag()?;
    /// assert_eq!(session.user().name(), None);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn untag(&self) -> Result<(), SessionError> {
        self.edit(|state| {
            state.set_owner(None);
            Ok::<_, SessionError>(())
        })
    }

    /// Whose session it is.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert_eq!(Session::standalone().user().name(), None);
    /// ```
    #[must_use]
    pub fn owner(&self) -> Option<String> {
        self.read(|state| state.owner().map(str::to_owned))
    }

    /// Notes something about this session for the user's list of devices: the browser, an address.
    ///
    /// # Errors
    /// As for [`put`](Session::put).
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.user().set_meta("browser", "Firefox on Linux")?;
    /// assert_eq!(session.user().meta::<String>("browser")?.as_deref(), Some("Firefox on Linux"));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn set_meta(&self, name: &str, value: impl Serialize) -> Result<(), SessionError> {
        self.edit(|state| state.content.system.put(Path::segments(&[content::META, name]), value))
    }

    /// What was noted with [`set_meta`](Self::set_meta).
    ///
    /// # Errors
    /// [`SessionError::Value`] when it is of another type.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert_eq!(Session::standalone().user().meta::<String>("browser")?, None);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn meta<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        Ok(self.read(|state| state.content.system.get(Path::segments(&[content::META, name])))?)
    }

    /// The configuration that this session belongs to: the way from a handler to [`Sessions::of`].
    ///
    /// ```
    /// # async fn sign_out_elsewhere(session: session_core::Session) -> Result<(), session_core::UserSessionsError> {
    /// if let Some(user) = session.user().name() {
    ///     session.sessions().of(user).destroy_others(&session).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions { inner: self.shared.sessions.clone() }
    }
}
