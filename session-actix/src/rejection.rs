//! What the core refused, as a response that tells the client nothing but a status.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use session_core::{CommitError, OpenError, Rejection, SessionError};

use crate::middleware::plain;

/// A handler asked for a session and cannot have one, or asked something of it that it refused.
///
/// Handlers may return it: `?` makes one of every error of a session.
///
/// ```
/// use session_actix::{Session, SessionRejection};
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

impl ResponseError for SessionRejection {
    fn status_code(&self) -> StatusCode {
        plain(self.0.failure()).status()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        plain(self.0.failure())
    }
}
