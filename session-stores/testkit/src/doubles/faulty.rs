//! A store that fails on demand, before the effect or after it: a refused connection, a lost answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session_core::store::{SessionStore, StoreError, StoreErrorKind, async_trait};

use super::wrap::{Call, Hook, Hooked, Outcome, Verb};

/// Fails the calls that match a [`Fault`]; all others pass.
///
/// ```
/// use session_core::{Timestamp, machine::SessionId, store::{SessionStore, StoreErrorKind}};
/// use session_testkit::{Fault, FaultyStore, Verb};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let store = FaultyStore::new(session_store_memory::MemoryStore::new());
/// let key = SessionId::from_bytes([7; 32]).store_key();
/// // The second destroy happens, but its answer is lost.
/// store.fail(Fault::nth(2).on(Verb::Destroy).after().kind(StoreErrorKind::Timeout));
/// assert!(store.destroy(&key, Timestamp::from_millis(0)).await.is_ok());
/// assert!(store.destroy(&key, Timestamp::from_millis(0)).await.is_err());
/// assert!(store.destroy(&key, Timestamp::from_millis(0)).await.is_ok());
/// # }
/// ```
pub type FaultyStore<S> = Hooked<S, Faults>;

/// Which calls fail, when, and how. By default with [`Unavailable`](StoreErrorKind::Unavailable), before the effect.
///
/// ```
/// use session_testkit::{Fault, Verb};
///
/// // From now on nothing can be written, while reading goes on.
/// let faults = [Verb::Create, Verb::Replace, Verb::Rotate].map(|verb| Fault::every().on(verb));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fault does nothing until it is given to a store"]
pub struct Fault {
    nth: Option<u64>,
    verb: Option<Verb>,
    when: When,
    kind: StoreErrorKind,
    seen: u64,
}

/// Before or after the effect of a call.
///
/// ```
/// use session_testkit::{GateStore, Verb, When};
///
/// let store = GateStore::new(session_store_memory::MemoryStore::new());
/// // The write is applied, and its result is held back.
/// let gate = store.hold(Verb::Replace, When::After);
/// # drop(gate);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third side")]
pub enum When {
    /// Before the call is made.
    Before,
    /// After the call was applied, before its result is returned.
    After,
}

impl Fault {
    /// Fails every call.
    pub fn every() -> Self {
        Self { nth: None, verb: None, when: When::Before, kind: StoreErrorKind::Unavailable, seen: 0 }
    }

    /// Fails the n-th call from now on and no other; the next call is the first. With [`on`](Self::on), counts calls of
    /// that verb.
    pub fn nth(n: u64) -> Self {
        Self { nth: Some(n), ..Self::every() }
    }

    /// Restricts the fault to calls of this verb.
    pub fn on(self, verb: Verb) -> Self {
        Self { verb: Some(verb), ..self }
    }

    /// Fails after the effect: the call is applied, and its result is lost.
    pub fn after(self) -> Self {
        Self { when: When::After, ..self }
    }

    /// Sets the kind of the error.
    pub fn kind(self, kind: StoreErrorKind) -> Self {
        Self { kind, ..self }
    }

    fn strikes(&mut self, call: &Call) -> bool {
        if self.verb.is_some_and(|verb| verb != call.verb) {
            return false;
        }
        self.seen += 1;
        self.nth.is_none_or(|nth| nth == self.seen)
    }
}

/// The hook of a [`FaultyStore`].
#[derive(Debug)]
pub struct Faults {
    store: &'static str,
    faults: Mutex<Vec<Fault>>,
}

impl<S: SessionStore> FaultyStore<S> {
    /// Wraps a store, without faults.
    pub fn new(store: S) -> Self {
        let faults = Faults::of(store.name());
        Self::with(store, faults)
    }
}

impl<S: SessionStore + ?Sized> FaultyStore<S> {
    /// Wraps a shared store, such as an `Arc<dyn SessionStore>`, without faults.
    pub fn over(store: Arc<S>) -> Self {
        let faults = Faults { store: store.name(), faults: Mutex::default() };
        Self::around(store, faults)
    }
}

impl<S: ?Sized> FaultyStore<S> {
    /// Adds a fault, which counts calls from now on.
    pub fn fail(&self, fault: Fault) {
        self.hook.lock().push(fault);
    }

    /// Removes all faults.
    pub fn heal(&self) {
        self.hook.lock().clear();
    }
}

impl Faults {
    /// Creates a hook without faults, whose errors carry this store name.
    fn of(store: &'static str) -> Self {
        Self { store, faults: Mutex::default() }
    }

    fn strike(&self, call: &Call, when: When) -> Result<(), StoreError> {
        let mut faults = self.lock();
        // Every fault counts the call, even if an earlier one fails it.
        let struck = faults
            .iter_mut()
            .filter(|fault| fault.when == when)
            .map(|fault| (fault.strikes(call), fault.kind));
        match struck.collect::<Vec<_>>().into_iter().find(|(strikes, _)| *strikes) {
            Some((_, kind)) => Err(StoreError::new(kind, self.store).because("a fault made by the test")),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Hook for Faults {
    async fn before(&self, call: &Call) -> Result<(), StoreError> {
        self.strike(call, When::Before)
    }

    async fn after(&self, call: &Call, _: Outcome) -> Result<(), StoreError> {
        self.strike(call, When::After)
    }
}
