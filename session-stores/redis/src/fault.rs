//! What a failure of the driver or an error of the server means to a session store.

use redis::{ErrorKind, RedisError, ServerErrorKind};
use session_core::store::{StoreError, StoreErrorKind};

use crate::NAME;

/// Sorts a driver error: cannot be reached, would not do it, or did not answer in time.
pub(crate) fn fault(error: RedisError) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound if error.is_timeout() => StoreErrorKind::Timeout,
        ErrorKind::Io
        | ErrorKind::Parse
        | ErrorKind::ClusterConnectionNotFound
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel => StoreErrorKind::Unavailable,
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::TryAgain
            // Slots that did not settle in time.
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask,
        ) => StoreErrorKind::Unavailable,
        ErrorKind::Extension if error.code() == Some("BUSY") => StoreErrorKind::Unavailable,
        _ => StoreErrorKind::Refused,
    };
    StoreError::new(kind, NAME).because(error)
}

/// Whether the connection that brought this error is of no more use: it broke, or it leads to a server that no longer
/// takes writes (a master demoted by a fail-over; the name may lead elsewhere by now).
pub(crate) fn ends_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || matches!(error.kind(), ErrorKind::Io | ErrorKind::Server(ServerErrorKind::ReadOnly))
        || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}

/// Whether the server does not know the script yet, or no longer.
pub(crate) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// A reply of a shape that our own scripts never give.
pub(crate) fn strange_reply() -> StoreError {
    StoreError::new(StoreErrorKind::Refused, NAME).because(StrangeReply)
}

#[derive(Debug, thiserror::Error)]
#[error("the server's reply has an unexpected shape")]
struct StrangeReply;
