//! Why a cookie is rejected: one message for the client, the reason for metrics.

/// Returned when a value is rejected. Its message is `invalid` for every reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid")]
pub struct Rejected {
    reason: RejectReason,
}

impl Rejected {
    /// Returns the reason, for metrics and traces only.
    #[must_use]
    pub fn reason(self) -> RejectReason {
        self.reason
    }
}

impl From<RejectReason> for Rejected {
    fn from(reason: RejectReason) -> Self {
        Self { reason }
    }
}

/// Why a value was rejected, in the order of the checks. For metrics only.
///
/// ```
/// use session_core::machine::cookie::{Rejected, RejectReason};
///
/// // A metric has the reason; a visitor never does.
/// let rejected = Rejected::from(RejectReason::UnknownKey);
/// assert_eq!(format!("{:?}", rejected.reason()), "UnknownKey");
/// assert_eq!(rejected.to_string(), "invalid");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectReason {
    /// Too short to be a seal, too long to be a cookie, or a length that base64 does not have.
    Length,
    /// Not canonical base64url.
    Base64,
    /// Of a format that this version does not know.
    Version,
    /// Of another kind than the one expected.
    Kind,
    /// Sealed with a key that is not in the ring.
    UnknownKey,
    /// Forged, damaged, or bound to something else.
    Seal,
    /// Authentic, but not what a token looks like: sealed by another version of this library.
    Malformed,
    /// Authentic, and issued in the future.
    IssuedInFuture,
    /// Authentic, and past a deadline.
    Expired,
}
