//! The owner index: members lead to records, and only what the records say counts.

use std::collections::HashSet;

use session_core::{
    Timestamp,
    store::{Cursor, Page, Record, StoreError, StoreKey},
};

use super::protocol::Protocol;
use super::set::EntrySet;
use crate::codec::{Entry, Unreadable};
use crate::engine::{CasEngine, Owners, Swapped};
use crate::owner;

impl<E: CasEngine> Protocol<E> {
    pub(super) async fn insert(
        &self,
        owner: &str,
        key: &StoreKey,
        expiry: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match self.engine.owners() {
            Owners::Nowhere => Ok(()),
            Owners::Set(set) => set.insert(&owner::name(owner), key, expiry, now).await,
            Owners::Primitives => EntrySet(&self.engine).insert(&owner::name(owner), key, expiry, now).await,
        }
    }

    /// Removes a session from its owner's index once its record is gone.
    pub(super) async fn unmark(&self, owner: Option<&str>, key: &StoreKey) -> Result<(), StoreError> {
        let Some(owner) = owner else { return Ok(()) };
        match self.engine.owners() {
            Owners::Nowhere => Ok(()),
            Owners::Set(set) => set.remove(&owner::name(owner), key).await,
            Owners::Primitives => EntrySet(&self.engine).remove(&owner::name(owner), key).await,
        }
    }

    async fn members(&self, owner: &str, now: Timestamp) -> Result<Vec<StoreKey>, StoreError> {
        match self.engine.owners() {
            Owners::Nowhere => Ok(Vec::new()),
            Owners::Set(set) => set.members(&owner::name(owner), now).await,
            Owners::Primitives => EntrySet(&self.engine).members(&owner::name(owner), now).await,
        }
    }

    /// Returns the live sessions of an owner, in the order of their keys: at most `most` members after this one, and the
    /// last of them. A session that is rotated meanwhile is followed to its new key. A record that cannot be decoded is
    /// left out.
    pub(super) async fn page(
        &self,
        owner: &str,
        after: Option<StoreKey>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        let mut waiting = self.members(owner, now).await?;
        waiting.retain(|key| after.is_none_or(|after| *key > after));
        waiting.sort_unstable();
        let is_last = waiting.len() <= most.max(1);
        waiting.truncate(most.max(1));
        let next = waiting.last().filter(|_| !is_last).map(Cursor::after);
        let mut listed: Vec<(StoreKey, Record)> = Vec::new();
        while let Some(key) = waiting.pop() {
            let bytes = self.engine.get(&key.to_string()).await?;
            match bytes.map(|(bytes, _)| Entry::decode(&key, &bytes)) {
                Some(Ok(Entry::Pending { .. })) => {
                    if let Some((Entry::Record(record), _)) = self.settled(&key).await? {
                        add_if_live(&mut listed, key, record, owner, now);
                    }
                }
                Some(Ok(Entry::Record(record))) => add_if_live(&mut listed, key, record, owner, now),
                Some(Ok(Entry::Tombstone { successor: Some(successor), .. })) => waiting.push(successor.key),
                Some(Ok(Entry::Tombstone { successor: None, .. }) | Err(_)) | None => {}
            }
        }
        Ok(Page::new(listed, next))
    }

    /// Ends all sessions of an owner. Ends as many as it can before it reports an error.
    pub(super) async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut waiting = self.members(owner, now).await?;
        let (mut ended, mut halted, mut failure) = (0, HashSet::new(), None);
        while let Some(key) = waiting.pop() {
            if Some(&key) == except {
                continue;
            }
            match self.end(owner, &key, except, now, until).await {
                Ok(Ended::Live) => ended += 1,
                Ok(Ended::Moved(to)) => {
                    // Its rotation was committed after its record had been ended in advance.
                    ended += usize::from(halted.remove(&to));
                    waiting.push(to);
                }
                Ok(Ended::Pending) => drop(halted.insert(key)),
                Ok(Ended::Nothing) => {}
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(ended), Err)
    }

    async fn end(
        &self,
        owner: &str,
        key: &StoreKey,
        except: Option<&StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Ended, StoreError> {
        let tombstone = Entry::Tombstone { until, successor: None };
        let _turn = self.engine.turn(&key.to_string()).await;
        loop {
            self.settled(key).await.map(drop).or_else(|error| match error.kind() {
                session_core::store::StoreErrorKind::Corrupt => Ok(()),
                _ => Err(error),
            })?;
            let Some((bytes, version)) = self.engine.get(&key.to_string()).await? else {
                return Ok(Ended::Nothing);
            };
            let (record, outcome) = match Entry::decode(key, &bytes) {
                Ok(Entry::Record(record)) => {
                    let outcome = if record.is_live(now) { Ended::Live } else { Ended::Nothing };
                    (record, outcome)
                }
                // The session that is to be spared is moving here.
                Ok(Entry::Pending { old, .. }) if Some(&old) == except => return Ok(Ended::Nothing),
                // Ended in advance, so that its rotation leads to nothing if it is committed now.
                Ok(Entry::Pending { record, .. }) => (record, Ended::Pending),
                Ok(Entry::Tombstone { successor: Some(successor), .. }) => {
                    return Ok(Ended::Moved(successor.key));
                }
                Ok(Entry::Tombstone { successor: None, .. }) | Err(Unreadable::Damaged) => {
                    return Ok(Ended::Nothing);
                }
                // It could not be ended, and goes on.
                Err(Unreadable::Newer) => return Err(Unreadable::Newer.in_store(self.engine.name())),
            };
            if record.owner.as_deref() != Some(owner) {
                return Ok(Ended::Nothing);
            }
            if self.swap(key, &version, &tombstone).await? == Swapped::Done {
                self.unmark(Some(owner), key).await?;
                return Ok(outcome);
            }
        }
    }
}

/// What became of one member of an index.
enum Ended {
    /// It was alive.
    Live,
    /// Its rotation was not committed.
    Pending,
    /// There was nothing of this owner's to end.
    Nothing,
    /// It goes on under this key.
    Moved(StoreKey),
}

fn add_if_live(
    listed: &mut Vec<(StoreKey, Record)>,
    key: StoreKey,
    record: Record,
    owner: &str,
    now: Timestamp,
) {
    let is_new = listed.iter().all(|(there, _)| *there != key);
    if is_new && record.owner.as_deref() == Some(owner) && record.is_live(now) {
        listed.push((key, record));
    }
}
