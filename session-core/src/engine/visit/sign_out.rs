//! The end of a session that no handler has opened: one store call and no load.

use std::sync::atomic::Ordering;

use super::{Visit, lock};
use crate::decision::commit::CommitError;
use crate::decision::decide::Trigger;
use crate::decision::state::{self, SessionState};
use crate::engine::drive;
use crate::engine::error::OpenError;
use crate::engine::event::Told;
use crate::engine::finish::{BoxFuture, Finish};
use crate::value::answer::{StoreError, StoreErrorKind};
use crate::value::cookie::parse::Candidates;

impl Visit {
    /// Ends the session without loading it. It costs one store call, while
    /// [`Session::destroy`](crate::Session::destroy) also costs a load.
    ///
    /// # Errors
    /// [`OpenError`] if the store failed. The session may still be live, and its cookie is not changed.
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
    /// visit.destroy().await?;
    /// assert!(!visit.is_opened());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn destroy(&self) -> Result<(), OpenError> {
        if self.inner.engine.is_off() {
            return Err(OpenError::Disabled);
        }
        if self.inner.closed.load(Ordering::Acquire) {
            return Err(OpenError::Closed);
        }
        if self.may_be_carried_over() {
            // A session that another cookie names is ended by carrying it over first.
            self.open(state::Access::Full).await?;
        }
        if let Some(shared) = self.inner.opened.get() {
            shared.lock().state.destroy();
            return Ok(());
        }
        self.inner.looked.store(true, Ordering::Release);
        let (engine, cookies) = (self.inner.engine.clone(), &self.inner.cookies);
        let now = engine.clock.now();
        let mut state = SessionState::unread(engine.arrive(engine.read(cookies, now), cookies, now, None));
        let flight = engine.flights.begin();
        let ending: BoxFuture<_> = Box::pin(async move {
            state.destroy();
            let mut told = Told::default();
            let begun = drive::begin(&engine, &mut state, Trigger::Commit, engine.clock.now(), &mut told);
            let ended = match begun {
                Ok(Some(work)) => {
                    let work = drive::perform(&engine, work).await;
                    drive::conclude(&engine, &mut state, work, &mut told)
                }
                begun => begun.map(|_| ()),
            };
            engine.tell_all(&told);
            ended?;
            engine.codec.encode(&state, || engine.clock.now())
        });
        let ended = Finish::new(ending, flight, self.inner.spawn).await;
        *lock(&self.inner.signed_out) = Some(ended.map_err(not_ended)?);
        if let Some(shared) = self.inner.opened.get() {
            // Somebody opened it meanwhile.
            shared.lock().state.destroy();
        }
        Ok(())
    }

    /// Whether the request has a cookie of another library whose visitors are carried over, or of an earlier configuration.
    fn may_be_carried_over(&self) -> bool {
        let has = |name| !Candidates::find(self.inner.cookies.iter(), name).values().is_empty();
        let engine = &self.inner.engine;
        let now = engine.clock.now();
        engine.imports.iter().any(|source| now < source.until && has(source.importer.cookie()))
            || engine.has_old_cookie(&self.inner.cookies, now)
    }
}

/// The session may still live.
fn not_ended(error: CommitError) -> OpenError {
    OpenError::Store(match error {
        CommitError::Store(error) => error,
        error => StoreError::new(StoreErrorKind::Refused, "session").because(error),
    })
}
