//! How a visit's changes are written: at its end, in the middle, and when its handler never answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::{CookieHeaders, Visit, VisitInner, lock};
use crate::decision::commit::CommitError;
use crate::decision::decide::Fate;
use crate::engine::drive;
use crate::engine::finish::{BoxFuture, Closing, Finish, Spawn};
use crate::engine::gate::Gate;
use crate::engine::perform::Work;
use crate::engine::report::VisitReport;
use crate::engine::session::{Access, Session, Shared};
use crate::engine::sessions::Inner;

/// The adapter's end of a visit: closes it when the response is ready, and makes good what was ordered if it never is.
///
/// Dropping it without [`close`](Self::close) (the handler panicked, the client went away) drops the data changes; an
/// ordered `destroy` or `regenerate` still happens, on the adapter's [`Spawn`].
#[derive(Debug)]
pub struct VisitGuard {
    visit: Option<Visit>,
}

impl VisitGuard {
    pub(crate) fn new(sessions: Arc<Inner>, cookies: CookieHeaders, spawn: &'static dyn Spawn) -> Self {
        let inner = VisitInner {
            sessions,
            cookies,
            spawn,
            opened: OnceLock::new(),
            opening: Gate::default(),
            aged: AtomicBool::new(false),
            looked: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            input: Mutex::new(None),
            signed_out: Mutex::new(None),
        };
        Self { visit: Some(Visit { inner: Arc::new(inner) }) }
    }

    /// The visit, for extractors.
    ///
    /// # Panics
    /// Never: the guard gives its visit away only when it is consumed.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::adapter::CookieHeaders;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// // Into the request's extensions, where an extractor finds it.
    /// let visit = guard.visit().clone();
    /// assert!(visit.session().await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn visit(&self) -> &Visit {
        self.visit.as_ref().expect("only `close` and `drop` take it, and both end the guard")
    }

    /// Ends the visit. `status` is that of the response that the handler made: on a 5xx data changes are dropped unless
    /// the policy says otherwise. From here on writes through the handler's handles are `Closed`.
    ///
    /// It answers at once when there is nothing to write. Otherwise it gives a future; await it before the response's
    /// head is sent. Dropping that future does not stop the write.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::adapter::CookieHeaders;
    /// use session_core::{SessionError, adapter::Closing};
    ///
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// let session = guard.visit().session().await?;
    /// session.put("cart.items", 1)?;
    /// // The handler failed, so what it changed is dropped, and there is nothing to write.
    /// let Closing::Ready(report) = guard.close(500) else { unreachable!() };
    /// assert!(report.set_cookie.is_none());
    /// assert!(matches!(session.put("cart.items", 2), Err(SessionError::Closed)));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn close(mut self, status: u16) -> Closing {
        match self.visit.take() {
            Some(visit) => visit.inner.close(status >= 500 && !visit.inner.sessions.policy.commit_on_error),
            None => Closing::Ready(VisitReport::default()),
        }
    }

    /// Ends the visit of a handler that never answered: what it ordered still happens, its data is dropped. None when
    /// there is nothing to wait for.
    pub(crate) fn abandon(&mut self) -> Option<Finish<VisitReport>> {
        let visit = self.visit.take()?;
        visit.inner.closed.store(true, Ordering::Release);
        let ordered = {
            let mut cell = visit.inner.opened.get()?.lock();
            cell.closed = true;
            cell.state.fate() > Fate::Keep
        };
        match ordered.then(|| visit.inner.close(true))? {
            Closing::Pending(finish) => Some(finish),
            Closing::Ready(_) => None,
        }
    }
}

impl Drop for VisitGuard {
    fn drop(&mut self) {
        // Dropped unfinished, it goes on by itself.
        drop(self.abandon());
    }
}

impl VisitInner {
    fn close(&self, drop_data: bool) -> Closing {
        self.closed.store(true, Ordering::Release);
        let looked = self.looked.load(Ordering::Acquire);
        // Signed out before anybody opened the session: whoever opened it afterwards met its tombstone.
        let came = lock(&self.signed_out).take();
        let removal = came.filter(|came| *came).map(|_| self.sessions.cookie.clear());
        let complete = move |report: VisitReport| {
            let set_cookie = report.set_cookie.or(removal);
            VisitReport { set_cookie, looked, ..report }
        };
        let Some(shared) = self.opened.get() else { return Closing::Ready(complete(VisitReport::default())) };
        shared.lock().closed = true;
        let writing: BoxFuture<VisitReport> = match Turn::try_take(shared) {
            Some(turn) => match last_work(shared, drop_data) {
                Ok(work) => Box::pin(async move { complete(drive::run(&turn.0, work).await) }),
                Err(report) => return Closing::Ready(complete(report)),
            },
            // A commit of this visit that somebody stopped waiting for; what is left to do stands on its result.
            None => {
                let shared = shared.clone();
                Box::pin(async move {
                    let turn = Turn::take(shared).await;
                    let report = match last_work(&turn.0, drop_data) {
                        Ok(work) => drive::run(&turn.0, work).await,
                        Err(report) => report,
                    };
                    complete(report)
                })
            }
        };
        Closing::Pending(Finish::new(writing, self.sessions.flights.begin(), self.spawn))
    }
}

/// The right to commit, until it is dropped.
struct Turn(Arc<Shared>);

impl Turn {
    fn try_take(shared: &Arc<Shared>) -> Option<Self> {
        shared.turn.try_enter().then(|| Self(shared.clone()))
    }

    async fn take(shared: Arc<Shared>) -> Self {
        shared.turn.wait().await;
        Self(shared)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.turn.leave();
    }
}

/// What a closing visit has left to write, or else its report.
fn last_work(shared: &Shared, drop_data: bool) -> Result<Box<Work>, VisitReport> {
    let sessions = &shared.sessions;
    let mut cell = shared.lock();
    if drop_data {
        cell.state.drop_data();
    }
    let now = sessions.clock.now();
    if cell.state.needs_nothing(&sessions.policy, now) {
        return Err(drive::at_rest(sessions, &cell.state, || now));
    }
    match drive::begin(sessions, &mut cell.state, now) {
        Ok(work) if work.is_settled() => Err(drive::settle(sessions, &mut cell.state, work, || now)),
        Ok(work) => Ok(Box::new(work)),
        Err(error) => Err(drive::failed(sessions, &cell.state, error)),
    }
}
/// Commits in the middle of a visit.
pub(crate) async fn commit_now(session: Session) -> Result<(), CommitError> {
    let Session { shared, access } = session;
    if access == Access::ReadOnly {
        return Err(CommitError::ReadOnly);
    }
    let (spawn, flight) = (shared.spawn, shared.sessions.flights.begin());
    let writing: BoxFuture<_> = Box::pin(async move {
        let _turn = shared.turn.enter().await;
        let begun = {
            let now = shared.sessions.clock.now();
            let mut cell = shared.lock();
            match access {
                Access::Full if cell.closed => return Err(CommitError::Closed),
                Access::Detached => drive::begin_detached(&shared.sessions, &mut cell.state, now),
                Access::Full | Access::Standalone | Access::ReadOnly => {
                    drive::begin(&shared.sessions, &mut cell.state, now)
                }
            }
        };
        match begun {
            Ok(work) => drive::run_mid_visit(&shared, Box::new(work)).await,
            Err(error) => {
                drive::tell_error(&shared.sessions, &error);
                Err(error)
            }
        }
    });
    Finish::new(writing, flight, spawn).await
}
