//! The handle that handlers hold: a cheap clone, `&self`, synchronous. Everything it does, the pure state does.

mod csrf;
mod flash;
mod input;
mod life;
mod lifetime;
mod messages;
mod owner;
mod read;
mod urls;
mod write;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::decision::state::SessionState;
use crate::engine::error::SessionError;
use crate::engine::gate::Gate;
use crate::engine::sessions::Inner;

pub use messages::{FlashMessages, Messages};

/// One visitor's session, for the length of one request.
///
/// Cloning is cheap and all clones are the same session. Methods never wait for anything: the store was asked when the
/// session was opened, and is asked again when the response is ready (or by [`commit`](Self::commit)). What a method
/// changes is there for the next read at once.
///
/// # What every change may answer
///
/// [`SessionError::ReadOnly`] on a handle that only reads, [`SessionError::Destroyed`] after a [`destroy`](Self::destroy) in
/// this request, [`SessionError::Closed`] once the head of the response is on its way. Nothing is changed then; and no change
/// is ever dropped without an error.
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

/// What all handles of one visit share.
pub(crate) struct Shared {
    pub(crate) sessions: Arc<Inner>,
    pub(crate) cell: Mutex<Cell>,
    pub(crate) spawn: &'static dyn crate::engine::finish::Spawn,
    /// Commits of one visit go one after the other: whoever holds this commits.
    pub(crate) turn: Gate,
}

/// The state and what the edge knows about it.
pub(crate) struct Cell {
    pub(crate) state: SessionState,
    /// The response's head is on its way.
    pub(crate) closed: bool,
    /// The form that came with the request, for `flash_all` and its like.
    pub(crate) form: Option<serde_json::Map<String, serde_json::Value>>,
}

/// What a handle may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read and write until the response's head is sent.
    Full,
    /// Read.
    ReadOnly,
    /// Read and write for as long as it lives; it commits by itself.
    Detached,
    /// It belongs to no request at all, so nobody waits for its cookie.
    Standalone,
}

impl Shared {
    /// Locks the state. A panic in somebody's closure leaves a state that is whole: every change is one assignment at
    /// its end, so a poisoned lock is taken over.
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
        // Not the content: it is somebody's data.
        f.debug_struct("Session").field("access", &self.access).finish_non_exhaustive()
    }
}
