//! What a key-value engine provides: four primitives, and two capabilities where it has them.

use std::any::Any;
use std::fmt;

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{StoreError, StoreKey},
};

/// A key-value engine with compare-and-swap. [`CasStore`](crate::CasStore) makes a session store of it.
///
/// Each primitive is atomic and concerns one key. An acknowledged write is visible to every later `get` of every
/// client, so an engine with replicas must read from the leader. A primitive that fails with an error may have been
/// applied.
///
/// Keys are ASCII: 64 hexadecimal digits, with a letter and a dash before them for an entry that is no session.
/// An engine that is shared with other programs puts a prefix of its own before them.
///
/// An `expiry` is the moment from which the engine may forget the entry. It must not forget it earlier. An engine that
/// does not forget by itself ignores it, or keeps it and implements [`due`](Self::due).
///
/// No primitive needs a deadline of its own: the store bounds every call by its timeout and then drops the future.
/// Work on other threads uses [`Blocking`](crate::Blocking), which knows the deadline of the verb.
#[async_trait]
pub trait CasEngine: fmt::Debug + Send + Sync + 'static {
    /// Identifies one state of one key. It changes with every write, and a key that is removed and added again has a
    /// new one. A counter, a revision and a compare-and-swap token fit, and so do the bytes themselves.
    type Version: Clone + PartialEq + fmt::Debug + Send + Sync + 'static;

    /// The store's name in errors and events: one short lower-case word.
    fn name(&self) -> &'static str;

    /// Reads the bytes under a key, and their version.
    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Self::Version)>, StoreError>;

    /// Reads up to `most` of the first bytes under a key, for lists that need no more. Reads all of them unless
    /// implemented.
    async fn get_start(&self, key: &str, most: usize) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.get(key).await?.map(|(mut bytes, _)| {
            bytes.truncate(most);
            bytes
        }))
    }

    /// Stores the bytes if nothing is under the key, and returns their version; `None` if something is.
    async fn add(
        &self,
        key: &str,
        bytes: &[u8],
        expiry: Timestamp,
    ) -> Result<Option<Self::Version>, StoreError>;

    /// Stores the bytes over the state with this version.
    async fn swap(
        &self,
        key: &str,
        version: &Self::Version,
        bytes: &[u8],
        expiry: Timestamp,
    ) -> Result<Swapped, StoreError>;

    /// Removes the state with this version.
    async fn remove(&self, key: &str, version: &Self::Version) -> Result<Swapped, StoreError>;

    /// Makes sure that what the last `get` of this key returned is durable. For an engine whose reads may return a write
    /// that has not been acknowledged and could still be undone by a power cut; nothing to do for any other. Called when
    /// a verb answers that something has happened because it found it so.
    async fn settle(&self, key: &str) -> Result<(), StoreError> {
        let _ = key;
        Ok(())
    }

    /// Waits for a turn to change this key, and holds it until the verb is done. For an engine whose swaps are expensive
    /// to lose: the callers of one process then queue instead of racing ([`Turns`](crate::Turns)). No wait unless implemented; no guarantee rests
    /// on it. Nobody holds two turns.
    async fn turn(&self, key: &str) -> Turn {
        let _ = key;
        None
    }

    /// Where the index of sessions by owner is kept; nowhere unless implemented.
    fn owners(&self) -> Owners<'_> {
        Owners::Nowhere
    }

    /// How to find what may be forgotten, for an engine that does not expire entries by itself.
    fn due(&self) -> Option<&dyn Due> {
        None
    }
}

/// What a verb holds while it has its turn: dropping it ends the turn.
pub type Turn = Option<Box<dyn Any + Send>>;

/// The result of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swapped {
    /// The write took place.
    Done,
    /// Something else, or nothing, is under the key. Nothing was changed.
    Changed,
}

/// Where a store keeps its index of sessions by owner.
pub enum Owners<'e> {
    /// It has none: a user's sessions cannot be listed or ended at once. The choice for an engine that evicts entries,
    /// because a "sign out everywhere" that misses a session is worse than none.
    Nowhere,
    /// In sets that the engine has itself.
    Set(&'e dyn OwnerSet),
    /// In one entry per owner, written with the four primitives. Suits users with tens of sessions: each change
    /// rewrites the whole entry.
    Primitives,
}

impl fmt::Debug for Owners<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nowhere => "Nowhere",
            Self::Set(_) => "Set",
            Self::Primitives => "Primitives",
        })
    }
}

/// Sets of store keys: a capability of an engine.
///
/// `owner` is 64 hexadecimal digits, a hash of the owner's name. A member outlives its session by up to two days; the
/// store looks at the session itself before it lists or ends it.
#[async_trait]
pub trait OwnerSet: Send + Sync {
    /// Inserts a member that may be forgotten at `expiry`, or moves the expiry of one that is there later. Members whose
    /// expiry lies before `now` may be dropped on the way.
    async fn insert(
        &self,
        owner: &str,
        member: &StoreKey,
        expiry: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Removes a member if it is there.
    async fn remove(&self, owner: &str, member: &StoreKey) -> Result<(), StoreError>;

    /// Lists the members as they were at one moment: a member that is there from before the call until after it is not
    /// missed, and when one was inserted before another was removed, at least one of the two is listed. Members whose
    /// expiry lies before `now` may be left out.
    async fn members(&self, owner: &str, now: Timestamp) -> Result<Vec<StoreKey>, StoreError>;

    /// Lists up to `most` members after this one, in the order of their keys. Lists all of them and drops the others
    /// unless implemented.
    async fn members_after(
        &self,
        owner: &str,
        after: Option<&StoreKey>,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<StoreKey>, StoreError> {
        Ok(some_after(self.members(owner, now).await?, after, most))
    }
}

/// The first `most` of these keys after this one, in order.
pub(crate) fn some_after(mut keys: Vec<StoreKey>, after: Option<&StoreKey>, most: usize) -> Vec<StoreKey> {
    keys.retain(|key| after.is_none_or(|after| key > after));
    keys.sort_unstable();
    keys.truncate(most);
    keys
}

/// Entries that may be forgotten: a capability of an engine that does not expire them by itself.
#[async_trait]
pub trait Due: Send + Sync {
    /// Lists up to `most` keys whose expiry is not after `before`. Keys that are not due do no harm: the store looks at
    /// each again before it removes it.
    async fn due(&self, before: Timestamp, most: usize) -> Result<Vec<String>, StoreError>;
}
