//! Connections: leased for one attempt, closed when out of step, asked whether they live when there is doubt.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use session_core::store::StoreErrorKind;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{ConnectOptions, Connection, Pool};
use tokio::time::Instant;

use crate::config::{SqlConfig, SqlConfigError};
use crate::dialect::Dialect;
use crate::failure::{Cause, Failure, kind_of};

/// A connection that is closed unless [`settle`](Self::settle) gives it back.
///
/// One whose call was cut short, by the deadline or because the request was dropped, is never used again: an answer may
/// still be on its way to it.
pub(crate) struct Lease<DB: Dialect> {
    connection: Option<PoolConnection<DB>>,
    patience: Duration,
}

impl<DB: Dialect> Lease<DB> {
    pub(crate) fn new(connection: PoolConnection<DB>, patience: Duration) -> Self {
        Self { connection: Some(connection), patience }
    }

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

impl<DB: Dialect> Drop for Lease<DB> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

/// When a connection was last seen to be broken: those that were idle then may be, too.
#[derive(Clone, Default)]
pub(crate) struct Suspicion(Arc<Mutex<Option<Instant>>>);

impl Suspicion {
    pub(crate) fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn falls_on(&self, idle_for: Duration) -> bool {
        let raised = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        raised.is_some_and(|raised| raised.elapsed() <= idle_for)
    }
}

/// What a connection beside the pool was last told, so that of many callers who wonder one asks.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<tokio::sync::Mutex<Option<Seen>>>);

struct Seen {
    at: Instant,
    refused: Option<(StoreErrorKind, Cause)>,
}

impl Watch {
    /// Why a caller that began then is given no connection. Ends only if the server refuses; a server that is there, or
    /// that does not answer, is waited for.
    pub(crate) async fn refusal<DB: Dialect>(
        &self,
        pool: &Pool<DB>,
        begun: Instant,
        after: Duration,
    ) -> Failure {
        tokio::time::sleep_until(begun + after).await;
        if DB::REMOTE {
            let mut seen = self.0.lock().await;
            if seen.as_ref().is_none_or(|seen| seen.at < begun) {
                *seen = Some(ask(pool).await);
            }
            if let Some((kind, cause)) = seen.as_ref().and_then(|seen| seen.refused.clone()) {
                return Failure::Unreachable(kind, cause);
            }
        }
        std::future::pending().await
    }
}

async fn ask<DB: Dialect>(pool: &Pool<DB>) -> Seen {
    let at = Instant::now();
    let refused = match pool.connect_options().connect().await {
        Ok(connection) => {
            // A goodbye that does not arrive harms nobody.
            drop(connection.close().await);
            None
        }
        Err(error) => Some((kind_of::<DB>(&error), Cause::from(error))),
    };
    Seen { at, refused }
}

/// A pool that keeps to the configuration: no call waits for a connection longer than the deadline, and a connection
/// is asked whether it lives only if it has been idle for a while or since another broke, so that a busy store pays one
/// trip for a call.
pub(crate) fn pool_options<DB: Dialect>(config: &SqlConfig, suspicion: &Suspicion) -> PoolOptions<DB> {
    let suspicion = suspicion.clone();
    PoolOptions::new()
        .max_connections(config.max_connections)
        .min_connections(config.min_connections.min(config.max_connections))
        .acquire_timeout(config.deadline)
        .test_before_acquire(false)
        .before_acquire(move |connection: &mut DB::Connection, about| {
            let doubt = about.idle_for >= IDLE_BEFORE_PROBE || suspicion.falls_on(about.idle_for);
            Box::pin(async move {
                if doubt {
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
