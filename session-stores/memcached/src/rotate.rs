//! A session changes its key, and no command spans two: pend, commit, promote.
//!
//! 1. *Pend.* Under the new key goes a pending record, which names the old key and counts for nothing.
//! 2. *Commit.* The old record becomes, by `cas`, a tombstone that points to the new key and its etag. This decides.
//! 3. *Promote.* The pending record becomes an ordinary one. Only now is the answer `Applied`.
//!
//! Whoever meets a pending record asks the old key. So before the commit exactly the old id lives and from the commit on
//! exactly the new one, wherever the caller is killed.

use session_core::{
    Timestamp,
    store::{Etag, Record, StoreError, StoreErrorKind, StoreKey, Written},
};

use crate::codec::{self, Stored};
use crate::link::failure;
use crate::store::{MemcachedStore, Standing, expiry, split, standing};
use crate::wire::{Item, Verdict, Wire};

impl MemcachedStore {
    pub(crate) async fn move_session(
        &self,
        wire: &mut Wire,
        (old, expected): (&StoreKey, Etag),
        (new, record): (&StoreKey, &Record),
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Written, StoreError> {
        let (name, pending) = (self.key(new), codec::pending(old, record));
        let sent = wire.add_and_get_both(&name, expiry(record.deadline()), &pending, &self.key(old)).await;
        let (added, there, source) = sent.map_err(failure)?;
        let there = there.map(|item| codec::decode(&item.bytes).map(|stored| (stored, item.unique)));
        let there = there.transpose()?;
        let stone = codec::pointer(until, new, record.etag);
        let ours = is_ours(there.as_ref(), old, record.etag);
        let commit = Commit { old, expected, new, etag: record.etag, stone: &stone, ours, now, until };
        match self.commit(wire, &commit, source).await {
            Ok(None) => self.arrive(wire, new, record, there).await,
            // Unanswered: it may have happened. What is pending stays, and the same call asked again finds out.
            Err(error) if error.kind() == StoreErrorKind::Unavailable => Err(error),
            refused => {
                if added == Verdict::Stored
                    && let Some((_, unique)) = there
                {
                    // Taken back on the condition that it is still what we put there.
                    wire.cas(&name, AT_ONCE, b"", unique).await.map_err(failure)?;
                }
                refused.map(|answer| answer.unwrap_or(Written::Gone))
            }
        }
    }

    /// Turns the old record into the pointer, if it is what the caller expects. `None`: it is one now.
    async fn commit(
        &self,
        wire: &mut Wire,
        commit: &Commit<'_>,
        mut source: Option<Item>,
    ) -> Result<Option<Written>, StoreError> {
        let Commit { old, expected, new, etag, stone, ours, now, until } = *commit;
        loop {
            let (stored, unique) = match source.take() {
                Some(item) => match codec::decode(&item.bytes)? {
                    // The old session itself came here by a rotation that nobody has finished yet.
                    Stored::Pending { .. } => split(self.read(wire, old).await?),
                    stored => (Some(stored), item.unique),
                },
                None => (None, 0),
            };
            if is_pointer(stored.as_ref(), new, etag) {
                return Ok(None);
            }
            // The new etag never stands under the old key, so there is no retry to recognise there.
            match standing(stored, expected, expected, now) {
                Standing::Answer(answer) => return Ok(Some(answer)),
                Standing::Expected if !ours => return Ok(Some(Written::Taken)),
                Standing::Expected => {}
            }
            match wire.cas(&self.key(old), expiry(until), stone, unique).await.map_err(failure)? {
                Verdict::Stored => return Ok(None),
                Verdict::NotFound => return Ok(Some(Written::Gone)),
                Verdict::Changed | Verdict::NotStored => {
                    source = wire.gets(&self.key(old)).await.map_err(failure)?;
                }
            }
        }
    }

    /// The commit has happened: makes the new record count.
    async fn arrive(
        &self,
        wire: &mut Wire,
        new: &StoreKey,
        record: &Record,
        there: Option<(Stored, u64)>,
    ) -> Result<Written, StoreError> {
        match there {
            Some((Stored::Pending { .. }, unique)) => self.promote(wire, new, record, unique).await,
            Some((Stored::Record(there), _)) if there.etag == record.etag => Ok(Written::Applied),
            Some((Stored::Record(_) | Stored::Tombstone { .. }, _)) | None => Ok(Written::Gone),
        }
    }

    /// Turns the pending record that was read under this version number into an ordinary one.
    pub(crate) async fn promote(
        &self,
        wire: &mut Wire,
        key: &StoreKey,
        record: &Record,
        unique: u64,
    ) -> Result<Written, StoreError> {
        let (name, bytes) = (self.key(key), codec::record(record));
        match wire.cas(&name, expiry(record.deadline()), &bytes, unique).await.map_err(failure)? {
            Verdict::Stored => Ok(Written::Applied),
            // Evicted between two trips.
            Verdict::NotFound => Ok(Written::Gone),
            // A reader promoted it first, and perhaps somebody has ended it since.
            Verdict::Changed | Verdict::NotStored => {
                let item = wire.gets(&name).await.map_err(failure)?;
                let lives =
                    item.is_some_and(|item| matches!(codec::decode(&item.bytes), Ok(Stored::Record(_))));
                Ok(if lives { Written::Applied } else { Written::Gone })
            }
        }
    }

    /// Whether the tombstone under `old` points to this record.
    pub(crate) async fn was_committed(
        &self,
        wire: &mut Wire,
        old: &StoreKey,
        new: &StoreKey,
        etag: Etag,
    ) -> Result<bool, StoreError> {
        let item = wire.gets(&self.key(old)).await.map_err(failure)?;
        let stored = item.map(|item| codec::decode(&item.bytes)).transpose()?;
        Ok(is_pointer(stored.as_ref(), new, etag))
    }
}

/// What the second trip needs to know.
struct Commit<'a> {
    old: &'a StoreKey,
    expected: Etag,
    new: &'a StoreKey,
    etag: Etag,
    /// The tombstone that points to the new key.
    stone: &'a [u8],
    /// Whether the pending record under the new key is this rotation's.
    ours: bool,
    now: Timestamp,
    until: Timestamp,
}

fn is_pointer(stored: Option<&Stored>, new: &StoreKey, etag: Etag) -> bool {
    matches!(stored, Some(Stored::Tombstone { moved: Some(moved), .. }) if *moved == (*new, etag))
}

fn is_ours(there: Option<&(Stored, u64)>, from: &StoreKey, etag: Etag) -> bool {
    matches!(there, Some((Stored::Pending { old, record }, _)) if old == from && record.etag == etag)
}

/// A negative expiry is the protocol's word for it.
const AT_ONCE: i64 = -1;
