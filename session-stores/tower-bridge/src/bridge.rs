//! The bridge: tower-sessions' four calls as conditional writes to a store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_lock::{Mutex, MutexGuard};
use serde_json::Value;
use session_core::Timestamp;
use session_core::adapter::{Clock, Entropy, SystemClock, SystemEntropy};
use session_core::store::{Etag, Loaded, Record, SessionStore, StoreErrorKind, StoreKey, Written};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::error::BridgeError;
use crate::known::{Base, Known, Print};
use crate::old::OldStore;
use crate::payload::{Data, deadline, decode, encode, merge};

/// A session store as a store of tower-sessions. Clones share everything.
///
/// It implements the traits `SessionStore` and `ExpiredDeletion` of `tower-sessions-core` 0.14 and 0.15 with the features
/// `tower-sessions-0-14` and `tower-sessions-0-15`.
///
/// ```
/// use session_store_memory::MemoryStore;
/// use session_tower_bridge::TowerSessionsBridge;
///
/// let store = TowerSessionsBridge::new(MemoryStore::new());
/// // tower_sessions::SessionManagerLayer::new(store)
/// # let _ = store;
/// ```
#[derive(Clone)]
pub struct TowerSessionsBridge(Arc<Inner>);

struct Inner {
    store: Arc<dyn SessionStore>,
    known: Known,
    owner: Option<Box<OwnerOf>>,
    old: Option<Box<dyn OldStore>>,
    clock: Box<dyn Clock>,
    /// Writers of one session queue here after their first conflict.
    queues: [Mutex<()>; QUEUES],
}

type OwnerOf = dyn Fn(&Data) -> Option<String> + Send + Sync;

/// The default of [`TowerSessionsBridge::with_memory`]: 32 MiB.
pub const DEFAULT_MEMORY: usize = 32 * 1024 * 1024;

impl TowerSessionsBridge {
    /// Makes a bridge to this store.
    pub fn new(store: impl SessionStore) -> Self {
        Self::shared(Arc::new(store))
    }

    /// Takes an `Arc`, for a store that is chosen at run time.
    #[must_use]
    pub fn shared(store: Arc<dyn SessionStore>) -> Self {
        Self(Arc::new(Inner {
            store,
            known: Known::bounded(DEFAULT_MEMORY),
            owner: None,
            old: None,
            clock: Box::new(SystemClock),
            queues: [const { Mutex::new(()) }; QUEUES],
        }))
    }

    /// Sets how many bytes are used to remember what requests have loaded. A request that saves after this many bytes
    /// were loaded by others overwrites the whole session, as in tower-sessions.
    ///
    /// # Panics
    /// If the bridge was cloned before.
    #[must_use]
    pub fn with_memory(self, bytes: usize) -> Self {
        self.configure(|inner| inner.known = Known::bounded(bytes))
    }

    /// Derives from a session's values the user that it belongs to, for the store's index of sessions by user: a list
    /// of devices, or ending all sessions of a user.
    ///
    /// ```
    /// # use session_store_memory::MemoryStore;
    /// # use session_tower_bridge::TowerSessionsBridge;
    /// // The user of axum-login.
    /// let store = TowerSessionsBridge::new(MemoryStore::new()).with_owner(|data| {
    ///     let user = data.get("axum-login.data")?.get("user_id").filter(|id| !id.is_null())?;
    ///     Some(user.to_string())
    /// });
    /// # let _ = store;
    /// ```
    ///
    /// # Panics
    /// If the bridge was cloned before.
    #[must_use]
    pub fn with_owner(
        self,
        owner: impl Fn(&std::collections::HashMap<String, Value>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.configure(|inner| inner.owner = Some(Box::new(owner)))
    }

    /// Sets the source of time, for tests. tower-sessions computes expiry with the system's clock.
    ///
    /// # Panics
    /// If the bridge was cloned before.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        self.configure(|inner| inner.clock = Box::new(clock))
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn SessionStore> {
        &self.0.store
    }

    /// Returns the key under which the store keeps the session with this id of tower-sessions.
    #[must_use]
    pub fn store_key(id: i128) -> StoreKey {
        let mut hash = Sha256::new();
        hash.update(STORE_KEY_LABEL);
        hash.update(id.to_le_bytes());
        StoreKey::from_bytes(hash.finalize().into())
    }

    /// Moves sessions out of this store when they are used.
    #[cfg(any(feature = "tower-sessions-0-14", feature = "tower-sessions-0-15"))]
    pub(crate) fn with_old(self, old: impl OldStore + 'static) -> Self {
        self.configure(|inner| inner.old = Some(Box::new(old)))
    }

    fn configure(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::get_mut(&mut self.0).expect("the bridge is configured before it is cloned"));
        self
    }

    /// Stores a new session under `id` or, if that is taken, under an id from `draw`. Returns the id.
    pub(crate) async fn add(
        &self,
        mut id: i128,
        draw: impl Fn() -> i128 + Send + Sync,
        data: &Data,
        expiry: OffsetDateTime,
    ) -> Result<i128, BridgeError> {
        let inner = &*self.0;
        let now = inner.clock.now();
        let record = inner.first(data, expiry, now)?;
        for _ in 0..MOST_IDS {
            let key = Self::store_key(id);
            match inner.store.create(&key, &record, now).await? {
                Written::Applied => {
                    inner.known.loaded(key, Print::of(data), Base { record, is_stored: true });
                    return Ok(id);
                }
                Written::Taken => id = draw(),
                Written::Conflict(_) | Written::Moved { .. } | Written::Gone => {
                    return Err(BridgeError::Unexpected);
                }
            }
        }
        Err(BridgeError::NoFreeId)
    }

    /// Stores the changes of the request that holds these values, if the session still lives.
    pub(crate) async fn put(
        &self,
        id: i128,
        mine: &Data,
        expiry: OffsetDateTime,
        place: usize,
    ) -> Result<(), BridgeError> {
        let inner = &*self.0;
        let (key, print) = (Self::store_key(id), Print::of(mine));
        let known = inner.known.find(key, print, place);
        let mut current = match &known {
            Some(base) if base.is_stored => base.record.clone(),
            _ => match self.find(id).await? {
                Loaded::Found(record) => record,
                Loaded::Missing | Loaded::Ended { .. } => return Err(BridgeError::Ended),
            },
        };
        let mut queue: Option<MutexGuard<'_, ()>> = None;
        for _ in 0..MOST_TRIES {
            let merged = known.as_ref().filter(|base| !base.is_stored || base.record.etag != current.etag);
            let merged = merged.map(|base| merged_values(&base.record, mine, &current)).transpose()?;
            let is_stored = merged.is_none();
            let data = merged.as_ref().unwrap_or(mine);
            let record = inner.next(&current, data, expiry)?;
            match inner.store.replace(&key, current.etag, &record, inner.clock.now()).await? {
                Written::Applied => {
                    let written = if is_stored { record } else { inner.next(&current, mine, expiry)? };
                    inner.known.saved(key, print, place, Base { record: written, is_stored });
                    return Ok(());
                }
                Written::Conflict(record) => current = record,
                // A session that got another id belongs to whoever has that id.
                Written::Gone | Written::Moved { .. } => return Err(BridgeError::Ended),
                Written::Taken => return Err(BridgeError::Unexpected),
            }
            if queue.is_none() {
                queue = Some(inner.queues[usize::from(key.as_bytes()[0]) % QUEUES].lock().await);
            }
        }
        Err(BridgeError::Contended)
    }

    /// Returns the values and the expiry of a session that lives, and remembers them.
    pub(crate) async fn get(&self, id: i128) -> Result<Option<(Data, OffsetDateTime)>, BridgeError> {
        let inner = &*self.0;
        let key = Self::store_key(id);
        let record = match self.find(id).await {
            Ok(Loaded::Found(record)) if record.is_live(inner.clock.now()) => record,
            Ok(Loaded::Found(_) | Loaded::Missing | Loaded::Ended { .. }) => return Ok(None),
            Err(BridgeError::Store(error)) if error.kind() == StoreErrorKind::Corrupt => {
                tracing::warn!(session = %key.handle(), "a damaged session is treated as unknown");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let Some((data, expiry)) = decode(&record) else {
            tracing::warn!(session = %key.handle(), "a session of another format is treated as unknown");
            return Ok(None);
        };
        inner.known.loaded(key, Print::of(&data), Base { record, is_stored: true });
        Ok(Some((data, expiry)))
    }

    /// Loads the record, after it has moved here if it is still in the old store.
    async fn find(&self, id: i128) -> Result<Loaded, BridgeError> {
        let (inner, key) = (&*self.0, Self::store_key(id));
        let loaded = inner.store.load(&key).await?;
        let (Loaded::Missing, Some(old)) = (&loaded, &inner.old) else { return Ok(loaded) };
        let Some((data, expiry)) = old.load(id).await? else {
            // Gone, or another request has moved it since.
            return Ok(inner.store.load(&key).await?);
        };
        let now = inner.clock.now();
        let record = inner.first(&data, expiry, now)?;
        if !record.is_live(now) {
            return Ok(loaded);
        }
        let written = inner.store.create(&key, &record, now).await?;
        old.delete(id).await?;
        match written {
            Written::Applied => Ok(Loaded::Found(record)),
            Written::Taken | Written::Conflict(_) | Written::Moved { .. } | Written::Gone => {
                Ok(inner.store.load(&key).await?)
            }
        }
    }

    /// Ends the session, wherever a rotation has moved it.
    pub(crate) async fn end(&self, id: i128) -> Result<(), BridgeError> {
        let inner = &*self.0;
        // The old store first: what has ended here cannot come back from there.
        if let Some(old) = &inner.old {
            old.delete(id).await?;
        }
        let mut key = Self::store_key(id);
        for _ in 0..MOST_TRIES {
            match inner.store.destroy(&key, inner.clock.now().plus(TOMBSTONE)).await? {
                Written::Moved { key: successor, .. } => key = successor,
                Written::Applied => return Ok(()),
                Written::Conflict(_) | Written::Gone | Written::Taken => return Err(BridgeError::Unexpected),
            }
        }
        Err(BridgeError::Contended)
    }

    /// Removes expired sessions from a store that does not do so by itself.
    pub(crate) async fn sweep(&self) -> Result<(), BridgeError> {
        if let Some(sweeper) = self.0.store.sweeper() {
            while sweeper.sweep(self.0.clock.now(), SWEPT_AT_ONCE).await?.more {}
        }
        Ok(())
    }
}

impl Inner {
    /// The first record of a session.
    fn first(&self, data: &Data, expiry: OffsetDateTime, now: Timestamp) -> Result<Record, BridgeError> {
        let owner = self.owner.as_ref().and_then(|owner| owner(data));
        let record = Record::new(etag()?, now, deadline(expiry), encode(data, expiry)?);
        Ok(record.with_owner(owner.map(Into::into)))
    }

    /// The record that follows `current`.
    fn next(&self, current: &Record, data: &Data, expiry: OffsetDateTime) -> Result<Record, BridgeError> {
        let record = current
            .clone()
            .with_etag(etag()?)
            .with_idle_deadline(deadline(expiry))
            .with_payload(encode(data, expiry)?);
        Ok(match &self.owner {
            Some(owner) => record.with_owner(owner(data).map(Into::into)),
            None => record,
        })
    }
}

fn merged_values(base: &Record, mine: &Data, current: &Record) -> Result<Data, BridgeError> {
    let (base, _) = decode(base).ok_or(BridgeError::OtherFormat)?;
    let (current, _) = decode(current).ok_or(BridgeError::OtherFormat)?;
    Ok(merge(&base, mine, current))
}

/// Shows the store, and nothing of any session.
impl fmt::Debug for TowerSessionsBridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerSessionsBridge").field("store", &self.0.store).finish_non_exhaustive()
    }
}

fn etag() -> Result<Etag, BridgeError> {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes)?;
    Ok(Etag::new(u64::from_le_bytes(bytes)))
}

/// The domain label: the key of a bridged session never equals that of another one.
const STORE_KEY_LABEL: &[u8] = b"session-tower-bridge/store-key/v1\0";
/// How long a tombstone is kept, as in the core.
const TOMBSTONE: Duration = Duration::from_secs(60);
const QUEUES: usize = 64;
const MOST_TRIES: usize = 256;
const MOST_IDS: usize = 8;
const SWEPT_AT_ONCE: usize = 1_000;
