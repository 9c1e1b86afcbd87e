//! What the store counts: what is in it now, and what it let go of since it began.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::entry::Class;

/// What is in a [`MemoryStore`](crate::MemoryStore), and what it let go of. Counters of one moment, near enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sessions that belong to nobody, expired ones among them until they are given back.
    pub anonymous: usize,
    /// Sessions that have an owner, likewise.
    pub owned: usize,
    /// Tombstones of sessions destroyed or rotated away.
    pub tombstones: usize,
    /// Bytes all these cost, near enough: buffers and their share of tables and allocator. The owner index is extra.
    pub bytes: usize,
    /// Records and tombstones given back because they were dead, since the store was made.
    pub expired: u64,
    /// Tombstones let go before their time because the store was full.
    pub evicted_tombstones: u64,
    /// Anonymous sessions ended because the store was full.
    pub evicted_anonymous: u64,
    /// Owned sessions ended because the store was full and nothing lesser was in it. Somebody was signed out: a figure
    /// above zero means that the capacity is too small.
    pub evicted_owned: u64,
}

impl Stats {
    /// Sessions of both kinds.
    ///
    /// ```
    /// let store = session_store_memory::MemoryStore::new();
    /// assert_eq!(store.stats().sessions(), 0);
    /// ```
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
