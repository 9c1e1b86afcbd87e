//! Why a handler has no session, or could not use it; and the one place that says what the client then gets.

use std::error::Error;

use super::error::{OpenError, SessionError};
use super::report::{self, Failure};
use super::visit::Visit;
use crate::decision::commit::CommitError;

/// A handler asked for a session and cannot have one, or asked something of it that it refused.
///
/// Each adapter wraps it in a type that is a response of its framework: a bare status, since whatever it says is for
/// the operator and not for the visitor.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The layer is missing: 500.
    #[error("no session here: put the session layer around this route")]
    NoLayer,
    /// The session could not be opened: 503, and its cookie is left alone.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A call on the session did nothing: 500.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A commit in the middle of the visit did not happen: 503, or 500 if trying again cannot help.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl Rejection {
    /// What to answer. Since the client is told a status and nothing else, why is traced here, as an error of the target
    /// `session`: a programmer who forgot the layer or asked for the wrong type finds the sentence in the log.
    ///
    /// ```
    /// use session_core::{SessionError, adapter::Rejection};
    ///
    /// assert_eq!(Rejection::from(SessionError::ReadOnly).failure().status(), 500);
    /// ```
    #[must_use]
    pub fn failure(&self) -> Failure {
        let failure = self.kind();
        let error: &(dyn Error + 'static) = self;
        tracing::error!(target: "session", error, status = failure.status(), "a handler was refused its session");
        failure
    }

    /// The status of that answer, and no trace: for frameworks that ask for it apart, and as often as they like.
    ///
    /// ```
    /// use session_core::{OpenError, adapter::Rejection};
    ///
    /// assert_eq!(Rejection::from(OpenError::Disabled).status(), 500);
    /// ```
    #[must_use]
    pub fn status(&self) -> u16 {
        self.kind().status()
    }

    fn kind(&self) -> Failure {
        match self {
            Self::Open(error) => error.failure(),
            Self::Commit(error) => report::failure(error).unwrap_or(Failure::Internal),
            Self::NoLayer | Self::Session(_) => Failure::Internal,
        }
    }
}

impl OpenError {
    /// What to answer when a handler asked for a session and cannot have one.
    ///
    /// ```
    /// assert_eq!(session_core::OpenError::Disabled.failure().status(), 500);
    /// ```
    #[must_use]
    pub const fn failure(&self) -> Failure {
        match self {
            Self::Store(_) | Self::Newer(_) => Failure::Unavailable,
            Self::Disabled | Self::Closed => Failure::Internal,
        }
    }
}

impl Visit {
    /// The visit that an extractor found, or did not find, in the request's extensions.
    ///
    /// # Errors
    /// [`Rejection::NoLayer`] if there is none, [`OpenError::Disabled`] if sessions are switched off.
    ///
    /// ```
    /// use session_core::adapter::{Rejection, Visit};
    ///
    /// assert!(matches!(Visit::found(None), Err(Rejection::NoLayer)));
    /// ```
    pub fn found(in_extensions: Option<&Self>) -> Result<Self, Rejection> {
        match in_extensions {
            None => Err(Rejection::NoLayer),
            Some(visit) if visit.is_off() => Err(OpenError::Disabled.into()),
            Some(visit) => Ok(visit.clone()),
        }
    }

    /// The same for an extractor that reads a form: `None` where sessions are switched off, since forms are read there, too.
    ///
    /// # Errors
    /// [`Rejection::NoLayer`] if there is none.
    ///
    /// ```
    /// use session_core::adapter::{Rejection, Visit};
    ///
    /// assert!(matches!(Visit::found_for_input(None), Err(Rejection::NoLayer)));
    /// ```
    pub fn found_for_input(in_extensions: Option<&Self>) -> Result<Option<Self>, Rejection> {
        match Self::found(in_extensions) {
            Ok(visit) => Ok(Some(visit)),
            Err(Rejection::Open(OpenError::Disabled)) => Ok(None),
            Err(rejection) => Err(rejection),
        }
    }
}
