//! The connections to one server: a bounded number, each used by one call at a time.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use session_core::store::{StoreError, StoreErrorKind};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::NAME;
use crate::wire::{Wire, WireError};

/// A pool of connections.
pub(crate) struct Link {
    address: String,
    /// As many permits as connections may be open.
    permits: Semaphore,
    // A std mutex: nothing awaits while it is held.
    idle: Mutex<Vec<Wire>>,
}

impl Link {
    pub(crate) fn new(address: String, connections: usize) -> Self {
        Self { address, permits: Semaphore::new(connections), idle: Mutex::default() }
    }

    /// Takes a connection for one question, an idle one if there is one. The wait counts against the store's timeout.
    pub(crate) async fn lease(&self) -> Result<Lease<'_>, StoreError> {
        let permit = self.permits.acquire().await.expect("this semaphore is never closed");
        let idle = self.idle().pop();
        let wire = match idle {
            Some(wire) if wire.is_quiet() => wire,
            Some(_) | None => Wire::connect(&self.address).await.map_err(failure)?,
        };
        Ok(Lease { link: self, wire, _permit: permit })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Wire>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in use. Dropping it closes it, because an answer that is still under way must not meet the next question.
pub(crate) struct Lease<'l> {
    link: &'l Link,
    wire: Wire,
    _permit: SemaphorePermit<'l>,
}

impl Lease<'_> {
    /// Returns the connection to the pool. Only for a connection whose every question has been answered.
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

/// Converts a failed exchange.
pub(crate) fn failure(error: WireError) -> StoreError {
    let kind = match error {
        WireError::Broken(_) | WireError::Strange => StoreErrorKind::Unavailable,
        WireError::Refused(_) => StoreErrorKind::Refused,
    };
    StoreError::new(kind, NAME).because(error)
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}
