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
    /// A commit gave up replaying: others wrote first for too long. The visitor sees a failure.
    Contended,
    /// A commit found its session gone and dropped its changes: it was refused.
    Gone,
    /// Another site sent a request without the session's cookie, and what the request changed was not kept: its cookie would
    /// have replaced the visitor's.
    Unseen,
    /// A session grew larger than its place allows, in bytes. The visitor sees a failure.
    TooLarge {
        /// As large as it is.
        size: usize,
        /// As large as it may be.
        limit: usize,
    },
    /// A record was written by a newer version of this library. The visitor sees a failure, and it is left alone.
    Newer,
    /// The store failed.
    StoreError(&'static str),
}

impl Event {
    /// Whether an operator should know: a visitor saw a failure, or a record was damaged.
    #[must_use]
    pub const fn is_trouble(&self) -> bool {
        matches!(
            self,
            Self::StoreError(_) | Self::Contended | Self::TooLarge { .. } | Self::Newer | Self::Corrupt
        )
    }

    /// A word for what happened, to count by: `created`, `rejected_cookie`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Initiated { .. } => "initiated",
            Self::RejectedCookie(_) => "rejected_cookie",
            Self::DuplicateCookies(_) => "duplicate_cookies",
            Self::UnsealedWithOldKey => "unsealed_with_old_key",
            Self::Expired => "expired",
            Self::Corrupt => "corrupt",
            Self::Created(_) => "created",
            Self::Committed(_) => "committed",
            Self::Touched(_) => "touched",
            Self::Migrated { .. } => "migrated",
            Self::Destroyed(_) => "destroyed",
            Self::Conflict(_) => "conflict",
            Self::Contended => "contended",
            Self::Gone => "gone",
            Self::Unseen => "unseen",
            Self::TooLarge { .. } => "too_large",
            Self::Newer => "newer",
            Self::StoreError(_) => "store_error",
        }
    }
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
