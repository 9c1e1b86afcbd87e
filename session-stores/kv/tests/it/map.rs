//! Engines over a map in memory, with each of the capabilities that an engine may have, and access to their bytes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use session_core::{
    Timestamp,
    store::{StoreError, StoreKey, async_trait},
};
use session_store_kv::{CasEngine, Due, Ending, OwnerSet, Owners, Swapped, TxEngine, TxRead, TxWrite};

/// Four primitives over a map. A clone shares the map.
#[derive(Clone, Default)]
pub(crate) struct CasMap {
    inner: Arc<Mutex<Inner>>,
    index: Index,
    is_stalled: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Index {
    #[default]
    Nowhere,
    Set,
    Primitives,
}

#[derive(Default)]
struct Inner {
    entries: BTreeMap<String, (Vec<u8>, u64, Timestamp)>,
    sets: BTreeMap<String, BTreeMap<StoreKey, Timestamp>>,
    versions: u64,
    /// How many bytes of sessions were read.
    read: usize,
}

impl Inner {
    fn next(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }
}

impl CasMap {
    pub(crate) fn new(index: Index) -> Self {
        Self { inner: Arc::default(), index, is_stalled: false }
    }

    /// An engine that answers nothing.
    pub(crate) fn stalled(index: Index) -> Self {
        Self { is_stalled: true, ..Self::new(index) }
    }

    /// How many members an owner's set has, in a set or in an entry.
    pub(crate) fn members_of(&self, owner: &[u8; 32]) -> usize {
        let name: String = owner.iter().map(|byte| format!("{byte:02x}")).collect();
        let inner = self.lock();
        let in_entry = inner.entries.get(&format!("o-{name}")).map_or(0, |(bytes, ..)| bytes.len() / 40);
        in_entry + inner.sets.get(&name).map_or(0, BTreeMap::len)
    }

    /// How many bytes of sessions were read since the last time.
    pub(crate) fn take_read(&self) -> usize {
        std::mem::take(&mut self.lock().read)
    }

    /// Waits for ever if the engine is stalled.
    async fn answers(&self) {
        if self.is_stalled {
            std::future::pending().await
        }
    }

    /// Changes the bytes under a key behind the store's back.
    pub(crate) fn spoil(&self, key: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.lock().entries.get_mut(key).unwrap().0);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

#[async_trait]
impl CasEngine for CasMap {
    type Version = u64;

    fn name(&self) -> &'static str {
        "map"
    }

    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        self.answers().await;
        let mut inner = self.lock();
        let found = inner.entries.get(key).map(|(bytes, version, _)| (bytes.clone(), *version));
        let read = found.iter().filter(|_| !key.starts_with("o-")).map(|(bytes, _)| bytes.len());
        inner.read += read.sum::<usize>();
        Ok(found)
    }

    async fn get_start(&self, key: &str, most: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let mut inner = self.lock();
        let found = inner.entries.get(key).map(|(bytes, ..)| bytes[..most.min(bytes.len())].to_vec());
        inner.read += found.as_ref().map_or(0, Vec::len);
        Ok(found)
    }

    async fn add(&self, key: &str, bytes: &[u8], expiry: Timestamp) -> Result<Option<u64>, StoreError> {
        self.answers().await;
        let mut inner = self.lock();
        let version = inner.next();
        Ok(match inner.entries.entry(key.to_owned()) {
            Entry::Vacant(place) => {
                place.insert((bytes.to_vec(), version, expiry));
                Some(version)
            }
            Entry::Occupied(_) => None,
        })
    }

    async fn swap(
        &self,
        key: &str,
        version: &u64,
        bytes: &[u8],
        expiry: Timestamp,
    ) -> Result<Swapped, StoreError> {
        self.answers().await;
        let mut inner = self.lock();
        let next = inner.next();
        Ok(match inner.entries.get_mut(key) {
            Some(entry) if entry.1 == *version => {
                *entry = (bytes.to_vec(), next, expiry);
                Swapped::Done
            }
            _ => Swapped::Changed,
        })
    }

    async fn remove(&self, key: &str, version: &u64) -> Result<Swapped, StoreError> {
        self.answers().await;
        let mut inner = self.lock();
        let is_it = inner.entries.get(key).is_some_and(|entry| entry.1 == *version);
        if is_it {
            inner.entries.remove(key);
        }
        Ok(if is_it { Swapped::Done } else { Swapped::Changed })
    }

    fn owners(&self) -> Owners<'_> {
        match self.index {
            Index::Nowhere => Owners::Nowhere,
            Index::Set => Owners::Set(self),
            Index::Primitives => Owners::Primitives,
        }
    }

    fn due(&self) -> Option<&dyn Due> {
        Some(self)
    }
}

#[async_trait]
impl OwnerSet for CasMap {
    async fn insert(
        &self,
        owner: &str,
        member: &StoreKey,
        expiry: Timestamp,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        self.answers().await;
        let mut inner = self.lock();
        let there = inner.sets.entry(owner.to_owned()).or_default().entry(*member).or_insert(expiry);
        *there = expiry.max(*there);
        Ok(())
    }

    async fn remove(&self, owner: &str, member: &StoreKey) -> Result<(), StoreError> {
        if let Some(set) = self.lock().sets.get_mut(owner) {
            set.remove(member);
        }
        Ok(())
    }

    async fn members(&self, owner: &str, _now: Timestamp) -> Result<Vec<StoreKey>, StoreError> {
        self.answers().await;
        Ok(self.lock().sets.get(owner).map(|set| set.keys().copied().collect()).unwrap_or_default())
    }
}

#[async_trait]
impl Due for CasMap {
    async fn due(&self, before: Timestamp, most: usize) -> Result<Vec<String>, StoreError> {
        self.answers().await;
        let inner = self.lock();
        let due = inner.entries.iter().filter(|(_, (.., expiry))| *expiry <= before);
        Ok(due.map(|(key, _)| key.clone()).take(most).collect())
    }
}

/// Transactions over a map, one at a time. A clone shares the map.
#[derive(Clone, Default)]
pub(crate) struct TxMap(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What each write of this transaction found, to take it back by.
    undo: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// How many bytes were read.
    read: AtomicUsize,
}

impl TxMap {
    /// Changes the bytes of a session behind the store's back.
    pub(crate) fn spoil(&self, key: &StoreKey, change: impl FnOnce(&mut Vec<u8>)) {
        let row = [&b"s"[..], key.as_bytes()].concat();
        change(self.0.lock().unwrap().rows.get_mut(&row).unwrap());
    }

    /// How many bytes of sessions were read since the last time.
    pub(crate) fn take_read(&self) -> usize {
        self.0.lock().unwrap().read.swap(0, Ordering::Relaxed)
    }

    /// How many rows the index of an owner has.
    pub(crate) fn rows_of(&self, owner: &[u8; 32]) -> usize {
        let from = [&b"o"[..], owner].concat();
        self.0.lock().unwrap().rows.keys().filter(|row| row.starts_with(&from)).count()
    }
}

impl TxEngine for TxMap {
    fn name(&self) -> &'static str {
        "table"
    }

    fn read<T>(&self, work: impl Fn(&dyn TxRead) -> Result<T, StoreError>) -> Result<T, StoreError> {
        work(&*self.0.lock().unwrap())
    }

    fn write<T>(
        &self,
        work: impl Fn(&mut dyn TxWrite) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let mut table = self.0.lock().unwrap();
        let done = work(&mut *table).map(Ending::into_parts);
        let writes = std::mem::take(&mut table.undo);
        match done {
            Ok((result, true)) => Ok(result),
            Ok((result, false)) => {
                assert!(writes.is_empty(), "a transaction that wrote is not abandoned");
                Ok(result)
            }
            Err(error) => {
                for (key, before) in writes.into_iter().rev() {
                    match before {
                        Some(bytes) => table.rows.insert(key, bytes),
                        None => table.rows.remove(&key),
                    };
                }
                Err(error)
            }
        }
    }
}

impl TxRead for Table {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.get_start(key, usize::MAX)
    }

    fn get_start(&self, key: &[u8], most: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.rows.get(key).map(|bytes| bytes[..most.min(bytes.len())].to_vec());
        self.read.fetch_add(found.as_ref().map_or(0, Vec::len), Ordering::Relaxed);
        Ok(found)
    }

    fn scan(&self, from: &[u8], until: &[u8], most: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let range = self.rows.range(from.to_vec()..until.to_vec());
        Ok(range.map(|(key, _)| key.clone()).take(most).collect())
    }
}

impl TxWrite for Table {
    fn put(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
        let before = self.rows.insert(key.to_vec(), bytes.to_vec());
        self.undo.push((key.to_vec(), before));
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), StoreError> {
        let before = self.rows.remove(key);
        self.undo.push((key.to_vec(), before));
        Ok(())
    }
}

// The suite reads what a store prints: not its data.
impl fmt::Debug for CasMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CasMap").finish_non_exhaustive()
    }
}

impl fmt::Debug for TxMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TxMap").finish_non_exhaustive()
    }
}
