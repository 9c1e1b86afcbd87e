//! The life of a session: who it is, how long it lives, a new id, its end.

use std::time::Duration;

use super::{Access, Session, csrf};
use crate::decision::commit::CommitError;
use crate::decision::decide::{Fate, Origin};
use crate::edge::error::SessionError;
use crate::edge::sessions::Inner;
use crate::edge::visit;
use crate::value::content;
use crate::value::id::{Handle, SessionId};
use crate::value::time::Timestamp;

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

    /// Whether no stored record stood behind this visit when it was opened.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert!(Session::standalone().fresh());
    /// ```
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
        self.read(|state| state.origin() == Origin::Retired)
    }

    /// Whether a stored session got a new id in this visit.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.regenerate()?;
    /// assert!(!session.has_regenerated(), "there was no stored session");
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[must_use]
    pub fn has_regenerated(&self) -> bool {
        self.read(|state| state.has_regenerated())
    }

    /// Whether this handle only reads.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert!(!Session::standalone().readonly());
    /// ```
    #[must_use]
    pub fn readonly(&self) -> bool {
        self.access == Access::ReadOnly
    }

    /// Whether the session has been opened; true of every handle.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert!(Session::standalone().initiated());
    /// ```
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
        let sessions = self.shared.sessions.clone();
        self.edit(|state| {
            if state.fate() == Fate::Keep {
                csrf::retire(state, sessions.clock.now());
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
    /// assert_eq!(session.owner().as_deref(), Some("user-1"));
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
    /// assert_eq!(session.owner(), None);
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
    /// assert_eq!(Session::standalone().owner(), None);
    /// ```
    #[must_use]
    pub fn owner(&self) -> Option<String> {
        self.read(|state| state.owner().map(str::to_owned))
    }

    /// How long this session may lie unused, instead of what is configured. Whole seconds, at least one.
    ///
    /// # Errors
    /// [`SessionError::ReadOnly`], [`SessionError::Destroyed`], [`SessionError::Closed`].
    ///
    /// ```
    /// # use session_core::Session;
    /// # use std::time::Duration;
    /// Session::standalone().set_age(Duration::from_secs(30 * 60))?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn set_age(&self, age: Duration) -> Result<(), SessionError> {
        let age = Duration::from_secs(age.as_secs().max(1));
        self.edit(|state| state.content.set_age(Some(age)))
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
    /// Session::standalone().set_absolute(Some(Duration::from_secs(12 * 60 * 60)))?;
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
    /// Session::standalone().remember_me(Duration::from_secs(30 * 24 * 60 * 60))?;
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
    /// Session::standalone().set_persistent(false)?;
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
    /// session.confirm()?;
    /// assert!(session.authenticated_at().is_some());
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
    /// assert_eq!(Session::standalone().authenticated_at(), None);
    /// ```
    #[must_use]
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.read(|state| state.content.system.get(content::AUTHENTICATED_AT).ok().flatten())
    }

    /// When the session began; `None` for one that is not written yet.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert_eq!(Session::standalone().created(), None);
    /// ```
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.read(|state| state.created())
    }

    /// A session that stands alone: no request, no store, no cookie. For trying things, and for unit tests of functions
    /// that take a `&Session`.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// assert!(session.is_empty());
    /// ```
    ///
    /// # Panics
    /// If the system's generator fails, which leaves no safe way to go on.
    #[must_use]
    pub fn standalone() -> Self {
        visit::standalone(Inner::standalone())
    }
}
