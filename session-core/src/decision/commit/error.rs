//! Why a commit did not happen.

use crate::decision::state::NewerFormat;
use crate::value::answer::StoreError;

/// Why a commit did not happen. Each says what became of the changes: they are dropped, and the store is as it was.
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
    /// The session was ended, regenerated elsewhere or expired while this request ran. Nothing was revived.
    #[error("the session ended while this request was using it")]
    Gone,
    /// Others kept writing first for as long as the policy allows.
    #[error("the session is being changed by too many requests at once")]
    Contended,
    /// The session has grown beyond what may be stored.
    #[error("the session is {size} bytes long; at most {limit} are allowed")]
    TooLarge {
        /// Bytes it would take.
        size: usize,
        /// Bytes there are.
        limit: usize,
    },
    /// The store failed.
    #[error("the session could not be stored")]
    Store(#[source] StoreError),
    /// A newer version of this library wrote the record meanwhile; it is left alone.
    #[error("the session could not be stored")]
    Newer(#[source] NewerFormat),
    /// The random generator failed.
    #[error("no random bytes for the session")]
    Entropy,
    /// This handle only reads.
    #[error("the session is read-only here")]
    ReadOnly,
    /// The session was [detached](crate::adapter::Visit::detached) from its response, which alone could tell the browser about a
    /// new id, about what a cookie is to carry, or that there is no session any more.
    #[error("no response is left that could tell the browser about the session")]
    NoResponse,
    /// The response is sent: what was changed before was written with it.
    #[error("the response was already sent; the session can no longer be changed")]
    Closed,
}
