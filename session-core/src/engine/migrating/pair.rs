//! The two stores of a migration, and whether sessions are moved between them yet.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::engine::sources::{Entropy, SystemEntropy};
use crate::engine::store::SessionStore;
use crate::value::answer::{StoreError, StoreErrorKind};
use crate::value::id::Etag;

/// A store that moves sessions from one store to another while they are in use, so that nobody is signed out.
///
/// New sessions are created in `to`. A session of `from` is moved before it is first written, touched, rotated or
/// destroyed; until then it is read from there. [`move_session`](Self::move_session) moves one that nobody uses. Every
/// process of the application needs this store; see [`standby`](Self::standby) for how to replace a running application.
///
/// At each moment a session is in one of the two, whichever process dies when: what is acknowledged is kept, and a session
/// that has ended stays ended, also after its tombstone. The [index by owner](crate::store::OwnerIndex) covers both stores, if both
/// have one; the [sweeper](crate::store::Sweep) sweeps both.
///
/// # Cost
/// A session in `to` costs what it costs there. One that is still in `from` is loaded with two round trips, and
/// moved with six. A new session costs one more round trip. While one of the stores fails, requests that need it fail.
///
/// A session that is larger than `to` allows stays in `from` for as long as it is.
///
/// ```
/// use session_core::store::{Loaded, MigratingStore, SessionStore as _};
/// # use session_core::{Timestamp, machine::SessionId, store::{Etag, Record}};
/// use session_store_memory::MemoryStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_core::store::StoreError> {
/// # let (now, later) = (Timestamp::from_millis(0), Timestamp::from_millis(7_200_000));
/// # let key = SessionId::from_bytes([7; 32]).store_key();
/// # let record = Record::new(Etag::new(1), now, now.plus(std::time::Duration::from_secs(3_600)), b"{}".to_vec().into());
/// let (new, old) = (MemoryStore::new(), MemoryStore::new());
/// old.create(&key, &record, now).await?;
///
/// let store = MigratingStore::new(new.clone(), old);
/// assert_eq!(store.load(&key).await?, Loaded::Found(record));
/// store.touch(&key, later, now).await?;
/// assert!(matches!(new.load(&key).await?, Loaded::Found(_)), "the session has moved");
/// assert_eq!(store.moved(), 1);
/// # Ok(()) }
/// ```
pub struct MigratingStore<T: ?Sized = dyn SessionStore, F: ?Sized = dyn SessionStore> {
    pub(super) moves: bool,
    moved: AtomicU64,
    entropy: SystemEntropy,
    pub(super) from: Arc<F>,
    pub(super) to: Arc<T>,
}

impl<T: SessionStore, F: SessionStore> MigratingStore<T, F> {
    /// Moves sessions from `from` to `to`.
    pub fn new(to: T, from: F) -> Self {
        Self::shared(Arc::new(to), Arc::new(from))
    }
}

impl<T: SessionStore + ?Sized, F: SessionStore + ?Sized> MigratingStore<T, F> {
    /// Moves sessions from `from` to `to`, which may be stores that are known at run time only.
    #[must_use]
    pub fn shared(to: Arc<T>, from: Arc<F>) -> Self {
        Self { moves: true, moved: AtomicU64::new(0), entropy: SystemEntropy, from, to }
    }

    /// Leaves sessions in `from`, creates new ones there too, and finds those that other processes have moved. Only a
    /// session that is destroyed is moved before.
    ///
    /// A process that knows `from` alone takes a session that was moved for one that has ended. To replace such
    /// processes one by one, deploy this first; once all of them run it, deploy again without.
    #[must_use]
    pub fn standby(mut self) -> Self {
        self.moves = false;
        self
    }

    /// Returns how many sessions this store has moved since it was made.
    #[must_use]
    pub fn moved(&self) -> u64 {
        self.moved.load(Relaxed)
    }

    /// Returns the store that sessions are moved to.
    pub fn to(&self) -> &T {
        &self.to
    }

    /// Returns the store that sessions are moved from.
    pub fn from(&self) -> &F {
        &self.from
    }

    pub(super) fn count_a_move(&self) {
        self.moved.fetch_add(1, Relaxed);
    }

    pub(super) fn draw(&self) -> Result<Etag, StoreError> {
        let mut bytes = [0; 8];
        let drawn = self.entropy.fill(&mut bytes);
        drawn.map_err(|error| StoreError::new(StoreErrorKind::Refused, self.name()).because(error))?;
        Ok(Etag::new(u64::from_le_bytes(bytes)))
    }
}

impl<T: SessionStore + ?Sized, F: SessionStore + ?Sized> fmt::Debug for MigratingStore<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigratingStore")
            .field("to", &&*self.to)
            .field("from", &&*self.from)
            .field("moves", &self.moves)
            .field("moved", &self.moved())
            .finish()
    }
}
