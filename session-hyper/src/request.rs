//! The session of a request: methods on the request itself.

use std::time::Duration;

use http::{Extensions, Request, request::Parts};
use serde::Serialize;
use session_core::{
    Session,
    adapter::{BoxFuture, Visit},
    path::Accepts,
};
use session_web::SignIn;
use session_web::sign_out_with;
use session_web::{find_visit, find_visit_if_any};

use crate::rejection::SessionRejection;

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
    /// The service is missing, or the store failed.
    fn session(&self) -> BoxFuture<Result<Session, SessionRejection>> {
        let visit = self.visit();
        Box::pin(async move { Ok(visit?.session().await?) })
    }

    /// The session, read-only: every change is an error, and flash messages are shown but not consumed.
    ///
    /// # Errors
    /// As for [`session`](Self::session).
    fn read_only_session(&self) -> BoxFuture<Result<Session, SessionRejection>> {
        let visit = self.visit();
        Box::pin(async move { Ok(visit?.read_only().await?) })
    }

    /// The session, or `None` where there is no [`SessionService`](crate::SessionService) or sessions are switched off.
    ///
    /// # Errors
    /// The store failed: a visitor who is signed in must not be taken for a stranger.
    fn optional_session(&self) -> BoxFuture<Result<Option<Session>, SessionRejection>> {
        let visit = find_visit_if_any(self.visit().ok().as_ref());
        Box::pin(async move {
            match visit {
                Some(visit) => Ok(Some(visit.session().await?)),
                None => Ok(None),
            }
        })
    }

    /// The session, read-only, or `None` where there is no [`SessionService`](crate::SessionService) or sessions are
    /// switched off.
    ///
    /// # Errors
    /// The store failed.
    fn optional_read_only_session(&self) -> BoxFuture<Result<Option<Session>, SessionRejection>> {
        let visit = find_visit_if_any(self.visit().ok().as_ref());
        Box::pin(async move {
            match visit {
                Some(visit) => Ok(Some(visit.read_only().await?)),
                None => Ok(None),
            }
        })
    }

    /// The name of the user who is signed in (the session's [`tag`](Session::tag)).
    ///
    /// # Errors
    /// For a navigation of a stranger, a redirect to the service's
    /// [`sign_in_page`](crate::SessionService::sign_in_page), with the URL kept for
    /// [`Redirects::intended`](crate::Redirects::intended); for everything else (forms, scripts) a 401. As for
    /// [`session`](Self::session) if the session cannot be opened.
    fn signed_in(&self) -> BoxFuture<Result<String, SessionRejection>> {
        let (visit, sign_in) = (self.visit(), self.sign_in());
        Box::pin(async move { Ok(SignIn::user(sign_in.as_ref(), &visit?).await?) })
    }

    /// The name of a user who has confirmed who they are ([`User::confirm`](crate::facet::User::confirm)) within this time: for
    /// pages that ask for the password again.
    ///
    /// # Errors
    /// As for [`signed_in`](Self::signed_in).
    fn signed_in_within(&self, time: Duration) -> BoxFuture<Result<String, SessionRejection>> {
        let (visit, sign_in) = (self.visit(), self.sign_in());
        Box::pin(async move { Ok(SignIn::recent(sign_in.as_ref(), &visit?, time).await?) })
    }

    /// Ends the session without loading it, with a single store call. The response removes the cookie.
    ///
    /// # Errors
    /// When the store failed: the session may still live.
    fn sign_out(&self) -> BoxFuture<Result<(), SessionRejection>> {
        let visit = self.visit();
        Box::pin(async move { Ok(visit?.destroy().await?) })
    }

    /// Ends the session and leaves a message for the next page, in a new session that holds nothing else. Costs a load and
    /// a write.
    ///
    /// # Errors
    /// When the store failed: the session may still live.
    fn sign_out_with<V: Serialize + Send + 'static>(
        &self,
        key: impl Accepts<V> + Send + 'static,
        value: V,
    ) -> BoxFuture<Result<(), SessionRejection>>
    where
        Self: Sized,
    {
        let visit = self.visit();
        Box::pin(async move { Ok(sign_out_with(&visit?, key, value).await?) })
    }

    /// Returns the visit, which opens the session on demand, and a [`detached`](Visit::detached) one for work that
    /// outlives the response.
    ///
    /// # Errors
    /// The service is missing, or sessions are switched off.
    fn visit(&self) -> Result<Visit, SessionRejection>;

    /// Where the service sends strangers.
    #[doc(hidden)]
    fn sign_in(&self) -> Option<SignIn>;
}

impl RequestSession for Extensions {
    fn visit(&self) -> Result<Visit, SessionRejection> {
        Ok(find_visit(self.get())?)
    }

    fn sign_in(&self) -> Option<SignIn> {
        self.get().cloned()
    }
}

impl<B> RequestSession for Request<B> {
    fn visit(&self) -> Result<Visit, SessionRejection> {
        self.extensions().visit()
    }

    fn sign_in(&self) -> Option<SignIn> {
        self.extensions().sign_in()
    }
}

impl RequestSession for Parts {
    fn visit(&self) -> Result<Visit, SessionRejection> {
        self.extensions.visit()
    }

    fn sign_in(&self) -> Option<SignIn> {
        self.extensions.sign_in()
    }
}
