//! The extractors of the session: to read and write, to read only, and to end it without opening it.

use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use session_core::{adapter::Visit, path::Accepts};
use session_web::Rejection;
use session_web::find_visit;
use session_web::sign_out_with;

use crate::rejection::SessionRejection;

/// The visitor's session. The store is asked once per request, however often this is extracted.
///
/// It dereferences to the core's [`Session`](session_core::Session), which all adapters share: write business functions
/// against that type and they work under every framework.
///
/// `Option<Session>` is `None` where there is no [`SessionMiddleware`](crate::SessionMiddleware), or sessions are switched
/// off. It is also `None` if the store fails, since actix drops the errors of optional extractors; but then the middleware
/// answers 503 in place of the handler, unless the handler answered an error of its own. A visitor who is signed in is
/// never taken for a stranger. The same holds for `Result<Session, SessionRejection>`; a page that must be shown while the
/// store is down opens the session itself, with [`Visit::session`](crate::Visit::session) of a `ReqData<Visit>`.
///
/// ```
#[doc = include_str!("given/a_handler.in")]
/// async fn handler(session: Session) -> Result<String, SessionRejection> {
///     Ok(format!("visit {}", session.increment("visits")?))
/// }
/// # let response = test::call_service(&app, test::TestRequest::get().uri("/").to_request()).await;
/// assert!(response.headers().contains_key("set-cookie"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Session(session_core::Session);

/// The session, read-only: every change is an error, and flash messages are shown but not consumed.
///
/// `Option<ReadOnlySession>` works as [`Option<Session>`](Session) does.
///
/// ```
#[doc = include_str!("given/a_handler.in")]
/// use session_actix::{ReadOnlySession, SessionError};
///
/// async fn handler(session: ReadOnlySession) -> Result<String, SessionRejection> {
///     assert!(matches!(session.put("theme", "dark"), Err(SessionError::ReadOnly)));
///     Ok(session.get_or("theme", "light")?)
/// }
/// # let response = test::call_service(&app, test::TestRequest::get().uri("/").to_request()).await;
/// assert!(!response.headers().contains_key("set-cookie"));
/// assert_eq!(response.headers().get("vary").unwrap(), "Cookie");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ReadOnlySession(session_core::Session);

/// Ends the session: [`now`](Self::now) without loading it, or [`with`](Self::with) a message for the next page.
///
/// ```
/// use actix_web::web::{self, Redirect};
/// use session_actix::{SessionRejection, SignOut};
///
/// async fn sign_out(sign_out: SignOut) -> Result<Redirect, SessionRejection> {
///     sign_out.with("status", "Goodbye").await?;
///     Ok(Redirect::to("/").see_other())
/// }
/// # let _ = actix_web::App::new().route("/", web::post().to(sign_out));
/// ```
#[derive(Clone, Debug)]
pub struct SignOut(Visit);

impl SignOut {
    /// Makes the browser drop the pages that it has cached of this site, so that nobody comes back to them, and the site's
    /// local storage: [`Visit::clear_site_data`]. Then [`now`](Self::now) or [`with`](Self::with).
    #[must_use]
    pub fn clear_site_data(self) -> Self {
        self.0.clear_site_data();
        self
    }

    /// Ends the session with a single store call. The response removes the cookie.
    ///
    /// # Errors
    /// When the store failed: the session may still live.
    pub async fn now(self) -> Result<(), SessionRejection> {
        Ok(self.0.destroy().await?)
    }

    /// Ends the session and leaves a message for the next page, in a new session that holds nothing else.
    ///
    /// It costs a load and a write. More messages may be added with [`Redirect::with`](crate::Redirect::with).
    ///
    /// # Errors
    /// When the store failed: the session may still live.
    pub async fn with<V: Serialize>(self, key: impl Accepts<V>, value: V) -> Result<(), SessionRejection> {
        Ok(sign_out_with(&self.0, key, value).await?)
    }
}

impl Session {
    /// The core's handle, to keep or to pass on.
    #[must_use]
    pub fn into_inner(self) -> session_core::Session {
        self.0
    }
}

impl Deref for Session {
    type Target = session_core::Session;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Deref for ReadOnlySession {
    type Target = session_core::Session;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromRequest for Session {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, async |visit| Ok(Self(visit.session().await?)))
    }
}

impl FromRequest for ReadOnlySession {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, async |visit| Ok(Self(visit.read_only().await?)))
    }
}

impl FromRequest for SignOut {
    type Error = SessionRejection;
    type Future = Ready<Result<Self, SessionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(find_visit(request.extensions().get()).map(Self).map_err(SessionRejection))
    }
}

pub(crate) type Extracting<T> = LocalBoxFuture<'static, Result<T, SessionRejection>>;

/// Left in a request whose session could not be opened. The middleware answers with it, since an `Option` drops the
/// extractor's error.
#[derive(Clone)]
pub(crate) struct Unopened(pub(crate) Rejection);

/// Opens the session for an extractor.
pub(crate) fn extract<T: 'static>(
    request: &HttpRequest,
    open: impl AsyncFnOnce(Visit) -> Result<T, Rejection> + 'static,
) -> Extracting<T> {
    let request = request.clone();
    Box::pin(async move {
        let visit = find_visit(request.extensions().get())?;
        open(visit).await.map_err(|rejection| {
            if let Rejection::Open(_) = rejection {
                request.extensions_mut().insert(Unopened(rejection.clone()));
            }
            rejection.into()
        })
    })
}
