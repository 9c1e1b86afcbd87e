//! The connections to one server: at most so many, each used by one call at a time, every call within its deadline.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use session_core::store::{StoreError, StoreErrorKind};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::NAME;
use crate::wire::{Wire, WireError};

/// The way to the server.
pub(crate) struct Link {
    address: String,
    deadline: Duration,
    /// As many permits as connections may be open.
    permits: Semaphore,
    // A std mutex: nothing awaits while it is held.
    idle: Mutex<Vec<Wire>>,
}

impl Link {
    pub(crate) fn new(address: String, deadline: Duration, connections: usize) -> Self {
        Self { address, deadline, permits: Semaphore::new(connections), idle: Mutex::default() }
    }

    /// A connection for one verb; an idle one where there is one. The wait counts against the deadline of
    /// [`in_time`](Self::in_time).
    pub(crate) async fn lease(&self) -> Result<Lease<'_>, StoreError> {
        let permit = self.permits.acquire().await.expect("this semaphore is never closed");
        let idle = self.idle().pop();
        let wire = match idle {
            Some(wire) if wire.is_quiet() => wire,
            Some(_) | None => Wire::connect(&self.address).await.map_err(failure)?,
        };
        Ok(Lease { link: self, wire, _permit: permit })
    }

    /// One deadline for all that a verb does.
    pub(crate) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        timeout(self.deadline, work).await.unwrap_or_else(|_elapsed| Err(StoreError::timeout(NAME)))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Wire>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that one verb uses. Dropped (the verb failed, or was cut short) it is closed: an answer that is still on
/// its way must not meet the next question.
pub(crate) struct Lease<'l> {
    link: &'l Link,
    wire: Wire,
    _permit: SemaphorePermit<'l>,
}

impl Lease<'_> {
    /// Every question has its answer: the next verb may use the connection.
    pub(crate) fn give_back(self) {
        self.link.idle().push(self.wire);
    }
}

impl Deref for Lease<'_> {
    type Target = Wire;

    fn deref(&self) -> &Wire {
        &self.wire
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Wire {
        &mut self.wire
    }
}

/// What a failed trip means for a session.
pub(crate) fn failure(error: WireError) -> StoreError {
    let kind = match error {
        WireError::Broken(_) | WireError::Strange => StoreErrorKind::Unavailable,
        WireError::Refused(_) => StoreErrorKind::Refused,
    };
    StoreError::new(kind, NAME).because(error)
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("address", &self.address).field("deadline", &self.deadline).finish()
    }
}
