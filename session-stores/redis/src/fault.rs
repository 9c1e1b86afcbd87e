//! Maps errors of the driver and of the server to store errors.

use redis::{ErrorKind, RedisError, ServerErrorKind};
use session_core::store::{StoreError, StoreErrorKind};

use crate::NAME;

/// Classifies a driver error as `Unavailable`, `Refused` or `Timeout`.
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
            // Slots were still migrating at the deadline.
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask,
        ) => StoreErrorKind::Unavailable,
        ErrorKind::Extension if error.code() == Some("BUSY") => StoreErrorKind::Unavailable,
        _ => StoreErrorKind::Refused,
    };
    StoreError::new(kind, NAME).because(error)
}

/// Whether the connection must be replaced after this error: it broke, or its server no longer accepts writes (a
/// master demoted by a fail-over, whose name may resolve to another server by now).
pub(crate) fn ends_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || matches!(error.kind(), ErrorKind::Io | ErrorKind::Server(ServerErrorKind::ReadOnly))
        || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}

/// Whether the server does not know the script.
pub(crate) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// The error for a reply that the scripts of this crate never return.
pub(crate) fn strange_reply() -> StoreError {
    StoreError::new(StoreErrorKind::Refused, NAME).because(StrangeReply)
}

#[derive(Debug, thiserror::Error)]
#[error("the server's reply has an unexpected shape")]
struct StrangeReply;
