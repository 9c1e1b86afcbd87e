//! Removing entries: expired ones with every write and by the sweep, living ones while the store exceeds its limits.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use session_core::{Timestamp, store::StoreKey};

use super::Inner;
use crate::entry::Class;
use crate::shard::Shard;
use crate::sync::lock;

impl Inner {
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

    /// Checks a few entries with every write and removes the expired ones.
    pub(super) fn tidy(&self, shard: &mut Shard, now: Timestamp) {
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
    pub(super) fn make_room(&self, spare: &StoreKey, now: Timestamp) {
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

/// How long an expired record is kept for requests that started before it expired.
const GRACE: Duration = Duration::from_secs(60);
/// The number of entries of each class checked with every write. More than one, so that expired entries are removed
/// faster than new ones are added.
const TIDY_STEPS: usize = 2;
/// The number of entries of each class that a sweep checks per lock.
const SWEEP_STEPS: usize = 256;
/// The number of entries compared for one eviction.
const SAMPLE: usize = 16;
