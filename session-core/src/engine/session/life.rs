//! The life cycle of a session: its handle, renewing its id, ending it, and committing before the response.

use super::{Access, Session, csrf};
use crate::decision::commit::CommitError;
use crate::decision::decide::Fate;
use crate::engine::error::SessionError;
use crate::engine::sessions::Sessions;
use crate::engine::visit;
use crate::value::cookie::key::SecretKey;
use crate::value::id::{Handle, SessionId};

impl Session {
    /// Returns the public handle of this session: safe to show and to log, and the same that device lists show. It
    /// changes with a regenerate. For a session that has not been stored yet it is the handle that it will have.
    ///
    /// # Errors
    /// [`SessionError::Entropy`] if a new id is needed and no random bytes are available, and [`SessionError::InUse`].
    pub fn id(&self) -> Result<Handle, SessionError> {
        let entropy = &self.shared.engine.entropy;
        let mut visit = self.shared.try_lock()?;
        if let Some(key) = visit.state.moved_to() {
            return Ok(key.handle());
        }
        let id = visit.state.id_to_be(|| {
            let mut bytes = [0; 32];
            entropy.fill(&mut bytes).map(|()| SessionId::from_bytes(bytes))
        })?;
        Ok(id.store_key().handle())
    }

    /// Returns the configuration that this session belongs to, for instance to list its user's sessions.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions { engine: self.shared.engine.clone() }
    }

    /// Returns a read-only handle to the same session, for views and templates.
    ///
    /// ```
    /// # use session_core::{Session, SessionError};
    /// let view = Session::standalone().to_read_only();
    /// assert!(matches!(view.put("a", 1), Err(SessionError::ReadOnly)));
    /// ```
    #[must_use]
    pub fn to_read_only(&self) -> Self {
        Self { shared: self.shared.clone(), access: Access::ReadOnly }
    }

    /// Gives the session a new id. Call it whenever the visitor's privileges change (OWASP session fixation,
    /// ASVS 7.2.4). At a sign-in, [`tag`](Self::tag) does it.
    ///
    /// Data and outgoing flash messages are kept, the CSRF token is renewed, and the owner index is updated. The old id
    /// is invalidated before the new cookie is sent. Calling it again in the same request has no effect.
    ///
    /// # Errors
    /// [`SessionError::ReadOnly`], [`SessionError::Destroyed`], [`SessionError::Closed`], [`SessionError::Entropy`].
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.put("user", "ada")?;
    /// session.regenerate()?;
    /// assert_eq!(session.get::<String>("user")?.as_deref(), Some("ada"));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn regenerate(&self) -> Result<(), SessionError> {
        let sessions = self.shared.engine.clone();
        self.edit(|state| {
            if state.fate() == Fate::Keep {
                csrf::keep_for_grace(state, sessions.clock.now());
            }
            state.regenerate(|| sessions.random_token())
        })
    }

    /// Removes everything (values, flash messages, CSRF token, URLs, tag, lifetimes) and gives the session a new id.
    /// Values that are put afterwards are kept.
    ///
    /// # Errors
    /// [`SessionError::ReadOnly`], [`SessionError::Destroyed`], [`SessionError::Closed`].
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.put("user", "ada")?;
    /// session.invalidate()?;
    /// assert!(session.is_empty());
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn invalidate(&self) -> Result<(), SessionError> {
        self.edit(|state| {
            state.invalidate();
            Ok::<_, SessionError>(())
        })
    }

    /// Ends the session: its record becomes a tombstone, and its cookie is removed. Later writes in this request return
    /// [`SessionError::Destroyed`].
    ///
    /// # Errors
    /// [`SessionError::ReadOnly`], [`SessionError::Destroyed`], [`SessionError::Closed`].
    ///
    /// ```
    /// # use session_core::{Session, SessionError};
    /// let session = Session::standalone();
    /// session.destroy()?;
    /// assert!(matches!(session.put("a", 1), Err(SessionError::Destroyed)));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn destroy(&self) -> Result<(), SessionError> {
        self.edit(|state| {
            state.destroy();
            Ok::<_, SessionError>(())
        })
    }

    /// Writes the changes now instead of with the response. It may be called several times. A commit that has begun is
    /// completed even if the future is dropped.
    ///
    /// # Errors
    /// [`CommitError`]. After [`CommitError::Gone`] the session is empty, and further changes return
    /// [`SessionError::Destroyed`].
    ///
    /// ```
    /// # use session_core::Session;
    /// # fn block_on<F: Future>(f: F) -> F::Output {
    /// #     let mut f = std::pin::pin!(f);
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     loop { if let std::task::Poll::Ready(out) = f.as_mut().poll(&mut context) { return out; } }
    /// # }
    /// # block_on(async {
    /// let session = Session::standalone();
    /// session.put("step", 1)?;
    /// session.commit().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn commit(&self) -> Result<(), CommitError> {
        visit::commit_now(self.clone()).await
    }

    /// Creates a session without request, store and cookie, for examples and for unit tests of functions that take a
    /// `&Session`.
    ///
    /// # Panics
    /// If the system's random generator fails.
    #[must_use]
    pub fn standalone() -> Self {
        let key = SecretKey::generate().expect("the system's random generator works");
        let sessions = Sessions::builder().in_cookie().key(key).build();
        visit::standalone(sessions.expect("a key and a placement are all it takes").engine)
    }
}
