//! The verbs that concern one key, and what reading a key means while a rotation to it may be under way.

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, StoreError, StoreErrorKind, StoreKey, Written},
};

use crate::codec::{self, Entry, Successor, Unreadable};
use crate::engine::{CasEngine, Swapped};
use crate::owner;

/// The six verbs without their deadlines.
#[derive(Debug)]
pub(super) struct Protocol<E> {
    pub(super) engine: E,
}

/// What stands under a key, and the version to swap it by.
pub(super) type Held<E> = (Entry, <E as CasEngine>::Version);

impl<E: CasEngine> Protocol<E> {
    /// Reads a key as it stands.
    pub(super) async fn fetch(&self, key: &StoreKey) -> Result<Option<Held<E>>, StoreError> {
        match self.engine.get(&key.to_string()).await? {
            Some((bytes, version)) => Ok(Some((self.decode(key, &bytes)?, version))),
            None => Ok(None),
        }
    }

    pub(super) fn decode(&self, key: &StoreKey, bytes: &[u8]) -> Result<Entry, StoreError> {
        Entry::decode(key, bytes).map_err(|unreadable| unreadable.in_store(self.engine.name()))
    }

    pub(super) async fn swap(
        &self,
        key: &StoreKey,
        version: &E::Version,
        entry: &Entry,
    ) -> Result<Swapped, StoreError> {
        self.engine.swap(&key.to_string(), version, &entry.encode(key), entry.expiry()).await
    }

    /// Reads a key as it counts: a pending record is promoted if its rotation was committed, and is nothing otherwise.
    /// Never returns [`Entry::Pending`].
    pub(super) async fn settled(&self, key: &StoreKey) -> Result<Option<Held<E>>, StoreError> {
        let mut held = self.fetch(key).await?;
        loop {
            let Some((Entry::Pending { old, record }, version)) = held else { return Ok(held) };
            let target = Successor { key: *key, etag: record.etag };
            if self.leads_to(&old, &target).await? {
                self.swap(key, &version, &Entry::Record(record)).await?;
                held = self.fetch(key).await?;
            } else {
                // Either it was not committed when we looked, or it was, and has been promoted and its tombstone
                // forgotten between our two reads: then the pending record is there no longer.
                held = self.fetch(key).await?;
                if matches!(&held, Some((Entry::Pending { .. }, again)) if *again == version) {
                    return Ok(None);
                }
            }
        }
    }

    /// Whether the tombstone under `old` names this successor, which is what commits a rotation.
    async fn leads_to(&self, old: &StoreKey, target: &Successor) -> Result<bool, StoreError> {
        Ok(match self.fetch(old).await? {
            Some((Entry::Tombstone { successor: Some(successor), .. }, _)) => successor == *target,
            _ => false,
        })
    }

    pub(super) async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        Ok(self.settled(key).await?.map_or(Loaded::Missing, |(entry, _)| entry.into_loaded()))
    }

    pub(super) async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.mark(None, key, record, now).await?;
        let (name, entry) = (key.to_string(), Entry::Record(record.clone()));
        if self.engine.add(&name, &entry.encode(key), entry.expiry()).await?.is_some() {
            return Ok(Written::Applied);
        }
        // Taken by anything at all, readable or not, except by an earlier attempt of this very call.
        let there = self.engine.get(&name).await?;
        let there = there.and_then(|(bytes, _)| Entry::decode(key, &bytes).ok());
        if matches!(there, Some(Entry::Record(there)) if there.etag == record.etag) {
            self.engine.settle(&name).await?;
            return Ok(Written::Applied);
        }
        Ok(Written::Taken)
    }

    pub(super) async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let _turn = self.engine.turn(&key.to_string()).await;
        loop {
            let (there, version) = match standing(self.settled(key).await?, expected, record.etag, now) {
                Standing::Expected(there, version) => (there, version),
                Standing::Answer(answer) => {
                    if answer == Written::Applied {
                        self.engine.settle(&key.to_string()).await?;
                    }
                    return Ok(answer);
                }
                Standing::Successor(successor) => {
                    return Ok(self.follow(successor, Some(now)).await?.unwrap_or(Written::Gone));
                }
            };
            self.mark(Some(&there), key, record, now).await?;
            if self.swap(key, &version, &Entry::Record(record.clone())).await? == Swapped::Done {
                if there.owner != record.owner {
                    self.unmark(there.owner.as_deref(), key).await?;
                }
                return Ok(Written::Applied);
            }
        }
    }

    pub(super) async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let _turn = self.engine.turn(&key.to_string()).await;
        loop {
            let Some((Entry::Record(there), version)) = self.settled(key).await? else {
                return Ok(Written::Gone);
            };
            if !there.is_live(now) {
                return Ok(Written::Gone);
            }
            if there.idle_deadline >= idle_deadline {
                return Ok(Written::Applied);
            }
            // The data is written again, but only over exactly the state that it was read from.
            let mut moved = there.clone();
            moved.idle_deadline = idle_deadline;
            self.mark(Some(&there), key, &moved, now).await?;
            if self.swap(key, &version, &Entry::Record(moved)).await? == Swapped::Done {
                return Ok(Written::Applied);
            }
        }
    }

    pub(super) async fn destroy(&self, key: &StoreKey, until: Timestamp) -> Result<Written, StoreError> {
        let name = key.to_string();
        let tombstone = Entry::Tombstone { until, successor: None };
        let _turn = self.engine.turn(&name).await;
        while let Some((bytes, version)) = self.engine.get(&name).await? {
            let owner = match Entry::decode(key, &bytes) {
                Ok(Entry::Tombstone { successor, .. }) => {
                    self.engine.settle(&name).await?;
                    return match successor {
                        Some(successor) => {
                            Ok(self.follow(successor.key, None).await?.unwrap_or(Written::Applied))
                        }
                        None => Ok(Written::Applied),
                    };
                }
                // A pending record is removed, too.
                Ok(Entry::Record(record) | Entry::Pending { record, .. }) => record.owner,
                Err(Unreadable::Damaged) => None,
                Err(Unreadable::Newer) => return Err(Unreadable::Newer.in_store(self.engine.name())),
            };
            if self.swap(key, &version, &tombstone).await? == Swapped::Done {
                self.unmark(owner.as_deref(), key).await?;
                break;
            }
        }
        Ok(Written::Applied)
    }

    /// Follows the tombstones of rotations to the record that the session is now; `None` if there is none that can be
    /// read, or none that is live at `now`.
    pub(super) async fn follow(
        &self,
        mut key: StoreKey,
        now: Option<Timestamp>,
    ) -> Result<Option<Written>, StoreError> {
        loop {
            match self.settled(&key).await.map(|held| held.map(|(entry, _)| entry)) {
                Ok(Some(Entry::Record(record))) => {
                    let is_there = now.is_none_or(|now| record.is_live(now));
                    return Ok(is_there.then_some(Written::Moved { key, record }));
                }
                Ok(Some(Entry::Tombstone { successor: Some(successor), .. })) => key = successor.key,
                Ok(Some(Entry::Tombstone { successor: None, .. } | Entry::Pending { .. }) | None) => {
                    return Ok(None);
                }
                Err(error) => return ignore_damage(error).map(|()| None),
            }
        }
    }

    /// Writes a record that is about to be stored into its owner's index, unless the index has it from `before`.
    pub(super) async fn mark(
        &self,
        before: Option<&Record>,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (Some(name), expiry) = (&record.owner, owner::expiry(record)) else { return Ok(()) };
        let is_there =
            before.is_some_and(|before| before.owner == record.owner && owner::expiry(before) >= expiry);
        if is_there { Ok(()) } else { self.insert(name, key, expiry, now).await }
    }
}

/// How what is stored stands to what a writer expects.
pub(super) enum Standing<V> {
    /// It is the record that the writer read.
    Expected(Record, V),
    /// It is not, and this is the writer's answer.
    Answer(Written),
    /// The session was rotated to this key.
    Successor(StoreKey),
}

/// The conditions of `replace`. `new` is the etag that a repeated call finds in place already.
pub(super) fn standing<V>(
    held: Option<(Entry, V)>,
    expected: Etag,
    new: Etag,
    now: Timestamp,
) -> Standing<V> {
    match held {
        Some((Entry::Record(there), version)) if there.is_live(now) => {
            if there.etag == expected {
                Standing::Expected(there, version)
            } else if there.etag == new {
                Standing::Answer(Written::Applied)
            } else {
                Standing::Answer(Written::Conflict(there))
            }
        }
        Some((Entry::Tombstone { successor: Some(successor), .. }, _)) => Standing::Successor(successor.key),
        Some((Entry::Record(_) | Entry::Tombstone { .. } | Entry::Pending { .. }, _)) | None => {
            Standing::Answer(Written::Gone)
        }
    }
}

/// What is damaged, or of a newer format, leads nowhere.
pub(super) fn ignore_damage(error: StoreError) -> Result<(), StoreError> {
    match error.kind() {
        StoreErrorKind::Corrupt | StoreErrorKind::Newer => Ok(()),
        _ => Err(error),
    }
}

/// When an entry may be forgotten, without the minute that engines keep it for longer.
pub(super) fn end(entry: &Entry) -> Timestamp {
    entry.expiry().minus(codec::SLACK)
}
