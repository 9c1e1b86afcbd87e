//! The kinds of error in a script's results, and the library's errors that they stand for.

use serde::Serialize;
use session_core::{CommitError, SessionError, UserSessionsError, ValueError};

/// The error of an operation, as the client sees it.
#[derive(Debug, Serialize)]
pub(super) struct Failed {
    kind: &'static str,
    message: String,
}

impl Failed {
    pub(super) fn bad_op(message: impl Into<String>) -> Self {
        Self { kind: "BadOp", message: message.into() }
    }
}

impl From<SessionError> for Failed {
    fn from(error: SessionError) -> Self {
        let kind = match &error {
            SessionError::Value(error) => of_value(error),
            SessionError::ReadOnly => "ReadOnly",
            SessionError::Destroyed => "Destroyed",
            SessionError::Closed => "Closed",
            SessionError::RefusedUrl => "RefusedUrl",
            SessionError::InUse => "InUse",
            SessionError::Lifetime(_) => "Lifetime",
            // No random bytes, and errors that may be added later: failures of the machine, like those of a store.
            _ => "Store",
        };
        Self { kind, message: error.to_string() }
    }
}

impl From<CommitError> for Failed {
    fn from(error: CommitError) -> Self {
        let kind = match &error {
            CommitError::Gone => "Gone",
            CommitError::Unseen => "Unseen",
            CommitError::Unproven => "Unproven",
            CommitError::Contended => "Contended",
            CommitError::TooLarge { .. } => "TooLarge",
            CommitError::ReadOnly => "ReadOnly",
            CommitError::Closed | CommitError::NoResponse => "Closed",
            _ => "Store",
        };
        Self { kind, message: error.to_string() }
    }
}

impl From<UserSessionsError> for Failed {
    fn from(error: UserSessionsError) -> Self {
        let kind = if let UserSessionsError::NotSupported { .. } = &error { "NotSupported" } else { "Store" };
        Self { kind, message: error.to_string() }
    }
}

fn of_value(error: &ValueError) -> &'static str {
    match error {
        ValueError::WrongType { .. } => "WrongType",
        ValueError::NotANumber { .. } => "NotANumber",
        ValueError::Overflow { .. } => "Overflow",
        ValueError::NotAnArray { .. } => "NotAnArray",
        ValueError::NotAnObject { .. } => "NotAnObject",
        ValueError::IndexTooLarge { .. } => "IndexTooLarge",
        ValueError::TooLarge { .. } => "TooLarge",
        ValueError::BadPath { .. } => "BadPath",
        // Values without names, and values that are nested too deeply: the operation is invalid.
        _ => "BadOp",
    }
}
