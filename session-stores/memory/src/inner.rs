//! The synchronous implementation of the six verbs and the owner index, with its locking.
//!
//! Every change of an entry goes through [`Inner::put`] or [`Inner::remove`], which update the owner index and the
//! counters while the entry's shard is locked. Lock order: shards by index, then one shard of owners. Nothing here
//! awaits, sleeps or reads a clock.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, StoreKey, Written},
};

use crate::entry::{Class, Entry};
use crate::owners::Owners;
use crate::shard::{Shard, hash};
use crate::stats::Counters;
use crate::sync::{Mutex, MutexGuard, lock};

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
                    // `destroy_all` for its owner waits for these shards.
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

    /// Returns the live sessions of an owner, in the order of their keys: at most `most` after this key, and whether
    /// there may be more. Each is looked at under its own lock, so a long page stops nobody.
    pub(crate) fn page<T>(
        &self,
        owner: &str,
        after: Option<&StoreKey>,
        most: usize,
        now: Timestamp,
        read: impl Fn(StoreKey, &Entry) -> Option<T>,
    ) -> (Vec<T>, Option<StoreKey>) {
        let mut keys = self.owners.keys(owner);
        keys.retain(|key| after.is_none_or(|after| key > after));
        keys.sort_unstable();
        let mut page = Vec::new();
        for (seen, key) in keys.iter().enumerate() {
            let entry = lock(&self.shards[self.shard_of(key)]).get(key).cloned();
            let entry = entry.filter(|entry| entry.is_live_record(now) && entry.owner() == Some(owner));
            page.extend(entry.and_then(|entry| read(*key, &entry)));
            if page.len() >= most.max(1) {
                return (page, (seen + 1 < keys.len()).then_some(*key));
            }
        }
        (page, None)
    }

    pub(crate) fn count(&self, owner: &str, now: Timestamp) -> usize {
        self.with_sessions_of(owner, |locked, keys| {
            keys.iter().filter(|key| locked.get(key).is_some_and(|entry| entry.is_live_record(now))).count()
        })
    }

    /// Atomically ends all sessions of an owner except one, and returns how many of them were live.
    pub(crate) fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> usize {
        self.with_sessions_of(owner, |locked, keys| {
            let mut ended = 0;
            for key in keys.iter().filter(|key| Some(*key) != except) {
                let shard = locked.shard(key);
                ended += usize::from(shard.get(key).is_some_and(|entry| entry.is_live_record(now)));
                self.put(shard, Entry::tombstone(key, until, None));
            }
            ended
        })
    }

    /// Checks the next few entries of one shard and removes up to `most` that expired before `before`. It proceeds
    /// from the end, because a removal moves the last entry, which has already been checked, into the gap.
    pub(crate) fn sweep_shard(&self, shard: usize, left: &mut Left, before: Timestamp, most: usize) -> usize {
        let mut shard = lock(&self.shards[shard]);
        let mut removed = 0;
        for class in Class::ALL {
            let end = left.0[class as usize].min(shard.len(class));
            let start = end.saturating_sub(SWEEP_STEPS);
            left.0[class as usize] = start;
            for key in shard.dead_in(class, before, start..end).into_iter().take(most - removed) {
                self.remove(&mut shard, &key);
                removed += 1;
            }
        }
        self.counters.expired(removed);
        removed
    }

    pub(crate) fn shard_count(&self) -> usize {
        self.shards.len()
    }

    /// Checks a few entries with every write and removes the expired ones.
    fn tidy(&self, shard: &mut Shard, now: Timestamp) {
        let before = now.minus(GRACE);
        for class in Class::ALL {
            for key in shard.next_dead(class, before, TIDY_STEPS) {
                self.remove(shard, &key);
                self.counters.expired(1);
            }
        }
    }

    /// Evicts entries while the store exceeds its limits: expired entries first, then tombstones, anonymous sessions
    /// and owned sessions, but never the session that was just written. No lock is held between two evictions.
    fn make_room(&self, spare: &StoreKey, now: Timestamp) {
        while self.counters.entries() > self.max_sessions || self.counters.bytes() > self.max_bytes {
            if !self.evict_dead(spare, now) && !Class::ALL.iter().any(|class| self.evict(*class, spare)) {
                return;
            }
        }
    }

    /// Evicts an expired entry from a sample of one shard, if there is one.
    fn evict_dead(&self, spare: &StoreKey, now: Timestamp) -> bool {
        let turn = self.next_victim.fetch_add(1, Relaxed);
        let mut shard = lock(&self.shards[turn % self.shards.len()]);
        for class in Class::ALL {
            if let Some((key, deadline)) = shard.first_to_die(class, SAMPLE, spare)
                && deadline <= now
            {
                self.remove(&mut shard, &key);
                self.counters.expired(1);
                return true;
            }
        }
        false
    }

    /// Evicts one entry of this class: the one with the earliest deadline in a sample.
    fn evict(&self, class: Class, spare: &StoreKey) -> bool {
        if self.counters.of(class) == 0 {
            return false;
        }
        let turn = self.next_victim.fetch_add(1, Relaxed);
        (0..self.shards.len()).any(|step| {
            let mut shard = lock(&self.shards[turn.wrapping_add(step) % self.shards.len()]);
            let Some((key, _)) = shard.first_to_die(class, SAMPLE, spare) else { return false };
            self.remove(&mut shard, &key);
            self.counters.evicted(class);
            true
        })
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

    /// Runs `act` with every shard locked that holds a session of this owner. If sessions move while the locks are
    /// acquired, it starts again with more locks; the number of shards is finite, so this terminates.
    fn with_sessions_of<T>(&self, owner: &str, act: impl FnOnce(&mut Locked<'_>, Vec<StoreKey>) -> T) -> T {
        let mut wanted = BTreeSet::new();
        loop {
            let mut locked = self.lock_shards(&wanted);
            let keys = self.owners.keys(owner);
            let held = wanted.len();
            wanted.extend(keys.iter().map(|key| self.shard_of(key)));
            if wanted.len() == held {
                return act(&mut locked, keys);
            }
        }
    }
}

/// The number of entries of a shard that a sweep has not checked yet, by class.
pub(crate) struct Left([usize; 3]);

impl Left {
    pub(crate) fn all() -> Self {
        Self([usize::MAX; 3])
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0 == [0; 3]
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

/// How long an expired record is kept for requests that started before it expired.
const GRACE: Duration = Duration::from_secs(60);
/// The number of entries of each class checked with every write. More than one, so that expired entries are removed
/// faster than new ones are added.
const TIDY_STEPS: usize = 2;
/// The number of entries of each class that a sweep checks per lock.
const SWEEP_STEPS: usize = 256;
/// The number of entries compared for one eviction.
const SAMPLE: usize = 16;
