//! A store call: leases a connection, makes one or several attempts, and ends within the deadline.
//!
//! All waiting happens in this file and in `pool`. The server cancels a statement after two fifths of the deadline,
//! and no statement is sent in the second half of the deadline. A statement whose call timed out is therefore never
//! applied later, when a lock that it waited for is released.

use std::ops::ControlFlow;
use std::time::Duration;

use session_core::store::StoreError;
use sqlx::Pool;
use tokio::time::Instant;

use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::pool::{Lease, Suspicion, Watch};

/// A pool and the deadline of a call.
pub(crate) struct Caller<DB: Dialect> {
    pool: Pool<DB>,
    deadline: Duration,
    suspicion: Suspicion,
    watch: Watch,
}

/// Shares the pool.
impl<DB: Dialect> Clone for Caller<DB> {
    fn clone(&self) -> Self {
        self.patient(self.deadline)
    }
}

impl<DB: Dialect> Caller<DB> {
    pub(crate) fn new(pool: Pool<DB>, deadline: Duration) -> Self {
        Self::suspicious(pool, deadline, Suspicion::default())
    }

    /// Creates a caller with a pool that tests connections suspected to be broken.
    pub(crate) fn suspicious(pool: Pool<DB>, deadline: Duration, suspicion: Suspicion) -> Self {
        Self { pool, deadline, suspicion, watch: Watch::default() }
    }

    /// Returns a caller with the same pool and another deadline, for work outside of requests.
    pub(crate) fn patient(&self, deadline: Duration) -> Self {
        let (pool, suspicion, watch) = (self.pool.clone(), self.suspicion.clone(), self.watch.clone());
        Self { pool, deadline, suspicion, watch }
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Awaits the attempts of a call that started at `begun` until its deadline.
    pub(crate) async fn bound<T>(
        &self,
        begun: Instant,
        attempts: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout_at(begun + self.deadline, attempts)
            .await
            .unwrap_or_else(|_| Err(StoreError::timeout(DB::STORE)))
    }

    /// Whether no more statement of a call that started at `begun` may be sent.
    pub(crate) fn is_late(&self, begun: Instant) -> bool {
        begun.elapsed() >= begins_within::<DB>(self.deadline)
    }

    /// Leases a connection for one attempt of a call that started at `begun`, if one becomes available in time to
    /// start a statement.
    ///
    /// While a server refuses connections, the pool retries until its timeout and does not report the cause. If no
    /// connection is available after half of the time, a connection outside the pool determines the cause.
    pub(crate) async fn lease(&self, begun: Instant) -> Result<Lease<DB>, Failure> {
        if self.is_late(begun) {
            return Err(Failure::Late);
        }
        let patience = begins_within::<DB>(self.deadline);
        tokio::select! {
            biased;
            connection = self.pool.acquire() => Ok(Lease::new(connection?, self.deadline)),
            refusal = self.watch.refusal(&self.pool, begun, patience / 2) => Err(refusal),
            () = tokio::time::sleep_until(begun + patience) => Err(Failure::Late),
        }
    }
}

/// Returns the part of the deadline within which a statement must start.
pub(crate) fn begins_within<DB: Dialect>(deadline: Duration) -> Duration {
    if DB::REMOTE { deadline / 2 } else { deadline - deadline / 10 }
}

/// Returns the time after which the server must cancel a statement.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn servers_patience(deadline: Duration) -> Duration {
    (deadline * 2 / 5).max(Duration::from_millis(1))
}

/// `call!(caller, once, |connection| { … })` runs the block on a connection, and retries while the database aborts it
/// in favour of other transactions, until it is too late to start. With `again` instead of `once`, it also retries if
/// the connection broke, for idempotent work. The block returns `Result<_, Failure>`, and may use `.await` and `?`.
/// `since begun` is for a call that has waited elsewhere first: its deadline counts from `begun`.
///
/// A macro, because the future of an async closure with a reference argument cannot yet be proven `Send`, as the
/// futures of verbs must be.
macro_rules! call {
    ($caller:expr, $times:ident, |$connection:ident| $work:expr) => {
        $crate::call::call!($caller, $times, since tokio::time::Instant::now(), |$connection| $work)
    };
    ($caller:expr, $times:ident, since $begun:expr, |$connection:ident| $work:expr) => {{
        let (caller, begun) = (&$caller, $begun);
        let attempts = async {
            let mut attempts = $crate::call::Attempts::$times(begun);
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
        caller.bound(begun, attempts).await
    }};
}
pub(crate) use call;

/// The attempts of a call so far.
pub(crate) struct Attempts {
    begun: Instant,
    pause: Duration,
    breaks_left: u8,
}

impl Attempts {
    /// For work that is not idempotent: if a replace was applied and then replaced by another writer, a retry would
    /// be a conflict, and its caller would replay changes that are already applied.
    pub(crate) fn once(begun: Instant) -> Self {
        Self { begun, pause: FIRST_PAUSE, breaks_left: 0 }
    }

    /// For idempotent work. A second broken connection is rare: after the first one, all idle connections are tested
    /// before use. But a connection that was being returned to the pool at that moment may be broken, too.
    pub(crate) fn again(begun: Instant) -> Self {
        Self { breaks_left: 3, ..Self::once(begun) }
    }

    pub(crate) fn begun(&self) -> Instant {
        self.begun
    }

    /// Decides whether the outcome of an attempt is final, or after which pause to retry.
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

/// The deadline for creating the tables: other processes may be creating them, and creating an index takes time.
pub(crate) const MIGRATION_DEADLINE: Duration = Duration::from_secs(30);
