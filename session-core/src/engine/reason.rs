//! The reasons of events, as names for metrics.

use super::event::Event;
use super::import::RefusedImport;
use crate::value::answer::StoreErrorKind;
use crate::value::cookie::reject::RejectReason;
use crate::value::device::Unproven;
#[cfg(feature = "dbsc")]
use crate::value::device::error::ProofError;
use crate::value::flash::FlashBag;

impl Event {
    /// Returns why the event happened, for metrics, if events of this [`name`](Self::name) have several reasons: why a
    /// cookie was rejected, an import or a proof refused, a request unproven; the kind of a store's failure; the flash bag
    /// that gave way.
    ///
    /// ```
    /// use session_core::{Event, store::StoreErrorKind};
    ///
    /// let event = Event::StoreError { store: "redis", kind: StoreErrorKind::Timeout };
    /// assert_eq!((event.name(), event.reason()), ("store_error", Some("timeout")));
    /// assert_eq!(Event::Gone.reason(), None);
    /// ```
    #[must_use]
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::RejectedCookie(reason) => Some(rejected(*reason)),
            Self::RefusedImport(reason) => Some(import(*reason)),
            Self::Unproven(lack) => Some(unproven(*lack)),
            #[cfg(feature = "dbsc")]
            Self::RefusedProof(reason) => Some(proof(*reason)),
            Self::GaveWay(bag) => Some(flash(*bag)),
            Self::StoreError { kind, .. } => Some(kind.name()),
            Self::Initiated { .. }
            | Self::DuplicateCookies(_)
            | Self::IgnoredCookies(_)
            | Self::UnsealedWithOldKey
            | Self::Expired
            | Self::Corrupt
            | Self::Created(_)
            | Self::Committed(_)
            | Self::Touched(_)
            | Self::Migrated { .. }
            | Self::Destroyed(_)
            | Self::Conflict(_)
            | Self::Contended
            | Self::Gone
            | Self::Unseen
            | Self::Unbound
            | Self::OldCookie(_)
            | Self::Imported(_)
            | Self::Bound(_)
            | Self::Proved(_)
            | Self::TooLarge { .. }
            | Self::Newer => None,
        }
    }
}

impl StoreErrorKind {
    /// Returns the name of the kind, for metrics and spans: `unavailable`, `too_large`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Corrupt => "corrupt",
            Self::Newer => "newer",
            Self::TooLarge { .. } => "too_large",
        }
    }
}

const fn rejected(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::Length => "length",
        RejectReason::Base64 => "base64",
        RejectReason::Version => "version",
        RejectReason::Kind => "kind",
        RejectReason::UnknownKey => "unknown_key",
        RejectReason::Seal => "seal",
        RejectReason::Malformed => "malformed",
        RejectReason::IssuedInFuture => "issued_in_future",
        RejectReason::Expired => "expired",
    }
}

const fn import(reason: RefusedImport) -> &'static str {
    match reason {
        RefusedImport::Forged => "forged",
        RefusedImport::Malformed => "malformed",
        RefusedImport::Expired => "expired",
        RefusedImport::Gone => "gone",
        RefusedImport::TooLarge => "too_large",
    }
}

const fn unproven(lack: Unproven) -> &'static str {
    match lack {
        Unproven::Missing => "missing",
        Unproven::Stale => "stale",
        Unproven::Foreign => "foreign",
    }
}

#[cfg(feature = "dbsc")]
const fn proof(reason: ProofError) -> &'static str {
    match reason {
        ProofError::TooLong => "too_long",
        ProofError::Malformed => "malformed",
        ProofError::Algorithm => "algorithm",
        ProofError::Type => "type",
        ProofError::Key => "key",
        ProofError::OwnKey => "own_key",
        ProofError::Signature => "signature",
        ProofError::Challenge => "challenge",
        ProofError::Expired => "expired",
        ProofError::Replayed => "replayed",
        ProofError::OtherBinding => "other_binding",
        ProofError::AlreadyBound => "already_bound",
        ProofError::NoSession => "no_session",
        ProofError::OtherOrigin => "other_origin",
    }
}

const fn flash(bag: FlashBag) -> &'static str {
    match bag {
        FlashBag::Messages => "messages",
        FlashBag::Input => "input",
        FlashBag::Errors => "errors",
    }
}
