//! The owner index: a sharded map from owners to store keys, updated under the lock of the session's shard.
//!
//! Lock order: shards of sessions by index, then one shard of owners. No two shards of owners are held at the same
//! time.

use std::hash::{BuildHasher, RandomState};

use hashbrown::{HashMap, HashSet};
use session_core::store::StoreKey;

use crate::sync::{Mutex, lock};

/// Users can choose the names of owners, so this map uses a keyed hash. Store keys are random and need none.
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
        // The upper half selects the shard, because the lower bits select the slot inside it.
        &self.shards[(hash >> 32) as usize % self.shards.len()]
    }
}

/// Tables with fewer slots are not shrunk.
const SMALL: usize = 16;
