//! The error type of handlers: whatever went wrong in this library, as a response without details.

use std::error::Error;

use http::Response;
use session_core::adapter::BareResponse;
use session_web::{Rejection, bare_response};

/// The error that handlers return: `?` converts every error of this library into it, and
/// [`into_response`](Self::into_response) makes the response.
///
/// The client gets a status and an empty body, the log gets the reason. [`Rejection`] lists the statuses. A
/// [`Redirect`](crate::Redirect) can be returned as an error, too.
///
/// ```
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use hyper::body::{Bytes, Incoming};
/// use session_hyper::{Input, RequestSession, SessionRejection, redirects, respond};
///
/// #[derive(serde::Deserialize)]
/// struct Order { count: u32 }
///
/// async fn order(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, SessionRejection> {
///     let session = request.session().await?;
///     let redirects = redirects(&request).await?;
///     let input = Input::read(request).await?;
///     let order: Order = redirects.or_back(input.to(), "/order")?; // a missing field: back, with its error
///     session.increment_by("ordered", order.count)?;
///     session.commit().await?;
///     if let Some(user) = session.user().name() {
///         session.sessions().of(user).destroy_others(&session).await?;
///     }
///     Ok(respond(redirects.to("/orders").with("status", "Ordered")))
/// }
///
/// /// What hyper calls.
/// async fn handler(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
///     Ok(order(request).await.unwrap_or_else(SessionRejection::into_response))
/// }
/// ```
///
/// An application's own error type needs one `From`: `impl<E: Into<SessionRejection>> From<E> for PageError`. One that boxes
/// every error, as with `anyhow`, finds this library's with [`find`](Self::find).
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
    /// use session_hyper::{SessionError, SessionRejection};
    ///
    /// let boxed: Box<dyn std::error::Error> = SessionError::ReadOnly.into();
    /// assert!(SessionRejection::find(&*boxed).is_some());
    /// assert!(SessionRejection::find(&std::fmt::Error).is_none());
    /// ```
    #[must_use]
    pub fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        Rejection::find_as(error)
    }

    /// The response, after writing the reason to the log.
    #[must_use]
    pub fn into_response<R: Default>(self) -> Response<R> {
        bare_response(BareResponse::from(&self.0))
    }
}
