//! The handle that handlers hold: a cheap clone, `&self`, synchronous. Everything it does, the pure state does.

#[cfg(feature = "dbsc")]
mod binding;
pub(crate) mod csrf;
mod errors;
mod flash;
mod form;
mod input;
mod life;
mod lifetime;
mod messages;
mod read;
mod status;
mod urls;
mod user;
mod write;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::decision::state::SessionState;
use crate::engine::common::Engine;
use crate::engine::error::SessionError;
use crate::engine::event::Event;
use crate::value::error::ValueError;

#[cfg(feature = "dbsc")]
pub use binding::BoundDevice;
pub use csrf::Csrf;
pub use errors::Errors;
pub use form::NamedForm;
pub use lifetime::Lifetime;
pub use messages::{FlashMessages, Level, Messages, Notification};
pub use read::DefaultFor;
pub use status::Status;
pub use urls::Urls;
pub use user::User;

/// One visitor's session, for the duration of one request.
///
/// Cloning is cheap, and all clones are handles to the same session. Methods are synchronous and do no I/O: the store
/// is read when the session is opened, and written when the response is ready or by [`commit`](Self::commit). A change
/// is visible to the next read immediately.
///
/// # Where to find what
///
/// Values, flash messages, old input and the life cycle are methods of this type. The rest is grouped into
/// [facets](crate::facet):
///
/// | call | about |
/// |---|---|
/// | [`user()`](Self::user) | the user that [`tag`](Self::tag) names: last authentication, credentials, device |
/// | [`lifetime()`](Self::lifetime) | how long the session and its cookie live |
/// | [`csrf()`](Self::csrf) | the CSRF token |
/// | [`urls()`](Self::urls) | the intended page and the previous page |
/// | [`errors()`](Self::errors) | the validation errors that the previous visit left |
/// | [`form(name)`](Self::form) | one of several forms on a page |
/// | [`status()`](Self::status) | how this request found the session: new, ended elsewhere, withheld |
///
/// # Errors of every change
///
/// [`SessionError::ReadOnly`] on a read-only handle, [`SessionError::Destroyed`] after [`destroy`](Self::destroy) in the
/// same request, [`SessionError::Closed`] after the head of the response was sent, and [`SessionError::InUse`] inside
/// a closure or an implementation of `Serialize` that the session itself is running. [`ValueError::TooLarge`] if the visit
/// would hold more than twice the [limit of a session](crate::SessionsBuilder::max_record), which no commit accepts. In each
/// case nothing is changed; no change is dropped without an error. Only old input and errors of a form never fail because of
/// their size: they give way, with an [event](crate::Event::GaveWay).
///
/// # Panics
/// Inside such a closure or implementation, the methods that return no `Result`, such as [`has`](Self::has), panic with
/// the text of [`SessionError::InUse`]. Do not wait there for another thread that uses the same session either: that
/// thread waits for the call to end.
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
    cell: Mutex<Cell>,
    /// The thread that holds the lock of `cell`, or 0.
    holder: AtomicUsize,
    pub(crate) spawn: &'static dyn crate::engine::finish::Spawn,
    /// Serializes the commits of one visit.
    pub(crate) turn: async_lock::Mutex<()>,
    /// Whether this visit was given the CSRF token, to show it.
    pub(crate) shows_token: AtomicBool,
}

/// The state, and what the engine knows about the visit.
pub(crate) struct Cell {
    // Boxed, because it is large and goes through several hands until it is here.
    pub(crate) state: Box<SessionState>,
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
    pub(crate) fn new(
        engine: Arc<Engine>,
        cell: Cell,
        spawn: &'static dyn crate::engine::finish::Spawn,
    ) -> Self {
        let (cell, holder) = (Mutex::new(cell), AtomicUsize::new(0));
        let shows_token = AtomicBool::new(false);
        Self { engine, cell, holder, spawn, turn: async_lock::Mutex::new(()), shows_token }
    }

    /// Locks the state. A panic in an application's closure leaves the state intact, because every change is a single
    /// assignment at its end; a poisoned lock is therefore ignored.
    ///
    /// # Panics
    /// If this thread already holds the lock: application code that runs inside a call on the session, such as the closure
    /// of `update`, uses the session. Waiting for the lock would block the thread forever.
    pub(crate) fn lock(&self) -> Locked<'_> {
        assert!(!self.is_held_here(), "{}", SessionError::InUse);
        let cell = self.cell.lock().unwrap_or_else(PoisonError::into_inner);
        self.holder.store(this_thread(), Ordering::Relaxed);
        Locked { cell, holder: &self.holder }
    }

    /// The same for what can fail: an error where [`lock`](Self::lock) panics.
    pub(crate) fn try_lock(&self) -> Result<Locked<'_>, SessionError> {
        match self.is_held_here() {
            true => Err(SessionError::InUse),
            false => Ok(self.lock()),
        }
    }

    /// Whether the current thread holds the lock. Only this thread stores its own number, so relaxed loads suffice.
    fn is_held_here(&self) -> bool {
        self.holder.load(Ordering::Relaxed) == this_thread()
    }
}

/// The locked state.
pub(crate) struct Locked<'s> {
    cell: MutexGuard<'s, Cell>,
    holder: &'s AtomicUsize,
}

impl Deref for Locked<'_> {
    type Target = Cell;

    fn deref(&self) -> &Cell {
        &self.cell
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Cell {
        &mut self.cell
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Before the lock is released, which happens when the fields are dropped.
        self.holder.store(0, Ordering::Relaxed);
    }
}

/// A number of the current thread that no other living thread has, and that is never 0: the address of a thread-local.
fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

impl Session {
    pub(crate) fn read<R>(&self, look: impl FnOnce(&SessionState) -> R) -> R {
        look(&self.shared.lock().state)
    }

    /// The same for reads that can fail, which report [`SessionError::InUse`] instead of a panic.
    pub(crate) fn try_read<R, E>(
        &self,
        look: impl FnOnce(&SessionState) -> Result<R, E>,
    ) -> Result<R, SessionError>
    where
        SessionError: From<E>,
    {
        Ok(look(&self.shared.try_lock()?.state)?)
    }

    /// The gate of every change.
    pub(crate) fn edit<R, E>(
        &self,
        change: impl FnOnce(&mut SessionState) -> Result<R, E>,
    ) -> Result<R, SessionError>
    where
        SessionError: From<E>,
    {
        let mut cell = self.shared.try_lock()?;
        self.check(&cell)?;
        let changed = change(&mut cell.state).map_err(SessionError::from);
        let gave_way = cell.state.content.flash.take_gave_way();
        drop(cell);
        let engine = &self.shared.engine;
        gave_way.into_iter().for_each(|bag| engine.tell(&Event::GaveWay(bag)));
        if let Err(SessionError::Value(ValueError::TooLarge { size, limit, .. })) = &changed {
            engine.tell(&Event::TooLarge { size: *size, limit: *limit });
        }
        changed
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
