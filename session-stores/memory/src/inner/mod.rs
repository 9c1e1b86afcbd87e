//! The synchronous implementation of the six verbs, with its locking.
//!
//! Every change of an entry goes through [`Inner::put`] or [`Inner::remove`], which update the owner index and the
//! counters while the entry's shard is locked. Lock order: shards by index, then one shard of owners. Nothing here
//! awaits, sleeps or reads a clock.

mod owned;
mod room;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, StoreKey, Written},
};

use crate::entry::{Class, Entry};
use crate::owners::Owners;
use crate::shard::{Shard, hash};
use crate::stats::Counters;
use crate::sync::{Mutex, MutexGuard, lock};

pub(crate) use room::Left;

pub(crate) struct Inner {
    pub(crate) shards: Box<[Mutex<Shard>]>,
    owners: Owners,
    pub(crate) counters: Counters,
    max_sessions: usize,
    max_bytes: usize,
    next_victim: AtomicUsize,
}

impl Inner {
    pub(crate) fn new(shards: usize, max_sessions: usize, max_bytes: usize) -> Self {
        Self {
            shards: (0..shards).map(|_| Mutex::new(Shard::default())).collect(),
            owners: Owners::new(shards.min(32)),
            counters: Counters::default(),
            max_sessions,
            max_bytes,
            next_victim: AtomicUsize::new(0),
        }
    }

    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    pub(crate) fn load(&self, key: &StoreKey) -> Loaded {
        // Under the lock, only a reference count changes; the header is decoded afterwards.
        let entry = lock(&self.shards[self.shard_of(key)]).get(key).cloned();
        entry.map_or(Loaded::Missing, |entry| entry.to_loaded())
    }

    pub(crate) fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Written {
        let entry = Entry::record(key, record);
        let mut shard = lock(&self.shards[self.shard_of(key)]);
        if let Some(there) = shard.get(key) {
            return if there.etag() == Some(record.etag) { Written::Applied } else { Written::Taken };
        }
        self.put(&mut shard, entry);
        self.tidy(&mut shard, now);
        drop(shard);
        self.make_room(key, now);
        Written::Applied
    }

    pub(crate) fn replace(&self, key: &StoreKey, expected: Etag, record: &Record, now: Timestamp) -> Written {
        let entry = Entry::record(key, record);
        let mut shard = lock(&self.shards[self.shard_of(key)]);
        let Some(there) = shard.get(key).filter(|there| there.is_live_record(now)) else {
            let successor = shard.get(key).and_then(Entry::successor);
            drop(shard);
            return self.follow(successor, Some(now)).unwrap_or(Written::Gone);
        };
        if there.etag() == Some(record.etag) {
            return Written::Applied;
        }
        if there.etag() != Some(expected) {
            let there = there.clone();
            drop(shard);
            return there.to_record().map_or(Written::Gone, Written::Conflict);
        }
        self.put(&mut shard, entry);
        self.tidy(&mut shard, now);
        drop(shard);
        self.make_room(key, now);
        Written::Applied
    }

    pub(crate) fn touch(&self, key: &StoreKey, idle_deadline: Timestamp, now: Timestamp) -> Written {
        let mut shard = lock(&self.shards[self.shard_of(key)]);
        match shard.get_mut(key) {
            Some(there) if there.is_live_record(now) => {
                if there.idle() < idle_deadline {
                    let before = there.cost();
                    there.set_idle(idle_deadline);
                    self.counters.resized(before, there.cost());
                }
                self.tidy(&mut shard, now);
                Written::Applied
            }
            Some(_) | None => Written::Gone,
        }
    }

    pub(crate) fn destroy(&self, key: &StoreKey, until: Timestamp) -> Written {
        let mut shard = lock(&self.shards[self.shard_of(key)]);
        let successor = shard.get(key).and_then(Entry::successor);
        if shard.get(key).is_some_and(|there| there.class() != Class::Tombstone) {
            self.put(&mut shard, Entry::tombstone(key, until, None));
        }
        drop(shard);
        self.follow(successor, None).unwrap_or(Written::Applied)
    }

    /// Follows the tombstones of rotations, one lock at a time, to the record that the session is now; `None` if there
    /// is none, or none that is live at `now`. It ends: a key that a rotation moves a session to was free before, so
    /// tombstones never form a circle.
    fn follow(&self, mut successor: Option<StoreKey>, now: Option<Timestamp>) -> Option<Written> {
        loop {
            let key = successor?;
            let entry = lock(&self.shards[self.shard_of(&key)]).get(&key).cloned()?;
            if let Some(record) = entry.to_record() {
                let is_there = now.is_none_or(|now| record.is_live(now));
                return is_there.then_some(Written::Moved { key, record });
            }
            successor = entry.successor();
        }
    }

    pub(crate) fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        until: Timestamp,
    ) -> Written {
        let entry = Entry::record(new, record);
        let mut locked = self.lock_all([old, new]);
        let successor = locked.get(old).and_then(Entry::successor);
        let written = {
            let at_new = locked.get(new).map(Entry::etag);
            match locked.get(old) {
                None => Written::Gone,
                Some(there) if there.class() == Class::Tombstone => match at_new {
                    Some(etag) if old != new && etag == Some(record.etag) => Written::Applied,
                    _ => Written::Gone,
                },
                Some(there) if !there.is_live_record(now) => Written::Gone,
                Some(there) if there.etag() != Some(expected) => {
                    there.to_record().map_or(Written::Gone, Written::Conflict)
                }
                Some(_) if at_new.is_some() => Written::Taken,
                Some(_) => {
                    // The new entry is inserted first, so that the owner index contains this session at every moment;
                    // `end_rest` for its owner waits for these shards.
                    self.put(locked.shard(new), entry);
                    self.put(locked.shard(old), Entry::tombstone(old, until, Some(new)));
                    self.tidy(locked.shard(new), now);
                    Written::Applied
                }
            }
        };
        drop(locked);
        match written {
            Written::Applied => self.make_room(new, now),
            Written::Gone => return self.follow(successor, Some(now)).unwrap_or(Written::Gone),
            Written::Conflict(_) | Written::Moved { .. } | Written::Taken => {}
        }
        written
    }

    pub(crate) fn shard_count(&self) -> usize {
        self.shards.len()
    }

    fn put(&self, shard: &mut Shard, entry: Entry) {
        let (key, class, cost) = (entry.key(), entry.class(), entry.cost());
        let owner = entry.owner().map(Box::<str>::from);
        let earlier = shard.put(entry);
        let earlier_owner = earlier.as_ref().and_then(Entry::owner);
        if earlier_owner != owner.as_deref() {
            if let Some(owner) = &owner {
                self.owners.add(owner, key);
            }
            if let Some(owner) = earlier_owner {
                self.owners.remove(owner, &key);
            }
        }
        self.counters.put(class, cost);
        if let Some(earlier) = &earlier {
            self.counters.removed(earlier.class(), earlier.cost());
        }
    }

    fn remove(&self, shard: &mut Shard, key: &StoreKey) {
        let Some(gone) = shard.remove(key) else { return };
        if let Some(owner) = gone.owner() {
            self.owners.remove(owner, key);
        }
        self.counters.removed(gone.class(), gone.cost());
    }

    fn shard_of(&self, key: &StoreKey) -> usize {
        // The table inside a shard uses the lowest and the highest bits of this hash; the shard is selected by the
        // middle ones.
        (hash(key.as_bytes()) >> 24) as usize % self.shards.len()
    }

    fn lock_all<'a>(&self, keys: impl IntoIterator<Item = &'a StoreKey>) -> Locked<'_> {
        self.lock_shards(&keys.into_iter().map(|key| self.shard_of(key)).collect())
    }

    fn lock_shards(&self, wanted: &BTreeSet<usize>) -> Locked<'_> {
        let guards = wanted.iter().map(|&index| (index, lock(&self.shards[index]))).collect();
        Locked { inner: self, guards }
    }
}

/// The guards of several shards, locked in the order of their indexes.
struct Locked<'a> {
    inner: &'a Inner,
    guards: Vec<(usize, MutexGuard<'a, Shard>)>,
}

impl Locked<'_> {
    fn get(&self, key: &StoreKey) -> Option<&Entry> {
        let wanted = self.inner.shard_of(key);
        self.guards.iter().find(|(index, _)| *index == wanted).and_then(|(_, shard)| shard.get(key))
    }

    fn shard(&mut self, key: &StoreKey) -> &mut Shard {
        let wanted = self.inner.shard_of(key);
        let found = self.guards.iter_mut().find(|(index, _)| *index == wanted);
        &mut found.expect("the shards of all keys in question are locked").1
    }
}
