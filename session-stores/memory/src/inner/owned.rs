//! The owner index of the store: pages, counting, and ending all sessions of an owner.
//!
//! An owner may have any number of sessions, so all of it goes in steps of a few sessions under one lock each. Only what
//! appears while sessions are ended is ended under all its locks at once.

use std::collections::BTreeSet;

use session_core::{
    Timestamp,
    store::{StoreKey, Written},
};

use super::{Inner, Locked};
use crate::entry::{Class, Entry};
use crate::sync::lock;

/// The sessions that an owner had when a call began, grouped by shard.
pub(crate) struct Owned {
    keys: Vec<(usize, StoreKey)>,
    done: usize,
    /// How many were done when the call last yielded.
    yielded: usize,
    /// Where sessions of the list have been rotated to since.
    moved: BTreeSet<StoreKey>,
}

impl Owned {
    pub(crate) fn is_done(&self) -> bool {
        self.done == self.keys.len()
    }

    /// Whether a call yields to other tasks before it goes on: after each [`STEP`] sessions, in however many shards.
    pub(crate) fn yields(&mut self) -> bool {
        let due = !self.is_done() && self.done - self.yielded >= STEP;
        if due {
            self.yielded = self.done;
        }
        due
    }

    /// Takes the next few sessions, all of one shard.
    fn next(&mut self) -> Option<(usize, &[(usize, StoreKey)])> {
        let rest = &self.keys[self.done..];
        let shard = rest.first()?.0;
        let batch = rest.iter().take(STEP).take_while(|(other, _)| *other == shard).count();
        self.done += batch;
        Some((shard, &self.keys[self.done - batch..self.done]))
    }
}

impl Inner {
    /// Returns the live sessions of an owner, in the order of their keys: at most `most` after this key, and whether
    /// there may be more. Each is read under its own lock, so a long page blocks nobody.
    pub(crate) fn page<T>(
        &self,
        owner: &str,
        after: Option<&StoreKey>,
        most: usize,
        now: Timestamp,
        read: impl Fn(StoreKey, &Entry) -> Option<T>,
    ) -> (Vec<T>, Option<StoreKey>) {
        let most = most.max(1);
        let mut keys = self.owners.keys(owner);
        keys.retain(|key| after.is_none_or(|after| key > after));
        let mut page = Vec::new();
        let mut rest = &mut keys[..];
        while !rest.is_empty() {
            // Only what the page may need is sorted.
            let (next, later) = smallest(rest, most - page.len());
            for key in &*next {
                let entry = lock(&self.shards[self.shard_of(key)]).get(key).cloned();
                let entry = entry.filter(|entry| entry.is_live_record(now) && entry.owner() == Some(owner));
                page.extend(entry.and_then(|entry| read(*key, &entry)));
            }
            if page.len() == most {
                let last = next.last().copied();
                return (page, last.filter(|_| !later.is_empty()));
            }
            rest = later;
        }
        (page, None)
    }

    pub(crate) fn owned_by(&self, owner: &str) -> Owned {
        let keys = self.owners.keys(owner);
        let mut keys: Vec<_> = keys.into_iter().map(|key| (self.shard_of(&key), key)).collect();
        keys.sort_unstable();
        Owned { keys, done: 0, yielded: 0, moved: BTreeSet::new() }
    }

    /// Returns how many of the next few sessions are live. One that was rotated meanwhile counts once.
    pub(crate) fn count_next(&self, owned: &mut Owned, owner: &str, now: Timestamp) -> usize {
        let Some((index, batch)) = owned.next() else { return 0 };
        let (mut live, mut successors) = (0, Vec::new());
        let shard = lock(&self.shards[index]);
        for entry in batch.iter().filter_map(|(_, key)| shard.get(key)) {
            live += usize::from(entry.is_live_record(now) && entry.owner() == Some(owner));
            successors.extend(entry.successor());
        }
        drop(shard);
        for successor in successors {
            if let Some(Written::Moved { key, record }) = self.follow(Some(successor), Some(now))
                && record.owner.as_deref() == Some(owner)
                && owned.keys.binary_search(&(self.shard_of(&key), key)).is_err()
                && owned.moved.insert(key)
            {
                live += 1;
            }
        }
        live
    }

    /// Ends the next few sessions and returns how many of them were live.
    pub(crate) fn end_next(
        &self,
        owned: &mut Owned,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> usize {
        let Some((index, batch)) = owned.next() else { return 0 };
        let mut shard = lock(&self.shards[index]);
        let mut ended = 0;
        for (_, key) in batch.iter().filter(|(_, key)| Some(key) != except) {
            let Some(there) = shard.get(key).filter(|there| there.class() == Class::Owned) else { continue };
            if there.owner() == Some(owner) {
                ended += usize::from(there.is_live_record(now));
                self.put(&mut shard, Entry::tombstone(key, until, None));
            }
        }
        ended
    }

    /// Atomically ends all sessions that an owner has except one, and returns how many of them were live. After
    /// [`end_next`](Self::end_next), those are the sessions that were created or rotated meanwhile.
    pub(crate) fn end_rest(
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

/// Splits keys into the `most` smallest ones, in order, and the others.
fn smallest(keys: &mut [StoreKey], most: usize) -> (&mut [StoreKey], &mut [StoreKey]) {
    let most = most.min(keys.len());
    if most < keys.len() {
        keys.select_nth_unstable(most);
    }
    let (next, later) = keys.split_at_mut(most);
    next.sort_unstable();
    (next, later)
}

/// The number of sessions that a step reads or ends under one lock.
const STEP: usize = 64;
