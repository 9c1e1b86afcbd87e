//! Statistics: the current contents of the store, and removals since it was created.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::entry::Class;

/// The contents of a [`MemoryStore`](crate::MemoryStore) and its removals. The counters are read one after another,
/// so they may differ slightly from a consistent snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sessions without an owner, including expired ones that have not been removed yet.
    pub anonymous: usize,
    /// Sessions with an owner, including expired ones that have not been removed yet.
    pub owned: usize,
    /// Tombstones of destroyed or rotated sessions.
    pub tombstones: usize,
    /// The approximate memory use in bytes: buffers and their share of tables, allocator overhead and owner index.
    pub bytes: usize,
    /// Expired records and tombstones removed since the store was created.
    pub expired: u64,
    /// Tombstones evicted before their end because the store was full.
    pub evicted_tombstones: u64,
    /// Anonymous sessions evicted because the store was full.
    pub evicted_anonymous: u64,
    /// Sessions with an owner evicted because the store was full and contained nothing else. Each one signed a user
    /// out: a value above zero means that the capacity is too small.
    pub evicted_owned: u64,
}

impl Stats {
    /// Returns the number of sessions, with and without an owner.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.anonymous + self.owned
    }
}

#[derive(Default)]
pub(crate) struct Counters {
    now: [AtomicUsize; 3],
    bytes: AtomicUsize,
    expired: AtomicU64,
    evicted: [AtomicU64; 3],
}

impl Counters {
    pub(crate) fn put(&self, class: Class, cost: usize) {
        self.now[class as usize].fetch_add(1, Relaxed);
        self.bytes.fetch_add(cost, Relaxed);
    }

    pub(crate) fn removed(&self, class: Class, cost: usize) {
        self.now[class as usize].fetch_sub(1, Relaxed);
        self.bytes.fetch_sub(cost, Relaxed);
    }

    pub(crate) fn resized(&self, before: usize, after: usize) {
        self.bytes.fetch_add(after, Relaxed);
        self.bytes.fetch_sub(before, Relaxed);
    }

    pub(crate) fn expired(&self, count: usize) {
        if count > 0 {
            self.expired.fetch_add(count as u64, Relaxed);
        }
    }

    pub(crate) fn evicted(&self, class: Class) {
        self.evicted[class as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn of(&self, class: Class) -> usize {
        self.now[class as usize].load(Relaxed)
    }

    pub(crate) fn entries(&self) -> usize {
        Class::ALL.iter().map(|class| self.of(*class)).sum()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    pub(crate) fn stats(&self) -> Stats {
        let evicted = |class| self.evicted[class as usize].load(Relaxed);
        Stats {
            anonymous: self.of(Class::Anonymous),
            owned: self.of(Class::Owned),
            tombstones: self.of(Class::Tombstone),
            bytes: self.bytes(),
            expired: self.expired.load(Relaxed),
            evicted_tombstones: evicted(Class::Tombstone),
            evicted_anonymous: evicted(Class::Anonymous),
            evicted_owned: evicted(Class::Owned),
        }
    }
}
