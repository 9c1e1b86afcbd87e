//! What the core refused, as a response that tells the client nothing but a status.

use axum_core::response::{IntoResponse, Response};
use session_core::{CommitError, OpenError, Rejection, SessionError};

use crate::layer::plain;

/// A handler asked for a session and cannot have one, or asked something of it that it refused.
///
/// Handlers may return it: `?` makes one of every error of a session.
///
/// ```
/// use session_axum::{Session, SessionRejection};
///
/// async fn sign_in(session: Session) -> Result<&'static str, SessionRejection> {
///     session.regenerate()?;
///     session.put("user", 42)?;
///     Ok("welcome")
/// }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct SessionRejection(#[from] pub Rejection);

impl From<OpenError> for SessionRejection {
    fn from(error: OpenError) -> Self {
        Self(error.into())
    }
}

impl From<SessionError> for SessionRejection {
    fn from(error: SessionError) -> Self {
        Self(error.into())
    }
}

impl From<CommitError> for SessionRejection {
    fn from(error: CommitError) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        plain(self.0.failure())
    }
}
