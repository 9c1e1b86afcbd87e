//! The error type of handlers: whatever went wrong in this library, as a response without details.

use std::error::Error;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use session_core::adapter::BareResponse;
use session_web::Rejection;

use crate::redirect::Redirect;
use crate::words;

/// The error that handlers return: `?` converts every error of this library into it.
///
/// The client gets a status and an empty body, the log gets the reason. [`Rejection`] lists the statuses. A
/// [`Redirect`] can be returned as an error, too.
///
/// ```
/// use session_actix::{Input, Redirect, Redirects, Session, SessionRejection};
///
/// #[derive(serde::Deserialize)]
/// struct Order { count: u32 }
///
/// async fn order(session: Session, redirects: Redirects, input: Input) -> Result<Redirect, SessionRejection> {
///     let order: Order = redirects.or_back(input.to(), "/order")?; // a missing field: back, with its error
///     session.increment_by("ordered", order.count)?;
///     session.commit().await?;
///     if let Some(user) = session.user().name() {
///         session.sessions().of(user).destroy_others(&session).await?;
///     }
///     Ok(redirects.to("/orders").with("status", "Ordered"))
/// }
/// # let _ = actix_web::App::new().route("/", actix_web::web::post().to(order));
/// ```
///
/// An application's own error type needs one `From`:
///
/// ```
/// use actix_web::{HttpResponse, ResponseError, http::StatusCode};
/// use session_actix::{Session, SessionRejection};
///
/// #[derive(Debug)]
/// enum PageError {
///     Session(SessionRejection),
///     SoldOut,
/// }
///
/// impl<E: Into<SessionRejection>> From<E> for PageError {
///     fn from(error: E) -> Self {
///         Self::Session(error.into())
///     }
/// }
///
/// impl std::fmt::Display for PageError {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         match self {
///             Self::Session(rejection) => rejection.fmt(f),
///             Self::SoldOut => f.write_str("sold out"),
///         }
///     }
/// }
///
/// impl ResponseError for PageError {
///     fn status_code(&self) -> StatusCode {
///         match self {
///             Self::Session(rejection) => rejection.status_code(),
///             Self::SoldOut => StatusCode::OK,
///         }
///     }
///
///     fn error_response(&self) -> HttpResponse {
///         match self {
///             Self::Session(rejection) => rejection.error_response(),
///             Self::SoldOut => HttpResponse::Ok().body("Sold out"),
///         }
///     }
/// }
///
/// async fn buy(session: Session) -> Result<&'static str, PageError> {
///     if session.get::<u32>("stock")?.is_none() {
///         return Err(PageError::SoldOut);
///     }
///     session.commit().await?;
///     Ok("Bought")
/// }
/// # let _ = actix_web::App::new().route("/", actix_web::web::post().to(buy));
/// ```
///
/// One that boxes every error, as with `anyhow`, finds this library's with [`find`](Self::find).
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct SessionRejection(pub Rejection);

impl<E: Into<Rejection>> From<E> for SessionRejection {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl SessionRejection {
    /// Finds an error of this library in an error or its sources, for applications that box every error, as with `anyhow`.
    ///
    /// ```
    /// use session_actix::{SessionError, SessionRejection};
    ///
    /// let boxed: Box<dyn std::error::Error> = SessionError::ReadOnly.into();
    /// assert!(SessionRejection::find(&*boxed).is_some());
    /// assert!(SessionRejection::find(&std::fmt::Error).is_none());
    /// ```
    #[must_use]
    pub fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        Rejection::find_as(error)
    }
}

/// Leaves the handler with a redirect.
impl From<Redirect> for Rejection {
    fn from(redirect: Redirect) -> Self {
        redirect.0.into()
    }
}

impl ResponseError for SessionRejection {
    fn status_code(&self) -> StatusCode {
        words::status(self.0.status())
    }

    fn error_response(&self) -> HttpResponse {
        words::response(BareResponse::from(&self.0))
    }
}
