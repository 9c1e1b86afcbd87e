//! The connections of a store: one for each async runtime that calls it.
//!
//! A connection is driven by a task of the runtime that opened it. With one connection for all, a call from another runtime,
//! such as each worker thread of actix-web has, wakes the thread of that task and is woken by it in turn, which costs more
//! than the call itself.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::aio::MultiplexedConnection;
use tokio::runtime::{Handle, Id};

use crate::NAME;
use crate::cache::Cache;

/// The connections, by runtime.
#[derive(Default)]
pub(crate) struct Lanes(Mutex<Vec<(Option<Id>, Arc<Lane>)>>);

/// The connection of one runtime, opened on demand.
#[derive(Default)]
pub(crate) struct Lane {
    slot: Mutex<Slot>,
    /// Held by the call that is connecting. Other calls wait for it until their own deadlines.
    pub(crate) connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Slot {
    /// The number of the connection, so that a late error of an old connection does not drop its successor.
    number: u64,
    open: Option<Open>,
}

#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) number: u64,
    pub(crate) connection: MultiplexedConnection,
    pub(crate) cache: Option<Arc<Cache>>,
}

impl Lanes {
    /// Returns the lane of the runtime that runs this call.
    pub(crate) fn here(&self) -> Arc<Lane> {
        let id = Handle::try_current().ok().map(|handle| handle.id());
        let mut lanes = lock(&self.0);
        if let Some((_, lane)) = lanes.iter().find(|(of, _)| *of == id) {
            return lane.clone();
        }
        if lanes.len() == MOST_RUNTIMES {
            // Runtimes that come and go leave a lane each. One that is still used opens a connection again.
            lanes.remove(0);
        }
        let lane = Arc::<Lane>::default();
        lanes.push((id, lane.clone()));
        lane
    }

    /// Calls this function with the near cache of each open connection.
    pub(crate) fn each_cache(&self, mut look: impl FnMut(&Arc<Cache>)) {
        for (_, lane) in &*lock(&self.0) {
            lane.cache().iter().for_each(&mut look);
        }
    }
}

impl Lane {
    pub(crate) fn open(&self) -> Option<Open> {
        lock(&self.slot).open.clone()
    }

    pub(crate) fn cache(&self) -> Option<Arc<Cache>> {
        lock(&self.slot).open.as_ref()?.cache.clone()
    }

    /// Returns the number for the next connection.
    pub(crate) fn next_number(&self) -> u64 {
        let mut slot = lock(&self.slot);
        slot.number += 1;
        slot.number
    }

    pub(crate) fn put(&self, open: Open) {
        lock(&self.slot).open = Some(open);
    }

    /// Drops the connection with this number. Calls that are still waiting on it keep their own handle.
    pub(crate) fn give_up(&self, number: u64) {
        let mut slot = lock(&self.slot);
        if slot.number == number && slot.open.take().is_some() {
            tracing::debug!(store = NAME, number, "connection given up");
        }
    }
}

/// Does not show addresses, which may contain a password.
impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connected = lock(&self.0).iter().filter(|(_, lane)| lock(&lane.slot).open.is_some()).count();
        write!(f, "{connected} connected")
    }
}

/// A std mutex, because it is never held across an `.await`.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of runtimes that have a connection each; more than there are worker threads anywhere.
const MOST_RUNTIMES: usize = 256;
