//! The life of a session: where it came from, a new id, its end, and writing it before the response does.

use super::{Access, Session, csrf};
use crate::decision::commit::CommitError;
use crate::decision::decide::{Fate, Origin};
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
    /// [`SessionError::Entropy`] if a new id is needed and no random bytes are available.
    pub fn id(&self) -> Result<Handle, SessionError> {
        let entropy = &self.shared.engine.entropy;
        let id = self.shared.lock().state.id_to_be(|| {
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

    /// Whether no stored record stood behind this visit when it was opened.
    #[must_use]
    pub fn fresh(&self) -> bool {
        self.read(|state| state.is_fresh())
    }

    /// Whether the cookie names a session that was ended, or got another id, a moment ago. Such a visit is a stranger's, and
    /// what it changes is not kept (a straggler must not overwrite the cookie of a newer sign-in) unless it calls
    /// [`regenerate`](Self::regenerate): do that on the page that signs in.
    ///
    /// ```
    /// # use session_core::Session;
    /// # fn sign_in_page(session: &Session) -> Result<(), session_core::SessionError> {
    /// if session.ended() {
    ///     session.regenerate()?; // so that the form's CSRF token is kept
    /// }
    /// # Ok(())
    /// # }
    /// assert!(!Session::standalone().ended());
    /// ```
    #[must_use]
    pub fn ended(&self) -> bool {
        self.read(|state| state.origin() == Origin::Ended)
    }

    /// Whether another site sent this request without the session's cookie, which `SameSite` withheld: the visitor may have
    /// a session that this visit does not see. What it changes is not kept, since its cookie would replace that of the
    /// session, unless it signs in ([`regenerate`](Self::regenerate) or [`tag`](Self::tag)). An explicit
    /// [`commit`](Self::commit) answers [`CommitError::Unseen`].
    #[must_use]
    pub fn unseen(&self) -> bool {
        self.read(|state| state.origin() == Origin::Unseen)
    }

    /// Whether a stored session got a new id in this visit.
    #[must_use]
    pub fn has_regenerated(&self) -> bool {
        self.read(|state| state.has_regenerated())
    }

    /// Whether this handle only reads.
    #[must_use]
    pub fn readonly(&self) -> bool {
        self.access == Access::ReadOnly
    }

    /// Whether the session has been opened; true of every handle.
    #[must_use]
    pub fn initiated(&self) -> bool {
        true
    }

    /// A handle on the same session that only reads: for views and templates.
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

    /// Gives the session a new id: call it whenever the visitor's privileges change, above all at sign-in (OWASP
    /// session fixation, ASVS 7.2.4). Data and outgoing flash are kept, the CSRF token is renewed, the owner index
    /// follows. The old id is dead before the new cookie leaves. Twice is once.
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

    /// Drops everything (values, flash, CSRF token, URLs, tag, lifetimes) and gives a new id. What is put afterwards
    /// stays.
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

    /// Ends the session: its record becomes a tombstone, its cookie is removed. Later writes in this request are
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

    /// Writes what was changed so far, now instead of with the response; may be called again. Once begun it finishes,
    /// even if the future is dropped.
    ///
    /// # Errors
    /// [`CommitError`]; after [`CommitError::Gone`] the session is empty and further changes are
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

    /// A session that stands alone: no request, no store, no cookie. For trying things, and for unit tests of functions
    /// that take a `&Session`.
    ///
    /// # Panics
    /// If the system's generator fails, which leaves no safe way to go on.
    #[must_use]
    pub fn standalone() -> Self {
        let key = SecretKey::generate().expect("the system's random generator works");
        let sessions = Sessions::builder().in_cookie().key(key).build();
        visit::standalone(sessions.expect("a key and a placement are all it takes").engine)
    }
}
