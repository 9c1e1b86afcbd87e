//! Every error that a handler can meet, in one type: each with the status of its response and its log line.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use session_core::adapter::{BareResponse, Failure};
use session_core::{CommitError, OpenError, SessionError, UserSessionsError, ValueError};

use crate::csrf::CrossOrigin;
use crate::fit::NotThatForm;
use crate::read::FormError;
use crate::redirect::FinishedRedirect;

/// Why a handler did not complete: the error type that handlers return, so that `?` works on everything in this library.
///
/// Each adapter wraps it in a type that is a response of its framework. The client gets a status and an empty body; the
/// reason goes to the log, target `session`.
///
/// | cause | status | logged at |
/// |---|---|---|
/// | missing or misplaced layer, sessions switched off, misuse of a session | 500 | error |
/// | the store failed, or too many requests changed the session at once | 503 | error |
/// | the store cannot list a user's sessions | 500 | error |
/// | the user has too many sessions | 409 | info |
/// | the request's form cannot be read, or a field is missing or invalid | 400, 413, 415, 422 | info |
/// | another origin's page opens a WebSocket ([`same_origin`](crate::same_origin)) | 403 | info |
/// | nobody is signed in, where the request cannot be sent to the sign-in page | 401 | info |
/// | a [`Redirect`](crate::Redirect) returned as an error | 303 | – |
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The session layer is missing: 500.
    #[error("no session here: put the session layer around this route")]
    NoLayer,
    /// The CSRF layer ran before the session layer: 500.
    #[error(
        "the CSRF layer found no session: put it inside the session layer (axum: `.layer(csrf)` before `.layer(sessions)`; \
         actix: `.wrap(csrf)` before `.wrap(sessions)`)"
    )]
    MisplacedCsrf,
    /// The session could not be opened: 503, and its cookie is not changed. 500 if sessions are switched off.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An operation on the session failed: 500.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A commit in the middle of the request failed: 503, or 500 if trying again cannot help.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A user's sessions could not be listed or ended: 503; 409 if there are too many, 500 if the store has no such index.
    #[error(transparent)]
    Owner(#[from] UserSessionsError),
    /// The request is not what the handler expects: 4xx.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Nobody is signed in, and the request is not a navigation that could be sent to the sign-in page: 401.
    #[error("nobody is signed in")]
    SignedOut,
    /// `SignedIn` or `Recent` is used without a sign-in page: 500.
    #[error("no sign-in page: set it with `sign_in_page` where the session layer is created")]
    NoSignInPage,
    /// The handler leaves early with a redirect. Nothing is logged.
    #[error("the handler leaves with a redirect ({})", .0.status())]
    Redirect(FinishedRedirect),
}

/// An error in what the client sent, and the status of the response to it.
///
/// ```
/// use session_web::{Rejection, RequestError};
///
/// let error = RequestError::new(422, std::io::Error::other("count is missing"));
/// assert_eq!(Rejection::from(error).status(), 422);
/// ```
#[derive(Clone)]
pub struct RequestError {
    status: u16,
    cause: Arc<dyn Error + Send + Sync>,
}

impl RequestError {
    /// Wraps an error. Its `Display` is logged, so it must not contain what the client sent.
    pub fn new(status: u16, cause: impl Error + Send + Sync + 'static) -> Self {
        Self { status, cause: Arc::new(cause) }
    }

    /// The status of the response.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The error itself, to downcast.
    #[must_use]
    pub fn cause(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.cause
    }
}

impl fmt::Debug for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestError").field("status", &self.status).field("cause", &self.cause).finish()
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl Error for RequestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

impl Rejection {
    /// The response, after writing the reason to the log.
    #[must_use]
    pub fn response(&self) -> BareResponse {
        let (status, error): (_, &(dyn Error + 'static)) = (self.status(), self);
        match self {
            Self::Redirect(_) => {}
            _ if status < 500 => tracing::info!(target: "session", error, status, "a request was rejected"),
            _ => tracing::error!(target: "session", error, status, "a handler was refused its session"),
        }
        match self {
            Self::Redirect(redirect) => redirect.clone().into(),
            _ => BareResponse::uncached(status),
        }
    }

    /// The status of that response. Logs nothing, for frameworks that ask for it separately.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Open(error) => error.failure().status(),
            Self::Commit(error) => error.failure().unwrap_or(Failure::Internal).status(),
            Self::Owner(UserSessionsError::Store(_)) => Failure::Unavailable.status(),
            Self::Owner(UserSessionsError::TooMany { .. }) => 409,
            Self::Request(error) => error.status,
            Self::SignedOut => 401,
            Self::Redirect(redirect) => redirect.status(),
            Self::NoLayer | Self::MisplacedCsrf | Self::NoSignInPage | Self::Session(_) | Self::Owner(_) => {
                Failure::Internal.status()
            }
        }
    }

    /// Finds an error of this library in an error or its sources, for an application that boxes all errors in one type.
    ///
    /// ```
    /// use std::error::Error;
    /// use session_core::SessionError;
    /// use session_web::Rejection;
    ///
    /// let boxed: Box<dyn Error> = SessionError::ReadOnly.into();
    /// assert_eq!(Rejection::find(&*boxed).map(|rejection| rejection.status()), Some(500));
    /// assert!(Rejection::find(&std::fmt::Error).is_none());
    /// ```
    #[must_use]
    pub fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        fn is<E: Error + Clone + Into<Rejection> + 'static>(
            error: &(dyn Error + 'static),
        ) -> Option<Rejection> {
            error.downcast_ref::<E>().cloned().map(Into::into)
        }
        sources(error).find_map(|error| {
            is::<Self>(error)
                .or_else(|| is::<SessionError>(error))
                .or_else(|| is::<OpenError>(error))
                .or_else(|| is::<CommitError>(error))
                .or_else(|| is::<UserSessionsError>(error))
                .or_else(|| is::<RequestError>(error))
                .or_else(|| is::<FormError>(error))
                .or_else(|| is::<NotThatForm>(error))
                .or_else(|| is::<CrossOrigin>(error))
                .or_else(|| is::<ValueError>(error))
        })
    }

    /// Finds an error as [`find`](Self::find) does, or one of an adapter's own type, and returns it as that type.
    #[must_use]
    pub fn find_as<T: Error + Clone + From<Self> + 'static>(error: &(dyn Error + 'static)) -> Option<T> {
        let own = sources(error).find_map(|error| error.downcast_ref::<T>().cloned());
        own.or_else(|| Self::find(error).map(T::from))
    }
}

/// Returns the error and its sources.
fn sources<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// A value of another type, read from a copy such as [`Session::all`](session_core::Session::all): as from the session.
impl From<ValueError> for Rejection {
    fn from(why: ValueError) -> Self {
        Self::Session(why.into())
    }
}

/// A WebSocket that another origin's page would open: 403.
impl From<CrossOrigin> for Rejection {
    fn from(why: CrossOrigin) -> Self {
        Self::Request(RequestError::new(403, why))
    }
}

impl From<&Rejection> for BareResponse {
    fn from(rejection: &Rejection) -> Self {
        rejection.response()
    }
}
