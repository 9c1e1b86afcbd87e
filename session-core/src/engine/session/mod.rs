//! The handle that handlers hold: a cheap clone, `&self`, synchronous. Everything it does, the pure state does.

mod csrf;
mod errors;
mod flash;
mod input;
mod life;
mod lifetime;
mod messages;
mod read;
mod urls;
mod user;
mod write;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::decision::state::SessionState;
use crate::engine::common::Engine;
use crate::engine::error::SessionError;

pub use csrf::Csrf;
pub use errors::Errors;
pub use lifetime::Lifetime;
pub use messages::{FlashMessages, Messages};
pub use read::DefaultFor;
pub use urls::Urls;
pub use user::User;

/// One visitor's session, for the duration of one request.
///
/// Cloning is cheap, and all clones are handles to the same session. Methods are synchronous and do no I/O: the store
/// is read when the session is opened, and written when the response is ready or by [`commit`](Self::commit). A change
/// is visible to the next read immediately.
///
/// # Facets
///
/// Values, flash messages, old input and the life cycle are methods of this type. The rest is grouped:
/// [`user`](Self::user), [`lifetime`](Self::lifetime), [`csrf`](Self::csrf), [`urls`](Self::urls) and
/// [`errors`](Self::errors).
///
/// # Errors of every change
///
/// [`SessionError::ReadOnly`] on a read-only handle, [`SessionError::Destroyed`] after [`destroy`](Self::destroy) in the
/// same request, and [`SessionError::Closed`] after the head of the response was sent. In each case nothing is changed;
/// no change is dropped without an error.
///
/// ```
/// use session_core::Session;
///
/// let session = Session::standalone();
/// session.put("user.name", "ada")?;
/// assert_eq!(session.get::<String>("user.name")?.as_deref(), Some("ada"));
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[derive(Clone)]
pub struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) access: Access,
}

/// The state that all handles of one visit share.
pub(crate) struct Shared {
    pub(crate) engine: Arc<Engine>,
    pub(crate) cell: Mutex<Cell>,
    pub(crate) spawn: &'static dyn crate::engine::finish::Spawn,
    /// Serializes the commits of one visit.
    pub(crate) turn: async_lock::Mutex<()>,
}

/// The state and what the edge knows about it.
pub(crate) struct Cell {
    pub(crate) state: SessionState,
    /// Whether the head of the response was sent.
    pub(crate) closed: bool,
    /// The form that came with the request, for `flash_all` and its like.
    pub(crate) form: Option<serde_json::Map<String, serde_json::Value>>,
}

/// The operations that a handle permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read and write until the response's head is sent.
    Full,
    /// Read.
    ReadOnly,
    /// Reads and writes after the response, until it is dropped; only an explicit commit writes.
    Detached,
    /// Belongs to no request; there is no response to carry a cookie.
    Standalone,
}

impl Shared {
    /// Locks the state. A panic in an application's closure leaves the state intact, because every change is a single
    /// assignment at its end; a poisoned lock is therefore ignored.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Cell> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    pub(crate) fn read<R>(&self, look: impl FnOnce(&SessionState) -> R) -> R {
        look(&self.shared.lock().state)
    }

    /// The gate of every change.
    pub(crate) fn edit<R, E>(
        &self,
        change: impl FnOnce(&mut SessionState) -> Result<R, E>,
    ) -> Result<R, SessionError>
    where
        SessionError: From<E>,
    {
        let mut cell = self.shared.lock();
        self.check(&cell)?;
        Ok(change(&mut cell.state)?)
    }

    pub(crate) fn check(&self, cell: &Cell) -> Result<(), SessionError> {
        match self.access {
            Access::ReadOnly => Err(SessionError::ReadOnly),
            Access::Full if cell.closed => Err(SessionError::Closed),
            Access::Full | Access::Detached | Access::Standalone if cell.state.is_destroyed() => {
                Err(SessionError::Destroyed)
            }
            Access::Full | Access::Detached | Access::Standalone => Ok(()),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Leaves out the content, since it is a visitor's data.
        f.debug_struct("Session").field("access", &self.access).finish_non_exhaustive()
    }
}
