//! Which sessions belong to whom: a sharded map from owner to keys, written under the lock of the session's own shard.
//!
//! Lock order: shards of sessions by index, then one shard of owners. Nobody holds two shards of owners.

use std::hash::{BuildHasher, RandomState};

use hashbrown::{HashMap, HashSet};
use session_core::store::StoreKey;

use crate::sync::{Mutex, lock};

/// Owners are chosen by people, so this map hashes with a secret; keys of sessions are not, and need none.
pub(crate) struct Owners {
    shards: Box<[Mutex<Keys>]>,
    hasher: RandomState,
}

type Keys = HashMap<String, HashSet<StoreKey, RandomState>, RandomState>;

impl Owners {
    pub(crate) fn new(shards: usize) -> Self {
        let hasher = RandomState::new();
        let shards = (0..shards).map(|_| Mutex::new(Keys::with_hasher(hasher.clone()))).collect();
        Self { shards, hasher }
    }

    pub(crate) fn add(&self, owner: &str, key: StoreKey) {
        let mut shard = lock(self.shard(owner));
        let hasher = &self.hasher;
        shard.entry_ref(owner).or_insert_with(|| HashSet::with_hasher(hasher.clone())).insert(key);
    }

    pub(crate) fn remove(&self, owner: &str, key: &StoreKey) {
        let mut shard = lock(self.shard(owner));
        let Some(keys) = shard.get_mut(owner) else { return };
        keys.remove(key);
        if keys.is_empty() {
            shard.remove(owner);
            if shard.len() * 4 < shard.capacity() && shard.capacity() > SMALL {
                let room = shard.len() * 2;
                shard.shrink_to(room);
            }
        } else if keys.len() * 4 < keys.capacity() && keys.capacity() > SMALL {
            keys.shrink_to(keys.len() * 2);
        }
    }

    pub(crate) fn keys(&self, owner: &str) -> Vec<StoreKey> {
        lock(self.shard(owner)).get(owner).map_or_else(Vec::new, |keys| keys.iter().copied().collect())
    }

    fn shard(&self, owner: &str) -> &Mutex<Keys> {
        let hash = self.hasher.hash_one(owner);
        // The upper half picks the shard: the lower bits pick the place inside it.
        &self.shards[(hash >> 32) as usize % self.shards.len()]
    }
}

/// Below this many places nothing is worth shrinking.
const SMALL: usize = 16;
