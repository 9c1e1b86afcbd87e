//! The three tables of a store in one transaction: records by key, keys by owner, keys by the moment they are due.
//!
//! The two indexes are changed in the transaction that changes the record. Index rows of a damaged record are left
//! behind; they are harmless, since every reader of an index checks the record, too.

use session_core::{
    Timestamp,
    store::{SessionHead, StoreError, StoreKey, Written},
};

use super::{TxRead, TxWrite};
use crate::codec::{self, Entry, Unreadable};
use crate::owner;

/// Reads what stands under a key.
pub(super) fn get(tx: &(impl TxRead + ?Sized), key: &StoreKey) -> Result<Option<Found>, StoreError> {
    Ok(tx.get(&row(key))?.map(|bytes| Entry::decode(key, &bytes)))
}

/// Reads the head of this owner's record under a key, without its data.
pub(super) fn head(
    tx: &(impl TxRead + ?Sized),
    key: &StoreKey,
    owner: &str,
) -> Result<Option<SessionHead>, StoreError> {
    let start = tx.get_start(&row(key), codec::head_len(owner))?;
    Ok(start.and_then(|start| codec::decode_head(key, &start, owner)))
}

/// An entry, or why it is none.
pub(super) type Found = Result<Entry, Unreadable>;

/// Follows the tombstones of rotations from this key to the record that the session is now; `None` if there is none
/// that can be read, or none that is live at `now`.
pub(super) fn follow(
    tx: &(impl TxRead + ?Sized),
    key: &StoreKey,
    now: Option<Timestamp>,
) -> Result<Option<Written>, StoreError> {
    let mut key = *key;
    let mut found = get(tx, &key)?;
    while let Some(Ok(Entry::Tombstone { successor: Some(successor), .. })) = found {
        key = successor.key;
        found = get(tx, &key)?;
        if let Some(Ok(Entry::Record(record))) = found {
            let is_there = now.is_none_or(|now| record.is_live(now));
            return Ok(is_there.then_some(Written::Moved { key, record }));
        }
    }
    Ok(None)
}

/// Puts an entry in the place of another, with its rows in the indexes.
pub(super) fn put(
    tx: &mut dyn TxWrite,
    key: &StoreKey,
    before: Option<&Entry>,
    entry: &Entry,
) -> Result<(), StoreError> {
    let (old, new) = (before.map(|entry| Rows::of(key, entry)), Rows::of(key, entry));
    if let Some(old) = old {
        old.remove(tx, Some(&new))?;
    }
    tx.put(&row(key), &entry.encode(key))?;
    tx.put(&new.due, &[])?;
    new.owner.map_or(Ok(()), |owner| tx.put(&owner, &[]))
}

/// Removes an entry and its rows in the indexes.
pub(super) fn remove(tx: &mut dyn TxWrite, key: &StoreKey, entry: &Entry) -> Result<(), StoreError> {
    Rows::of(key, entry).remove(tx, None)?;
    tx.remove(&row(key))
}

/// The keys in the index of an owner after this one, in order: at most so many.
pub(super) fn by_owner(
    tx: &(impl TxRead + ?Sized),
    owner: &str,
    after: Option<&StoreKey>,
    most: usize,
) -> Result<Vec<StoreKey>, StoreError> {
    let prefix = [&[OWNER][..], &owner::hash(owner)].concat();
    // The row behind another one in order is that row and a zero.
    let from = after.map_or_else(|| prefix.clone(), |key| [&owner_row(owner, key)[..], &[0]].concat());
    let until = [&prefix[..], &[0xff; 33]].concat();
    Ok(tx.scan(&from, &until, most)?.iter().filter_map(|row| key_of(row)).collect())
}

/// The keys of records and tombstones after this one, in order: at most so many.
pub(super) fn sessions(
    tx: &(impl TxRead + ?Sized),
    after: Option<&StoreKey>,
    most: usize,
) -> Result<Vec<StoreKey>, StoreError> {
    let from = after.map_or_else(|| vec![SESSION], |key| [&row(key)[..], &[0]].concat());
    Ok(tx.scan(&from, &[SESSION + 1], most)?.iter().filter_map(|row| key_of(row)).collect())
}

/// Removes a key from the index of an owner.
pub(super) fn forget(tx: &mut dyn TxWrite, owner: &str, key: &StoreKey) -> Result<(), StoreError> {
    tx.remove(&owner_row(owner, key))
}

/// The rows of what is due, earliest first: each row's own bytes, and the key it leads to.
pub(super) fn due(
    tx: &(impl TxRead + ?Sized),
    before: Timestamp,
    most: usize,
) -> Result<Vec<(Vec<u8>, StoreKey)>, StoreError> {
    // Including what is due at this very moment.
    let until = [&[DUE][..], &codec::encode_moment(before), &[0xff; 33]].concat();
    let rows = tx.scan(&[DUE], &until, most)?;
    Ok(rows.into_iter().filter_map(|row| key_of(&row).map(|key| (row, key))).collect())
}

/// When an entry may be swept.
pub(super) fn end(entry: &Entry) -> Timestamp {
    match entry {
        Entry::Record(record) | Entry::Pending { record, .. } => record.deadline(),
        Entry::Tombstone { until, .. } => *until,
    }
}

/// An entry's rows in the two indexes.
struct Rows {
    due: Vec<u8>,
    owner: Option<Vec<u8>>,
}

impl Rows {
    fn of(key: &StoreKey, entry: &Entry) -> Self {
        let due = [&[DUE][..], &codec::encode_moment(end(entry)), key.as_bytes()].concat();
        let owner = match entry {
            Entry::Record(record) | Entry::Pending { record, .. } => record.owner.as_deref(),
            Entry::Tombstone { .. } => None,
        };
        Self { due, owner: owner.map(|owner| owner_row(owner, key)) }
    }

    /// Removes the rows that are not kept.
    fn remove(&self, tx: &mut dyn TxWrite, kept: Option<&Self>) -> Result<(), StoreError> {
        if kept.is_none_or(|kept| kept.due != self.due) {
            tx.remove(&self.due)?;
        }
        match &self.owner {
            Some(owner) if kept.is_none_or(|kept| kept.owner != self.owner) => tx.remove(owner),
            _ => Ok(()),
        }
    }
}

fn row(key: &StoreKey) -> Vec<u8> {
    [&[SESSION][..], key.as_bytes()].concat()
}

fn owner_row(owner: &str, key: &StoreKey) -> Vec<u8> {
    [&[OWNER][..], &owner::hash(owner), key.as_bytes()].concat()
}

fn key_of(row: &[u8]) -> Option<StoreKey> {
    row.last_chunk().copied().map(StoreKey::from_bytes)
}

const SESSION: u8 = b's';
const OWNER: u8 = b'o';
const DUE: u8 = b'd';
