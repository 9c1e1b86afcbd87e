//! The visit of one request: opens the session on first use, loads it once, and writes it at the end.
//!
//! An adapter makes a [`VisitGuard`] for each request, puts its [`Visit`] where extractors find it, and calls
//! [`VisitGuard::close`] with the response's status.

mod closing;
mod cookies;
mod guard;
mod sign_out;
mod standalone;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use async_lock::OnceCell;
use serde_json::{Map, Value};

pub use self::cookies::CookieHeaders;
pub use self::guard::VisitGuard;
pub(crate) use self::guard::commit_now;
pub(crate) use self::standalone::standalone;
use super::carry::Handover;
use super::common::Engine;
use super::drive;
use super::error::OpenError;
use super::finish::Spawn;
use super::session::{Access, Cell, Session, Shared};
use crate::decision::codec::SetCookies;
use crate::decision::state::{self, SessionState};

/// A request's access to its session, for extractors. Opens the session on first use.
#[derive(Clone)]
pub struct Visit {
    inner: Arc<VisitInner>,
}

struct VisitInner {
    engine: Arc<Engine>,
    cookies: CookieHeaders,
    spawn: &'static dyn Spawn,
    opened: OnceCell<Arc<Shared>>,
    /// Whether a handler used the session in any way.
    looked: AtomicBool,
    /// Whether the response tells the browser to drop what it has cached and stored of this site.
    clear_site_data: AtomicBool,
    closed: AtomicBool,
    /// The form of the request, until the session is opened.
    input: Mutex<Option<Map<String, Value>>>,
    /// After a sign-out without opening: the headers that remove the cookies, if any came in.
    signed_out: Mutex<Option<SetCookies>>,
    /// What the response does with another cookie, which the session came with.
    handover: OnceLock<Handover>,
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").field("opened", &self.is_opened()).finish_non_exhaustive()
    }
}

impl Visit {
    /// Returns the session for reading and writing. The first call loads it; later calls, also on clones of the visit,
    /// return the same session.
    ///
    /// # Errors
    /// [`OpenError`] if the session cannot be opened. Respond with 503, and do not change the cookie.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::adapter::CookieHeaders;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// let visit = guard.visit();
    /// visit.session().await?.put("theme", "dark")?;
    /// // The same session, and the store is not asked again.
    /// assert_eq!(visit.session().await?.get::<String>("theme")?.as_deref(), Some("dark"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn session(&self) -> Result<Session, OpenError> {
        let shared = self.open(state::Access::Full).await?;
        // Somebody else may have opened it to read.
        shared.lock().state.take_flash();
        Ok(Session { shared, access: Access::Full })
    }

    /// Returns the session for reading. Flash messages are shown and kept.
    ///
    /// # Errors
    /// [`OpenError`], as for [`session`](Self::session).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::{SessionError, adapter::CookieHeaders};
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// let session = guard.visit().read_only().await?;
    /// assert!(session.status().readonly());
    /// assert!(matches!(session.put("theme", "dark"), Err(SessionError::ReadOnly)));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_only(&self) -> Result<Session, OpenError> {
        Ok(Session { shared: self.open(state::Access::ReadOnly).await?, access: Access::ReadOnly })
    }

    /// Returns a separate session for work that outlives the response: a stream, a WebSocket, a job. It is loaded
    /// again, and writes only with its own [`commit`](Session::commit).
    ///
    /// A change that needs a response is refused by that commit with [`NoResponse`](crate::CommitError::NoResponse): a
    /// new id (`regenerate`, or the first value of a new visitor), and for sessions in cookies every change.
    ///
    /// # Errors
    /// [`OpenError`], as for [`session`](Self::session).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::{CommitError, adapter::{Closing, CookieHeaders}};
    /// # use session_testkit::TestClient;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let mut ada = TestClient::new(&sessions);
    /// # ada.as_user("ada").await;
    /// # let guard = sessions.visit(ada.cookie().into_iter().collect(), &Here);
    /// let session = guard.visit().detached().await?;
    /// # let Closing::Ready(_) = guard.close(200) else { unreachable!("nothing is to be written") };
    /// // The response is sent; this session still writes, when it says so itself.
    /// session.put("progress", 100)?;
    /// session.commit().await?;
    /// # ada.assert_session("progress", 100).await;
    ///
    /// // A new id is what no response is left to carry.
    /// session.regenerate()?;
    /// assert!(matches!(session.commit().await, Err(CommitError::NoResponse)));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn detached(&self) -> Result<Session, OpenError> {
        self.inner.looked.store(true, Ordering::Release);
        let shared = self.inner.load(state::Access::ReadOnly, None).await?;
        Ok(Session { shared, access: Access::Detached })
    }

    /// Adds `Clear-Site-Data: "cache", "storage"` to the response: the browser drops its cached pages, so that nobody comes
    /// back to them after a sign-out, and the site's local storage. Cookies are kept. Browsers obey it over HTTPS only.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::adapter::{Closing, CookieHeaders};
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// guard.visit().destroy().await?;
    /// guard.visit().clear_site_data();
    /// let Closing::Ready(report) = guard.close(303) else { unreachable!("the session was ended before") };
    /// assert!(report.clear_site_data);
    /// # Ok(())
    /// # }
    /// ```
    pub fn clear_site_data(&self) {
        self.inner.clear_site_data.store(true, Ordering::Release);
    }

    /// Sets the form of this request, for [`Session::flash_all`] and the methods like it. It does not open the session.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::adapter::CookieHeaders;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// let visit = guard.visit();
    /// let form = serde_json::json!({ "email": "ada@example.com", "password": "secret" });
    /// visit.set_input(form.as_object().cloned().unwrap_or_default());
    /// assert!(!visit.is_opened(), "a form alone opens nothing");
    /// // For the page after the redirect, but for the password.
    /// visit.session().await?.flash_all()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_input(&self, form: Map<String, Value>) {
        // Under this lock, so that an opening at the same moment sees either the form or the session.
        let mut input = lock(&self.inner.input);
        match self.inner.opened.get() {
            Some(shared) => shared.lock().form = Some(form),
            None => *input = Some(form),
        }
    }

    /// Notes a page as the one to come back to ([`Urls::set_previous`](crate::facet::Urls::set_previous)), if a handler opened the session to read
    /// and write, and there is something to it: a visitor who has no session is given none because of a page.
    pub(super) fn page_shown(&self, url: &str) {
        let Some(shared) = self.inner.opened.get() else { return };
        let is_somebody_s = {
            let state = &shared.lock().state;
            let is_nobody_s = state.is_fresh() && !state.content.has_something();
            state.access() == state::Access::Full && !is_nobody_s
        };
        if is_somebody_s {
            // A destroyed session has no previous page, and a URL too long to keep is not kept.
            _ = Session { shared: shared.clone(), access: Access::Full }.urls().set_previous(url);
        }
    }

    /// Returns whether the session has been opened.
    #[must_use]
    pub fn is_opened(&self) -> bool {
        self.inner.opened.get().is_some()
    }

    /// Returns whether sessions are switched off by configuration.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.inner.engine.is_off()
    }

    /// Returns whether the session comes in a header of its own, which no browser sends by itself, and not in a cookie.
    #[must_use]
    pub fn takes_header(&self) -> bool {
        self.inner.engine.codec.header().is_some()
    }

    /// Returns whether the session is opened before the handler runs (`eager`).
    #[must_use]
    pub fn is_eager(&self) -> bool {
        self.inner.engine.policy.eager
    }

    #[cfg(feature = "dbsc")]
    pub(in crate::engine) fn engine(&self) -> &Arc<Engine> {
        &self.inner.engine
    }

    /// Whether the request has an authentic cookie, which the store has not been asked about.
    #[cfg(feature = "dbsc")]
    pub(in crate::engine) fn names_a_session(&self, now: crate::value::time::Timestamp) -> bool {
        let engine = &self.inner.engine;
        let cookies = &self.inner.cookies;
        engine.read(cookies, now).arrival.claim.is_some() || engine.has_old_cookie(cookies, now)
    }

    /// Which of the cookie's domains the request has.
    #[cfg(feature = "dbsc")]
    pub(in crate::engine) fn scope(&self) -> crate::value::cookie::format::Scope {
        self.inner.engine.scope_of(self.inner.cookies.host())
    }

    pub(in crate::engine) async fn open(&self, access: state::Access) -> Result<Arc<Shared>, OpenError> {
        if self.inner.closed.load(Ordering::Acquire) && !self.is_opened() {
            return Err(OpenError::Closed);
        }
        self.inner.looked.store(true, Ordering::Release);
        // Loaded once; after a failure the next one tries.
        let shared =
            self.inner.opened.get_or_try_init(|| self.inner.load(access, Some(&self.inner.handover))).await?;
        if let Some(form) = lock(&self.inner.input).take() {
            shared.lock().form = Some(form);
        }
        Ok(shared.clone())
    }
}

impl VisitInner {
    async fn load(
        &self,
        access: state::Access,
        handover: Option<&OnceLock<Handover>>,
    ) -> Result<Arc<Shared>, OpenError> {
        if self.engine.is_off() {
            return Err(OpenError::Disabled);
        }
        let mut state = drive::open(&self.engine, &self.cookies, access, handover).await?;
        if lock(&self.signed_out).is_some() {
            // If it is opened after a sign-out it is destroyed, and the cookie is still removed.
            state.destroy();
        }
        Ok(share(self.engine.clone(), state, self.spawn))
    }
}

fn share(engine: Arc<Engine>, state: Box<SessionState>, spawn: &'static dyn Spawn) -> Arc<Shared> {
    let cell = Cell { state, closed: false, form: None };
    Arc::new(Shared::new(engine, cell, spawn))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
