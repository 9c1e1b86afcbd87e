//! One call of a store: a connection, an attempt or several, and an end within the deadline.
//!
//! Nothing outside this file and `pool` waits. A statement is begun only while there is time for it to end: a server is
//! told to give one up after two fifths of the deadline, and none is sent to it in the second half. So what was answered
//! with a timeout is not carried out later, when somebody lets go of the row that it waited for.

use std::ops::ControlFlow;
use std::time::Duration;

use session_core::store::StoreError;
use sqlx::Pool;
use tokio::time::Instant;

use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::pool::{Lease, Suspicion, Watch};

/// A pool and how long a call on it may take.
pub(crate) struct Caller<DB: Dialect> {
    pool: Pool<DB>,
    deadline: Duration,
    suspicion: Suspicion,
    watch: Watch,
}

/// The same pool.
impl<DB: Dialect> Clone for Caller<DB> {
    fn clone(&self) -> Self {
        self.patient(self.deadline)
    }
}

impl<DB: Dialect> Caller<DB> {
    pub(crate) fn new(pool: Pool<DB>, deadline: Duration) -> Self {
        Self::suspicious(pool, deadline, Suspicion::default())
    }

    /// On a pool that asks the suspects among its connections whether they live.
    pub(crate) fn suspicious(pool: Pool<DB>, deadline: Duration, suspicion: Suspicion) -> Self {
        Self { pool, deadline, suspicion, watch: Watch::default() }
    }

    /// The same pool with another deadline, for what is not part of a request.
    pub(crate) fn patient(&self, deadline: Duration) -> Self {
        let (pool, suspicion, watch) = (self.pool.clone(), self.suspicion.clone(), self.watch.clone());
        Self { pool, deadline, suspicion, watch }
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Waits for the attempts, but not past the deadline.
    pub(crate) async fn bound<T>(
        &self,
        attempts: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(self.deadline, attempts)
            .await
            .unwrap_or_else(|_| Err(StoreError::timeout(DB::STORE)))
    }

    /// A connection for one attempt of a call that began then, if it comes while there is time to begin.
    ///
    /// The pool goes on for as long as a server refuses connections, and then says no more than that time ran out. So
    /// where none has come for half of our patience, a connection beside the pool asks why.
    pub(crate) async fn lease(&self, begun: Instant) -> Result<Lease<DB>, Failure> {
        let patience = begins_within::<DB>(self.deadline);
        if begun.elapsed() >= patience {
            return Err(Failure::Late);
        }
        tokio::select! {
            biased;
            connection = self.pool.acquire() => Ok(Lease::new(connection?, self.deadline)),
            refusal = self.watch.refusal(&self.pool, begun, patience / 2) => Err(refusal),
            () = tokio::time::sleep_until(begun + patience) => Err(Failure::Late),
        }
    }
}

/// Within what part of the deadline a statement must be begun.
pub(crate) fn begins_within<DB: Dialect>(deadline: Duration) -> Duration {
    if DB::REMOTE { deadline / 2 } else { deadline - deadline / 10 }
}

/// After how long a server is to give a statement up.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn servers_patience(deadline: Duration) -> Duration {
    (deadline * 2 / 5).max(Duration::from_millis(1))
}

/// `call!(caller, once, |connection| { … })`: does the work on a connection, again while the database undoes it in
/// favour of others, until it is too late to begin. With `again` in the place of `once`, it is also done again
/// if the connection broke: for work that may be done twice. The work is a block of `Result<_, Failure>`, and may await
/// and use `?`.
///
/// A macro, because the future of an async closure that is given a reference cannot yet be proven `Send`, and every
/// verb's future must be.
macro_rules! call {
    ($caller:expr, $times:ident, |$connection:ident| $work:expr) => {{
        let caller = &$caller;
        let attempts = async {
            let mut attempts = $crate::call::Attempts::$times();
            loop {
                let outcome = match caller.lease(attempts.begun()).await {
                    Ok(mut lease) => {
                        let $connection = lease.connection();
                        let outcome: Result<_, $crate::failure::Failure> = async { $work }.await;
                        lease.settle(outcome)
                    }
                    Err(failure) => Err(failure),
                };
                match attempts.decide(caller, outcome) {
                    std::ops::ControlFlow::Break(answer) => break answer,
                    std::ops::ControlFlow::Continue(pause) => tokio::time::sleep(pause).await,
                }
            }
        };
        caller.bound(attempts).await
    }};
}
pub(crate) use call;

/// What a call has tried so far.
pub(crate) struct Attempts {
    begun: Instant,
    pause: Duration,
    breaks_left: u8,
}

impl Attempts {
    /// Work that must not be done twice: a replace that was applied, and replaced by another's, would be a conflict the
    /// second time, and its caller would add once more what it has added.
    pub(crate) fn once() -> Self {
        Self { begun: Instant::now(), pause: FIRST_PAUSE, breaks_left: 0 }
    }

    /// Work that may be done twice. A second break is rare: after the first one, every connection that was idle is
    /// asked whether it lives; but one that was just then on its way back to the pool may be dead, too.
    pub(crate) fn again() -> Self {
        Self { breaks_left: 3, ..Self::once() }
    }

    pub(crate) fn begun(&self) -> Instant {
        self.begun
    }

    /// Whether an attempt's outcome is the answer, or after what pause comes the next one.
    pub(crate) fn decide<DB: Dialect, T>(
        &mut self,
        caller: &Caller<DB>,
        outcome: Result<T, Failure>,
    ) -> ControlFlow<Result<T, StoreError>, Duration> {
        let failure = match outcome {
            Ok(done) => return ControlFlow::Break(Ok(done)),
            Err(failure) => failure,
        };
        if failure.is_broken::<DB>() {
            caller.suspicion.raise();
            if self.breaks_left > 0 {
                self.breaks_left -= 1;
                return ControlFlow::Continue(FIRST_PAUSE);
            }
        }
        if failure.worth_repeating::<DB>() {
            let pause = self.pause;
            self.pause = (pause * 2).min(LONGEST_PAUSE);
            return ControlFlow::Continue(pause);
        }
        ControlFlow::Break(Err(failure.into_store_error::<DB>()))
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How long making the tables may take: others may be making them, and an index takes its time.
pub(crate) const MIGRATION_DEADLINE: Duration = Duration::from_secs(30);
