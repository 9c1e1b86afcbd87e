//! One call of a store: a connection, an attempt or several, and an end within the deadline.
//!
//! Nothing outside this file waits. A connection whose call was cut short, by the deadline or because the request was
//! dropped, is closed and never used again: an answer may still be on its way to it.

use std::ops::ControlFlow;
use std::time::Duration;

use session_core::StoreError;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{Connection, Pool};

use crate::config::{SqlConfig, SqlConfigError};
use crate::failure::{Backend, Failure};

/// A pool and how long a call on it may take.
pub(crate) struct Caller<DB: Backend> {
    pool: Pool<DB>,
    deadline: Duration,
}

impl<DB: Backend> Caller<DB> {
    pub(crate) fn new(pool: Pool<DB>, deadline: Duration) -> Self {
        Self { pool, deadline }
    }

    /// The same pool with another deadline, for what is not part of a request.
    pub(crate) fn patient(&self, deadline: Duration) -> Self {
        Self { pool: self.pool.clone(), deadline }
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

    /// A connection for one attempt.
    pub(crate) async fn lease(&self) -> Result<Lease<DB>, Failure> {
        Ok(Lease { connection: Some(self.pool.acquire().await?), patience: self.deadline })
    }
}

/// `call!(caller, |connection| { … })`: does the work on a connection, again while the database undoes it in favour of
/// others, until the caller's deadline. The work is a block of `Result<_, Failure>`, and may await and use `?`.
///
/// A macro, because the future of an async closure that is given a reference cannot yet be proven `Send`, and every
/// verb's future must be.
macro_rules! call {
    ($caller:expr, |$connection:ident| $work:expr) => {{
        let caller = &$caller;
        let attempts = async {
            let mut pauses = $crate::call::Pauses::default();
            loop {
                let outcome = match caller.lease().await {
                    Ok(mut lease) => {
                        let $connection = lease.connection();
                        let outcome: Result<_, $crate::failure::Failure> = async { $work }.await;
                        lease.settle(outcome)
                    }
                    Err(failure) => Err(failure),
                };
                match $crate::call::decide(caller, outcome) {
                    std::ops::ControlFlow::Break(answer) => break answer,
                    std::ops::ControlFlow::Continue(()) => pauses.next().await,
                }
            }
        };
        caller.bound(attempts).await
    }};
}
pub(crate) use call;

/// Whether an attempt's outcome is the answer.
pub(crate) fn decide<DB: Backend, T>(
    _: &Caller<DB>,
    outcome: Result<T, Failure>,
) -> ControlFlow<Result<T, StoreError>> {
    match outcome {
        Ok(done) => ControlFlow::Break(Ok(done)),
        Err(failure) if failure.worth_repeating::<DB>() => ControlFlow::Continue(()),
        Err(failure) => ControlFlow::Break(Err(failure.into_store_error::<DB>())),
    }
}

/// The pauses between attempts: doubling, up to 50 ms.
pub(crate) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(Duration::from_millis(1))
    }
}

impl Pauses {
    pub(crate) async fn next(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}

/// A connection that is closed unless [`settle`](Self::settle) gives it back.
pub(crate) struct Lease<DB: Backend> {
    connection: Option<PoolConnection<DB>>,
    patience: Duration,
}

impl<DB: Backend> Lease<DB> {
    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        self.connection.as_mut().expect("only settle and drop take it")
    }

    /// Gives the connection back if it is in step with us after this outcome.
    ///
    /// Returning a connection asks it a last time whether it lives. The pool itself would wait for that answer without
    /// a bound, and a network that swallows packets would take the whole pool with it.
    pub(crate) fn settle<T>(mut self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        let usable = outcome.as_ref().err().is_none_or(Failure::leaves_connection_usable::<DB>);
        if usable && let Some(mut connection) = self.connection.take() {
            tokio::spawn(tokio::time::timeout(self.patience, connection.return_to_pool()));
        }
        outcome
    }
}

impl<DB: Backend> Drop for Lease<DB> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

/// A pool that keeps to the configuration: no call waits for a connection longer than the deadline, and a connection
/// is asked whether it lives only if it has been idle for a while, so that a busy store pays one trip for a call.
pub(crate) fn pool_options<DB: Backend>(config: &SqlConfig) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(config.max_connections)
        .min_connections(config.min_connections.min(config.max_connections))
        .acquire_timeout(config.deadline)
        .test_before_acquire(false)
        .before_acquire(|connection: &mut DB::Connection, about| {
            Box::pin(async move {
                if about.idle_for >= IDLE_BEFORE_PROBE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// A pool looks after its connections in the background, and would panic where it cannot.
pub(crate) fn require_runtime() -> Result<(), SqlConfigError> {
    tokio::runtime::Handle::try_current().map(drop).map_err(|_| SqlConfigError::NoRuntime)
}

const IDLE_BEFORE_PROBE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How long making the tables may take: others may be making them, and an index takes its time.
pub(crate) const MIGRATION_DEADLINE: Duration = Duration::from_secs(30);
