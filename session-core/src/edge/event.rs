//! What an operator may want to hear: one observer, one event type, never a value, an id or a key in it.

use std::fmt;

use crate::value::cookie::seal::RejectReason;
use crate::value::id::Handle;

/// Something that happened to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A visit opened its session.
    Initiated {
        /// No stored record stood behind it.
        fresh: bool,
    },
    /// A cookie of our name was not acceptable.
    RejectedCookie(RejectReason),
    /// More than one cookie of our name came in.
    DuplicateCookies(usize),
    /// The cookie was sealed with a key that opens but no longer seals.
    UnsealedWithOldKey,
    /// The record's time was over.
    Expired,
    /// The record could not be read; the visitor is a stranger again.
    Corrupt,
    /// A new session was written.
    Created(Handle),
    /// A session's changes were written.
    Committed(Handle),
    /// A session's deadline was moved.
    Touched(Handle),
    /// A session got a new id.
    Migrated {
        /// The old one's handle, dead now.
        from: Handle,
        /// The new one's.
        to: Handle,
    },
    /// A session was ended.
    Destroyed(Handle),
    /// Somebody else wrote first, this often, and the changes were replayed.
    Conflict(u32),
    /// A commit found its session gone and dropped its changes.
    Gone,
    /// The store failed.
    StoreError(&'static str),
}

/// Hears what happens. It is called inside requests: count, and return at once.
///
/// ```
/// use session_core::{Event, Observer};
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// #[derive(Debug, Default)]
/// struct SignOuts(AtomicU64);
///
/// impl Observer for SignOuts {
///     fn observe(&self, event: &Event) {
///         if let Event::Destroyed(_) = event {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// Something happened.
    fn observe(&self, event: &Event);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _: &Event) {}
}
