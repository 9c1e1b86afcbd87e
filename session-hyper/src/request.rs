//! How a handler gets at its session: three methods on the request.

use http::{Extensions, Request, request::Parts};
use session_core::{
    Session,
    adapter::{BoxFuture, Rejection, Visit},
};

/// The visitor's session, from a request that came through a [`SessionService`](crate::SessionService).
///
/// The futures own what they need, so the request may be taken apart while they run.
///
/// ```
/// use http::Request;
/// use session_hyper::{RequestSession, SessionRejection};
///
/// async fn hits<B>(request: Request<B>) -> Result<String, SessionRejection> {
///     let session = request.session().await?;
///     Ok(session.increment("hits")?.to_string())
/// }
/// # fn is_send<T: Send>(_: T) {}
/// # is_send(hits(Request::new(())));
/// ```
pub trait RequestSession {
    /// The session, to read and write. The store is asked once per request, however often this is called.
    ///
    /// # Errors
    /// [`Rejection`]: the service is missing, or the store failed. Answer its
    /// [`failure`](Rejection::failure)'s status and nothing else.
    fn session(&self) -> BoxFuture<Result<Session, Rejection>> {
        let visit = self.visit();
        Box::pin(async move { Ok(visit?.session().await?) })
    }

    /// The session, read-only: every change is `ReadOnly`; flash is shown and stays for the next visit.
    ///
    /// # Errors
    /// As for [`session`](Self::session).
    fn read_only_session(&self) -> BoxFuture<Result<Session, Rejection>> {
        let visit = self.visit();
        Box::pin(async move { Ok(visit?.read_only().await?) })
    }

    /// Ends the session without loading it: one store call. The response removes the cookie.
    ///
    /// # Errors
    /// [`Rejection::Open`] when the store failed: the session may still live.
    fn sign_out(&self) -> BoxFuture<Result<(), Rejection>> {
        let visit = self.visit();
        Box::pin(async move { Ok(visit?.destroy().await?) })
    }

    /// The visit itself, to hand on: it opens the session when somebody asks, and gives a
    /// [`detached`](Visit::detached) one to what outlives the response.
    ///
    /// # Errors
    /// [`Rejection::NoLayer`] when the service is missing.
    fn visit(&self) -> Result<Visit, Rejection>;
}

impl RequestSession for Extensions {
    fn visit(&self) -> Result<Visit, Rejection> {
        Visit::found(self.get())
    }
}

impl<B> RequestSession for Request<B> {
    fn visit(&self) -> Result<Visit, Rejection> {
        self.extensions().visit()
    }
}

impl RequestSession for Parts {
    fn visit(&self) -> Result<Visit, Rejection> {
        self.extensions.visit()
    }
}
