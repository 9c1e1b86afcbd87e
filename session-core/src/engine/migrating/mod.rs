//! From one store to another while sessions are in use: a store of two, which moves each session when it is next used.
//!
//! [`settle`] has the protocol, [`copy`] what the two stores hold meanwhile, [`index`] and [`census`] the capabilities over
//! both.

mod census;
mod copy;
mod index;
mod settle;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;

use self::copy::{is_copy, is_note};
use self::settle::{Moment, Place, Settled};
use super::sources::{Entropy, SystemEntropy};
use super::store::{Census, OwnerIndex, SessionStore, Sweep};
use crate::value::answer::{Loaded, StoreError, StoreErrorKind, Written};
use crate::value::id::{Etag, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// A store that moves sessions from one store to another while they are in use, so that nobody is signed out.
///
/// New sessions are created in `to`. A session of `from` is moved before it is first written, touched, rotated or
/// destroyed; until then it is read from there. [`move_session`](Self::move_session) moves one that nobody uses. Every
/// process of the application needs this store; see [`standby`](Self::standby) for how to replace a running application.
///
/// At each moment a session is in one of the two, whichever process dies when: what is acknowledged is kept, and a session
/// that has ended stays ended, also after its tombstone. The [index by owner](OwnerIndex) covers both stores, if both
/// have one; the [sweeper](Sweep) sweeps both.
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
    moves: bool,
    moved: AtomicU64,
    entropy: SystemEntropy,
    from: Arc<F>,
    to: Arc<T>,
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

    /// Moves a session that nobody uses, and returns whether it is in the new store now. It is not if it has ended or
    /// expired, and if it is larger than the new store allows.
    ///
    /// # Errors
    /// As either store does. The session is in one of the two all the same; try again.
    pub async fn move_session(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        Ok(matches!(self.settle(key, self.at(now), true).await?, Settled::New))
    }

    fn count_a_move(&self) {
        self.moved.fetch_add(1, Relaxed);
    }

    fn draw(&self) -> Result<Etag, StoreError> {
        let mut bytes = [0; 8];
        let drawn = self.entropy.fill(&mut bytes);
        drawn.map_err(|error| StoreError::new(StoreErrorKind::Refused, self.name()).because(error))?;
        Ok(Etag::new(u64::from_le_bytes(bytes)))
    }

    fn at(&self, now: Timestamp) -> Moment {
        Moment { now, notes_until: now.plus(NOTES) }
    }

    /// Whether anything at all is stored under a key that is to be new.
    async fn is_taken(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let other = match self.moves {
            true => self.from.load(key).await?,
            false => self.to.load(key).await?,
        };
        Ok(other != Loaded::Missing)
    }

    /// What the old store answers to a write, in the terms of both: `None` if the session has moved meanwhile.
    async fn answer_of_old(&self, written: Written, now: Timestamp) -> Result<Option<Written>, StoreError> {
        match written {
            Written::Conflict(current) if is_note(&current) => Ok(None),
            Written::Moved { key, record } if is_note(&record) => {
                self.follow(key, record, now).await.map(Some)
            }
            written => Ok(Some(written)),
        }
    }

    async fn destroy_in_both(
        &self,
        key: &StoreKey,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError> {
        self.from.destroy(key, tombstone_until).await?;
        self.to.destroy(key, tombstone_until).await
    }
}

#[async_trait]
impl<T: SessionStore + ?Sized, F: SessionStore + ?Sized> SessionStore for MigratingStore<T, F> {
    /// The name of the new store.
    fn name(&self) -> &'static str {
        self.to.name()
    }

    /// The limit of the new store; on [`standby`](Self::standby) the lower one of both.
    fn max_record(&self) -> usize {
        let most = self.to.max_record();
        if self.moves { most } else { most.min(self.from.max_record()) }
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        Ok(match self.find(key).await? {
            Place::New(loaded) | Place::Nowhere(loaded) => loaded,
            Place::Copied(copy) => Loaded::Found(copy.session),
            Place::Old(session, _) => Loaded::Found(session),
        })
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        StoreError::check_size(self.name(), record, self.max_record())?;
        if !self.is_taken(key).await? {
            return match self.moves {
                true => self.to.create(key, record, now).await,
                false => self.from.create(key, record, now).await,
            };
        }
        match self.load(key).await? {
            Loaded::Found(there) if there.etag == record.etag => Ok(Written::Applied),
            _ => Ok(Written::Taken),
        }
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(self.name(), record, self.max_record())?;
        // Most often the session is in the new store already.
        match self.to.replace(key, expected, record, now).await? {
            Written::Gone => {}
            Written::Conflict(current) if is_copy(&current) || is_note(&current) => {}
            written => return Ok(written),
        }
        loop {
            match self.settle(key, self.at(now), self.moves).await? {
                Settled::New => return self.to.replace(key, expected, record, now).await,
                Settled::Missing => return Ok(Written::Gone),
                Settled::Old | Settled::Ended => {
                    let written = self.from.replace(key, expected, record, now).await?;
                    if let Some(written) = self.answer_of_old(written, now).await? {
                        return Ok(written);
                    }
                }
            }
        }
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        // A touch of a copy would be lost, so the session is moved first.
        match self.settle(key, self.at(now), self.moves).await? {
            Settled::New => self.to.touch(key, idle_deadline, now).await,
            Settled::Old => self.from.touch(key, idle_deadline, now).await,
            Settled::Ended | Settled::Missing => Ok(Written::Gone),
        }
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        // A destroy concerns expired sessions, too: at this moment every session is alive.
        let moment = Moment { now: THE_BEGINNING, notes_until: tombstone_until };
        match self.settle(key, moment, true).await {
            Ok(Settled::New) => self.to.destroy(key, tombstone_until).await,
            Ok(Settled::Missing) => Ok(Written::Applied),
            Ok(Settled::Old | Settled::Ended) => {
                let written = self.from.destroy(key, tombstone_until).await?;
                match self.answer_of_old(written, THE_BEGINNING).await? {
                    Some(Written::Gone) | None => Ok(Written::Applied),
                    Some(written) => Ok(written),
                }
            }
            // A record that cannot be read is not moved.
            Err(error) if error.kind() == StoreErrorKind::Corrupt => {
                self.destroy_in_both(key, tombstone_until).await
            }
            Err(error) => Err(error),
        }
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(self.name(), record, self.max_record())?;
        let is_taken = self.is_taken(new).await?;
        loop {
            match self.settle(old, self.at(now), self.moves).await? {
                Settled::New if is_taken && self.moves => return Ok(Written::Taken),
                Settled::New => {
                    return self.to.rotate(old, expected, new, record, now, tombstone_until).await;
                }
                Settled::Missing => return Ok(Written::Gone),
                Settled::Old if is_taken && !self.moves => return Ok(Written::Taken),
                Settled::Old | Settled::Ended => {
                    let written = self.from.rotate(old, expected, new, record, now, tombstone_until).await?;
                    match self.answer_of_old(written, now).await? {
                        None => {}
                        // This very rotation applied, and its session has moved since.
                        Some(Written::Moved { key, record: there })
                            if key == *new && there.etag == record.etag =>
                        {
                            return Ok(Written::Applied);
                        }
                        Some(written) => return Ok(written),
                    }
                }
            }
        }
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        (self.to.owners().is_some() && self.from.owners().is_some()).then_some(self as &dyn OwnerIndex)
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        (self.to.sweeper().is_some() || self.from.sweeper().is_some()).then_some(self as &dyn Sweep)
    }

    fn census(&self) -> Option<&dyn Census> {
        (self.to.census().is_some() && self.from.census().is_some()).then_some(self as &dyn Census)
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

/// How long a note is kept after its session has moved: longer than any request, and than the tombstones of rotations that
/// lead to it.
const NOTES: Duration = Duration::from_secs(600);
const THE_BEGINNING: Timestamp = Timestamp::from_millis(i64::MIN);
