//! Events for metrics and logs: one observer and one event type, which never contains a value, an id or a key.

use std::fmt;

use super::import::RefusedImport;
use crate::value::answer::{StoreError, StoreErrorKind};
use crate::value::cookie::seal::RejectReason;
use crate::value::device::Unproven;
#[cfg(feature = "dbsc")]
use crate::value::device::error::ProofError;
use crate::value::flash::FlashBag;
use crate::value::id::Handle;

/// Something that happened to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A visit opened its session.
    Initiated {
        /// No stored record was found.
        fresh: bool,
    },
    /// A cookie with the session's name was rejected.
    RejectedCookie(RejectReason),
    /// The request had more than one cookie with the session's name.
    DuplicateCookies(usize),
    /// The request had so many cookies with the session's name that this many were not looked at. Only the first eight
    /// are, so the session may not have been found: another application of the domain, or an attacker on a sibling host,
    /// sets cookies with this name.
    IgnoredCookies(usize),
    /// The cookie was sealed with a key that opens but no longer seals.
    UnsealedWithOldKey,
    /// The record had expired.
    Expired,
    /// The record could not be read; the visitor gets a new session.
    Corrupt,
    /// A new session was written.
    Created(Handle),
    /// A session's changes were written.
    Committed(Handle),
    /// A session's idle deadline was moved.
    Touched(Handle),
    /// A session got a new id.
    Migrated {
        /// The old handle, which is no longer valid.
        from: Handle,
        /// The new handle.
        to: Handle,
    },
    /// A session was ended.
    Destroyed(Handle),
    /// Other requests wrote first, this many times, and the changes were replayed.
    Conflict(u32),
    /// A commit gave up, because other requests wrote first for too long. The visitor sees a failure.
    Contended,
    /// A commit found that its session had ended, and dropped its changes.
    Gone,
    /// The changes of a cross-site request without the session's cookie were not kept, since its cookie would have
    /// replaced the visitor's.
    Unseen,
    /// A session that is bound to a device was opened by a request that does not prove to come from there.
    Unproven(Unproven),
    /// A session in its cookie was bound to a device, and a response that was under way meanwhile has set the cookie from
    /// before. The binding is offered again.
    Unbound,
    /// A session was opened by a cookie of an earlier configuration; the response sets the current one.
    OldCookie(Handle),
    /// A session of another library was carried over, under this handle.
    Imported(Handle),
    /// A cookie of another library was not carried over; the visitor is a stranger.
    RefusedImport(RefusedImport),
    /// A session was bound to a device.
    Bound(Handle),
    /// The device of a bound session proved itself.
    Proved(Handle),
    /// A proof was refused. The session stays as it is.
    #[cfg(feature = "dbsc")]
    RefusedProof(ProofError),
    /// A session is larger than its store or cookie allows, or a call would have taken it beyond twice the limit of a record
    /// and returned [`ValueError::TooLarge`](crate::ValueError::TooLarge). The visitor sees a failure or, if the session came
    /// with a cookie of an earlier configuration and cannot be moved, is a stranger.
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A session with its flash would have been larger than its store or cookie allows, and was written without this
    /// bag. Old input gives way first, then errors, last messages. Old input and errors beyond twice the limit of a record
    /// give way at the call that leaves them.
    GaveWay(FlashBag),
    /// A record was written by a newer version of this library and is not changed. The visitor sees a failure.
    Newer,
    /// The store failed.
    StoreError {
        /// The store's name: `"redis"`.
        store: &'static str,
        /// The kind of failure.
        kind: StoreErrorKind,
    },
}

impl Event {
    /// The event of a store that failed.
    pub(crate) fn of_store(error: &StoreError) -> Self {
        Self::StoreError { store: error.store(), kind: error.kind() }
    }

    /// Returns whether the event should be logged as a problem: a visitor saw or may have seen a failure, or missed a
    /// message, or a record was damaged.
    #[must_use]
    pub const fn is_trouble(&self) -> bool {
        matches!(
            self,
            Self::StoreError { .. }
                | Self::IgnoredCookies(_)
                | Self::Contended
                | Self::TooLarge { .. }
                | Self::GaveWay(_)
                | Self::Newer
                | Self::Corrupt
        )
    }

    /// Returns the name of the event, for metrics: `created`, `rejected_cookie`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Initiated { .. } => "initiated",
            Self::RejectedCookie(_) => "rejected_cookie",
            Self::DuplicateCookies(_) => "duplicate_cookies",
            Self::IgnoredCookies(_) => "ignored_cookies",
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
            Self::Unproven(_) => "unproven",
            Self::Unbound => "unbound",
            Self::OldCookie(_) => "old_cookie",
            Self::Imported(_) => "imported",
            Self::RefusedImport(_) => "refused_import",
            Self::Bound(_) => "bound",
            Self::Proved(_) => "proved",
            #[cfg(feature = "dbsc")]
            Self::RefusedProof(_) => "refused_proof",
            Self::TooLarge { .. } => "too_large",
            Self::GaveWay(_) => "gave_way",
            Self::Newer => "newer",
            Self::StoreError { .. } => "store_error",
        }
    }
}

/// The events of one step of a commit, in their order. They need no allocation: at most a conflict, three bags that gave
/// way, changes that were not kept, and what was written.
#[derive(Default)]
pub(crate) struct Told {
    events: [Option<Event>; 8],
    len: usize,
}

impl Told {
    pub(crate) fn push(&mut self, event: Event) {
        if let Some(place) = self.events.get_mut(self.len) {
            *place = Some(event);
            self.len += 1;
        }
    }

    pub(crate) fn extend(&mut self, events: impl IntoIterator<Item = Event>) {
        events.into_iter().for_each(|event| self.push(event));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().flatten()
    }
}

/// Receives events. It is called inside requests and must not block.
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
    /// Called for every event.
    fn observe(&self, event: &Event);
}
