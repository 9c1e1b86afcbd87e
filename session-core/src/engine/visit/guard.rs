//! Writing a visit's changes: at its end, in the middle, and when its handler does not complete.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use async_lock::OnceCell;

use super::closing::Closer;
use super::{CookieHeaders, Visit, VisitInner};
use crate::decision::commit::CommitError;
use crate::decision::decide::{Fate, Trigger};
use crate::engine::common::Engine;
use crate::engine::drive;
use crate::engine::event::Told;
use crate::engine::finish::{BoxFuture, Closing, Finish, Spawn};
use crate::engine::report::VisitReport;
use crate::engine::session::{Access, Session, Shared};

/// The adapter's handle to a visit. Closes it when the response is ready.
///
/// Dropping it without [`close`](Self::close) (the handler panicked, the client disconnected) drops the data changes. A
/// requested `destroy` or `regenerate` still takes effect, on the adapter's [`Spawn`].
#[derive(Debug)]
pub struct VisitGuard {
    visit: Option<Visit>,
}

impl VisitGuard {
    pub(crate) fn new(engine: Arc<Engine>, cookies: CookieHeaders, spawn: &'static dyn Spawn) -> Self {
        let inner = VisitInner {
            engine,
            cookies,
            spawn,
            opened: OnceCell::new(),
            looked: AtomicBool::new(false),
            clear_site_data: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            input: Mutex::new(None),
            signed_out: Mutex::new(None),
            handover: OnceLock::new(),
        };
        Self { visit: Some(Visit { inner: Arc::new(inner) }) }
    }

    /// Returns the visit, for extractors.
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

    /// Closes the visit. `status` is the status of the handler's response: on a 5xx, data changes are dropped unless
    /// the policy says otherwise. Later writes return [`SessionError::Closed`](crate::SessionError::Closed).
    ///
    /// Returns the report immediately if there is nothing to write. Otherwise it returns a future; await it before the
    /// head of the response is sent. Cancel safe: dropping the future does not stop the write.
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
            Some(visit) => {
                if let Some(shared) = visit.inner.opened.get() {
                    shared.lock().state.answered(status);
                }
                visit.inner.close(visit.inner.engine.policy.trigger(status))
            }
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
        match ordered.then(|| visit.inner.close(Trigger::Abandoned))? {
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
    fn close(&self, trigger: Trigger) -> Closing {
        self.closed.store(true, Ordering::Release);
        let closer = Closer::of(self);
        let Some(shared) = self.opened.get() else {
            return Closing::Ready(closer.complete(VisitReport::default(), None));
        };
        shared.lock().closed = true;
        // Held by a commit of this visit that somebody stopped waiting for; what is left to do stands on its result. Once it
        // is free, no other can begin: the visit is closed.
        let begun = shared.turn.try_lock().map(|_turn| shared.begin(trigger));
        if let Some(Ok(None) | Err(_)) = &begun {
            let result = begun.unwrap_or(Ok(None)).map(|_| ());
            return Closing::Ready(closer.complete(shared.report(result), Some(shared)));
        }
        let shared = shared.clone();
        let writing: BoxFuture<VisitReport> = Box::pin(async move {
            let begun = match begun {
                Some(begun) => begun,
                None => {
                    let _turn = shared.turn.lock().await;
                    shared.begin(trigger)
                }
            };
            let result = match begun {
                Ok(Some(work)) => shared.carry_out(work).await,
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            closer.complete(shared.report(result), Some(&shared))
        });
        Closing::Pending(Finish::new(writing, self.engine.flights.begin(), self.spawn))
    }
}

impl Shared {
    fn begin(&self, trigger: Trigger) -> Result<Option<drive::Work>, CommitError> {
        let (now, mut told) = (self.engine.clock.now(), Told::default());
        let begun = drive::begin(&self.engine, &mut self.lock().state, trigger, now, &mut told);
        self.engine.tell_all(&told);
        begun
    }

    async fn carry_out(&self, work: drive::Work) -> Result<(), CommitError> {
        let work = drive::perform(&self.engine, work).await;
        let mut told = Told::default();
        let concluded = drive::conclude(&self.engine, &mut self.lock().state, work, &mut told);
        self.engine.tell_all(&told);
        concluded
    }

    fn report(&self, result: Result<(), CommitError>) -> VisitReport {
        let now = || self.engine.clock.now();
        #[cfg_attr(not(feature = "dbsc"), expect(unused_mut, reason = "an offer may be added"))]
        let mut report = VisitReport::settled(&self.engine.codec, &self.lock().state, result, now);
        #[cfg(feature = "dbsc")]
        crate::engine::device::offer(&self.engine, &self.lock().state, &mut report);
        report
    }
}

/// Commits in the middle of a visit.
pub(crate) async fn commit_now(session: Session) -> Result<(), CommitError> {
    let Session { shared, access } = session;
    let trigger = match access {
        Access::ReadOnly => return Err(CommitError::ReadOnly),
        Access::Detached => Trigger::DetachedCommit,
        Access::Full | Access::Standalone => Trigger::Commit,
    };
    let (spawn, flight) = (shared.spawn, shared.engine.flights.begin());
    let writing: BoxFuture<_> = Box::pin(async move {
        let _turn = shared.turn.lock().await;
        if access == Access::Full && shared.lock().closed {
            return Err(CommitError::Closed);
        }
        let begun = shared.begin(trigger);
        if let Some(work) = begun? {
            shared.carry_out(work).await?;
        }
        // A record that does not fit its cookie must be heard of now, not when the response is ready.
        let now = || shared.engine.clock.now();
        shared.engine.codec.encode(&shared.lock().state, now).map(|_| ())
    });
    Finish::new(writing, flight, spawn).await
}
