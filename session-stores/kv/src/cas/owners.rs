//! The owner index: members lead to records, and only what the records say counts.

use std::collections::HashSet;

use session_core::{
    Timestamp,
    store::{Cursor, Page, Record, SessionHead, StoreError, StoreKey},
};

use super::protocol::Protocol;
use super::set::EntrySet;
use crate::codec::{self, Entry, Unreadable};
use crate::engine::{CasEngine, Owners, Swapped, some_after};
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

    /// At most `most` members after this one, and where the next page begins.
    async fn some_members(
        &self,
        owner: &str,
        after: Option<&StoreKey>,
        most: usize,
        now: Timestamp,
    ) -> Result<(Vec<StoreKey>, Option<Cursor>), StoreError> {
        // One more than the page, to learn whether there is another.
        let (most, more) = (most.max(1), most.max(1).saturating_add(1));
        let mut members = match self.engine.owners() {
            Owners::Set(set) => set.members_after(&owner::name(owner), after, more, now).await?,
            Owners::Nowhere | Owners::Primitives => some_after(self.members(owner, now).await?, after, more),
        };
        let is_last = members.len() <= most;
        members.truncate(most);
        let next = members.last().filter(|_| !is_last).map(Cursor::after);
        Ok((members, next))
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
        let (mut waiting, next) = self.some_members(owner, after.as_ref(), most, now).await?;
        let mut listed: Vec<(StoreKey, Record)> = Vec::new();
        while let Some(key) = waiting.pop() {
            let record = self.listed(&key, &mut waiting).await?;
            let record = record.filter(|record| is_listed(record, owner, now));
            if let Some(record) = record
                && listed.iter().all(|(there, _)| *there != key)
            {
                listed.push((key, record));
            }
        }
        Ok(Page::new(listed, next))
    }

    /// The same heads of sessions, read without their data where the engine can.
    pub(super) async fn heads(
        &self,
        owner: &str,
        after: Option<StoreKey>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let (mut waiting, next) = self.some_members(owner, after.as_ref(), most, now).await?;
        let (mut heads, mut seen) = (Vec::new(), HashSet::new());
        while let Some(key) = waiting.pop() {
            let start = self.engine.get_start(&key.to_string(), codec::head_len(owner)).await?;
            let Some(start) = start else { continue };
            let head = match codec::decode_head(&key, &start, owner) {
                Some(head) => (head.deadline() > now).then_some(head),
                // A session that is or was rotated, another owner's, or damaged.
                None => {
                    let record = self.listed(&key, &mut waiting).await?;
                    let record = record.filter(|record| is_listed(record, owner, now));
                    record.map(|record| SessionHead::of(key, &record))
                }
            };
            heads.extend(head.filter(|head| seen.insert(head.key)));
        }
        Ok(Page::new(heads, next))
    }

    /// The record that a member leads to. If it was rotated, its successor joins those that wait to be looked at.
    async fn listed(
        &self,
        key: &StoreKey,
        waiting: &mut Vec<StoreKey>,
    ) -> Result<Option<Record>, StoreError> {
        let bytes = self.engine.get(&key.to_string()).await?;
        Ok(match bytes.map(|(bytes, _)| Entry::decode(key, &bytes)) {
            Some(Ok(Entry::Pending { .. })) => match self.settled(key).await? {
                Some((Entry::Record(record), _)) => Some(record),
                Some(_) | None => None,
            },
            Some(Ok(Entry::Record(record))) => Some(record),
            Some(Ok(Entry::Tombstone { successor: Some(successor), .. })) => {
                waiting.push(successor.key);
                None
            }
            Some(Ok(Entry::Tombstone { successor: None, .. }) | Err(_)) | None => None,
        })
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

fn is_listed(record: &Record, owner: &str, now: Timestamp) -> bool {
    record.owner.as_deref() == Some(owner) && record.is_live(now)
}
