//! A store whose calls can be held at a gate, so that a test chooses one interleaving.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session_core::store::{StoreError, async_trait};
use tokio::sync::oneshot;

use super::faulty::When;
use super::wrap::{Call, Hook, Hooked, Outcome, Verb};

/// Holds chosen calls; all others pass.
///
/// ```
/// use session_core::{Timestamp, machine::SessionId, store::SessionStore};
/// use session_testkit::{GateStore, Verb, When};
///
/// # #[tokio::main] async fn main() {
/// let store = GateStore::new(session_store_memory::MemoryStore::new());
/// let key = SessionId::from_bytes([7; 32]).store_key();
/// let mut gate = store.hold(Verb::Load, When::Before);
/// let slow = tokio::spawn({
///     let store = store.clone();
///     async move { store.load(&key).await }
/// });
/// assert_eq!(gate.arrived().await.key, Some(key)); // the slow request is about to load
/// store.destroy(&key, Timestamp::from_millis(0)).await.unwrap(); // meanwhile, the user signs out
/// gate.release();
/// slow.await.unwrap().unwrap();
/// # }
/// ```
pub type GateStore<S> = Hooked<S, Gates>;

/// The test's handle on one held call. Dropping it releases the call.
///
/// ```
/// # use session_core::{Timestamp, machine::SessionId, store::SessionStore as _};
/// # use session_testkit::{GateStore, Verb, When};
/// # #[tokio::main] async fn main() {
/// # let key = SessionId::from_bytes([7; 32]).store_key();
/// let store = GateStore::new(session_store_memory::MemoryStore::new());
/// let gate = store.hold(Verb::Load, When::Before);
/// drop(gate);
/// assert!(store.load(&key).await.is_ok(), "a dropped gate holds nothing");
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a dropped gate holds nothing"]
pub struct Gate {
    arrival: oneshot::Receiver<Call>,
    open: oneshot::Sender<()>,
    arrived: Option<Call>,
}

impl Gate {
    /// Waits until the call is held, and returns it.
    ///
    /// # Panics
    /// If the store was dropped, so that no call can arrive.
    pub async fn arrived(&mut self) -> Call {
        if let Some(call) = self.arrived {
            return call;
        }
        let call = (&mut self.arrival).await.expect("a call arrives at the gate");
        *self.arrived.insert(call)
    }

    /// Releases the call. If it has not arrived yet, it will not be held.
    pub fn release(self) {
        // An error means that the call was dropped while it waited.
        let _ = self.open.send(());
    }
}

/// The hook of a [`GateStore`].
#[derive(Debug, Default)]
pub struct Gates(Mutex<Vec<Waiting>>);

#[derive(Debug)]
struct Waiting {
    verb: Verb,
    when: When,
    arrival: oneshot::Sender<Call>,
    open: oneshot::Receiver<()>,
}

impl<S> GateStore<S> {
    /// Wraps a store. No call is held yet.
    pub fn new(store: S) -> Self {
        Self::with(store, Gates::default())
    }
}

impl<S: ?Sized> GateStore<S> {
    /// Wraps a shared store, such as an `Arc<dyn SessionStore>`.
    pub fn over(store: Arc<S>) -> Self {
        Self::around(store, Gates::default())
    }

    /// Holds the next call of this verb, before its effect or after it. Two gates for the same verb hold two calls.
    pub fn hold(&self, verb: Verb, when: When) -> Gate {
        let (arrival, arrives) = oneshot::channel();
        let (open, opens) = oneshot::channel();
        self.hook.lock().push(Waiting { verb, when, arrival, open: opens });
        Gate { arrival: arrives, open, arrived: None }
    }
}

impl Gates {
    async fn pass(&self, call: &Call, when: When) {
        let waiting = {
            let mut gates = self.lock();
            let found = gates.iter().position(|gate| gate.verb == call.verb && gate.when == when);
            found.map(|index| gates.remove(index))
        };
        if let Some(gate) = waiting {
            // An error means that the test has dropped the gate, which releases the call.
            let _ = gate.arrival.send(*call);
            let _ = gate.open.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Hook for Gates {
    async fn before(&self, call: &Call) -> Result<(), StoreError> {
        self.pass(call, When::Before).await;
        Ok(())
    }

    async fn after(&self, call: &Call, _: Outcome) -> Result<(), StoreError> {
        self.pass(call, When::After).await;
        Ok(())
    }
}
