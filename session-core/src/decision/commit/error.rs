//! The error of a commit.

use crate::decision::state::NewerFormat;
use crate::value::answer::StoreError;

/// Returned when a commit fails. Nothing was written, except that a store which failed may have applied the write.
///
/// ```
/// use session_core::{CommitError, adapter::{Failure, VisitReport}};
///
/// // What became of it is one thing, what the visitor sees another.
/// let mut report = VisitReport::default();
/// report.error = Some(CommitError::Contended);
/// assert_eq!(report.failure(), Some(Failure::Unavailable));
/// report.error = Some(CommitError::Gone);
/// assert_eq!(report.failure(), None);
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The session ended or expired while this request ran, or got a new id that this request may not follow: it had no
    /// user, or its user changed. A request that signs in is not affected: it begins a new session.
    #[error("the session ended while this request was using it")]
    Gone,
    /// Other requests kept writing first for as long as the policy's patience.
    #[error("the session is being changed by too many requests at once")]
    Contended,
    /// The session is larger than its store or cookie allows.
    #[error("the session is {size} bytes long; at most {limit} are allowed")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The store failed.
    #[error("the session could not be stored")]
    Store(#[source] StoreError),
    /// A newer version of this library wrote the record meanwhile; it is not changed.
    #[error("the session could not be stored")]
    Newer(#[source] NewerFormat),
    /// The random generator failed.
    #[error("no random bytes for the session")]
    Entropy,
    /// The handle is read-only.
    #[error("the session is read-only here")]
    ReadOnly,
    /// The session is [detached](crate::adapter::Visit::detached), and the change needs a response: to set a new id or
    /// the content of a cookie, or to remove the cookie.
    #[error("no response is left that could tell the browser about the session")]
    NoResponse,
    /// The visitor may have a session whose cookie was withheld from this cross-site request, so nothing that would
    /// replace it is written. Signing in (`regenerate`, `tag`) begins a session in any case.
    #[error("another site sent this request without the session's cookie, so the session is not written")]
    Unseen,
    /// The session is bound to a device, and this request does not prove that it comes from there, so nothing that would
    /// replace the session's cookie is written. Signing in (`regenerate`) begins a session in any case.
    #[error("the request does not come from the device that the session is bound to")]
    Unproven,
    /// The response was already sent. Earlier changes were written with it.
    #[error("the response was already sent; the session can no longer be changed")]
    Closed,
}
