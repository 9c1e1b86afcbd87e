//! Why a session could not be extracted, as a response that tells the client nothing but a status.

use axum_core::response::{IntoResponse, Response};
use session_core::{Failure, OpenError};

use crate::layer::plain;

/// A handler asked for a session and cannot have one.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SessionRejection {
    /// The layer is missing: 500.
    #[error("no session here: wrap this route in a `SessionLayer`")]
    NoLayer,
    /// The session could not be opened: 503, and its cookie is left alone.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl SessionRejection {
    /// The status of its response.
    ///
    /// ```
    /// assert_eq!(session_axum::SessionRejection::NoLayer.status(), 500);
    /// ```
    #[must_use]
    pub fn status(&self) -> u16 {
        self.failure().status()
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Open(OpenError::Store(_) | OpenError::Newer(_)) => Failure::Unavailable,
            Self::NoLayer | Self::Open(_) => Failure::Internal,
        }
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        plain(self.failure())
    }
}
