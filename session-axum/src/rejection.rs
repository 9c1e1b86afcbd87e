//! What the core refused, as a response that tells the client nothing but a status.

use axum_core::response::{IntoResponse, Response};
use session_core::adapter::{BareResponse, Rejection};

use crate::words;

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
pub struct SessionRejection(pub Rejection);

/// Of `OpenError`, `SessionError`, `CommitError` and the core's `Rejection` itself.
impl<E: Into<Rejection>> From<E> for SessionRejection {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        words::response(BareResponse::from(&self.0))
    }
}
