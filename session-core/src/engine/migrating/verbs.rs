//! The six verbs over both stores: the session is moved first, and then the new store answers.

use std::time::Duration;

use async_trait::async_trait;

use super::copy::{is_copy, is_note};
use super::pair::MigratingStore;
use super::settle::{Moment, Place, Settled};
use crate::engine::store::{Census, OwnerIndex, SessionStore, Sweep};
use crate::value::answer::{Loaded, StoreError, StoreErrorKind, Written};
use crate::value::id::{Etag, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;

impl<T: SessionStore + ?Sized, F: SessionStore + ?Sized> MigratingStore<T, F> {
    /// Moves a session that nobody uses, and returns whether it is in the new store now. It is not if it has ended or
    /// expired, and if it is larger than the new store allows.
    ///
    /// # Errors
    /// As either store does. The session is in one of the two all the same; try again.
    pub async fn move_session(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        Ok(matches!(self.settle(key, self.at(now), true).await?, Settled::New))
    }

    fn at(&self, now: Timestamp) -> Moment {
        Moment { now, notes_until: now.plus(NOTES) }
    }

    /// Whether anything at all is stored under a key that is to be new.
    async fn is_taken(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let other = match self.moves {
            true => self.from.load(key).await?,
            false => self.to.load(key).await?,
        };
        Ok(other != Loaded::Missing)
    }

    /// What the old store answers to a write, in the terms of both: `None` if the session has moved meanwhile.
    async fn answer_of_old(&self, written: Written, now: Timestamp) -> Result<Option<Written>, StoreError> {
        match written {
            Written::Conflict(current) if is_note(&current) => Ok(None),
            Written::Moved { key, record } if is_note(&record) => {
                self.follow(key, record, now).await.map(Some)
            }
            written => Ok(Some(written)),
        }
    }

    async fn destroy_in_both(
        &self,
        key: &StoreKey,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError> {
        self.from.destroy(key, tombstone_until).await?;
        self.to.destroy(key, tombstone_until).await
    }
}

#[async_trait]
impl<T: SessionStore + ?Sized, F: SessionStore + ?Sized> SessionStore for MigratingStore<T, F> {
    /// The name of the new store.
    fn name(&self) -> &'static str {
        self.to.name()
    }

    /// The limit of the new store; on [`standby`](Self::standby) the lower one of both.
    fn max_record(&self) -> usize {
        let most = self.to.max_record();
        if self.moves { most } else { most.min(self.from.max_record()) }
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        Ok(match self.find(key).await? {
            Place::New(loaded) | Place::Nowhere(loaded) => loaded,
            Place::Copied(copy) => Loaded::Found(copy.session),
            Place::Old(session, _) => Loaded::Found(session),
        })
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        StoreError::check_size(self.name(), record, self.max_record())?;
        if !self.is_taken(key).await? {
            return match self.moves {
                true => self.to.create(key, record, now).await,
                false => self.from.create(key, record, now).await,
            };
        }
        match self.load(key).await? {
            Loaded::Found(there) if there.etag == record.etag => Ok(Written::Applied),
            _ => Ok(Written::Taken),
        }
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(self.name(), record, self.max_record())?;
        // Most often the session is in the new store already.
        match self.to.replace(key, expected, record, now).await? {
            Written::Gone => {}
            Written::Conflict(current) if is_copy(&current) || is_note(&current) => {}
            written => return Ok(written),
        }
        loop {
            match self.settle(key, self.at(now), self.moves).await? {
                Settled::New => return self.to.replace(key, expected, record, now).await,
                Settled::Missing => return Ok(Written::Gone),
                Settled::Old | Settled::Ended => {
                    let written = self.from.replace(key, expected, record, now).await?;
                    if let Some(written) = self.answer_of_old(written, now).await? {
                        return Ok(written);
                    }
                }
            }
        }
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        // A touch of a copy would be lost, so the session is moved first.
        match self.settle(key, self.at(now), self.moves).await? {
            Settled::New => self.to.touch(key, idle_deadline, now).await,
            Settled::Old => self.from.touch(key, idle_deadline, now).await,
            Settled::Ended | Settled::Missing => Ok(Written::Gone),
        }
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        // A destroy concerns expired sessions, too: at this moment every session is alive.
        let moment = Moment { now: THE_BEGINNING, notes_until: tombstone_until };
        match self.settle(key, moment, true).await {
            Ok(Settled::New) => self.to.destroy(key, tombstone_until).await,
            Ok(Settled::Missing) => Ok(Written::Applied),
            Ok(Settled::Old | Settled::Ended) => {
                let written = self.from.destroy(key, tombstone_until).await?;
                match self.answer_of_old(written, THE_BEGINNING).await? {
                    Some(Written::Gone) | None => Ok(Written::Applied),
                    Some(written) => Ok(written),
                }
            }
            // A record that cannot be read is not moved.
            Err(error) if error.kind() == StoreErrorKind::Corrupt => {
                self.destroy_in_both(key, tombstone_until).await
            }
            Err(error) => Err(error),
        }
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(self.name(), record, self.max_record())?;
        let is_taken = self.is_taken(new).await?;
        loop {
            match self.settle(old, self.at(now), self.moves).await? {
                Settled::New if is_taken && self.moves => return Ok(Written::Taken),
                Settled::New => {
                    return self.to.rotate(old, expected, new, record, now, tombstone_until).await;
                }
                Settled::Missing => return Ok(Written::Gone),
                Settled::Old if is_taken && !self.moves => return Ok(Written::Taken),
                Settled::Old | Settled::Ended => {
                    let written = self.from.rotate(old, expected, new, record, now, tombstone_until).await?;
                    match self.answer_of_old(written, now).await? {
                        None => {}
                        // This very rotation applied, and its session has moved since.
                        Some(Written::Moved { key, record: there })
                            if key == *new && there.etag == record.etag =>
                        {
                            return Ok(Written::Applied);
                        }
                        Some(written) => return Ok(written),
                    }
                }
            }
        }
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        (self.to.owners().is_some() && self.from.owners().is_some()).then_some(self as &dyn OwnerIndex)
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        (self.to.sweeper().is_some() || self.from.sweeper().is_some()).then_some(self as &dyn Sweep)
    }

    fn census(&self) -> Option<&dyn Census> {
        (self.to.census().is_some() && self.from.census().is_some()).then_some(self as &dyn Census)
    }
}

/// How long a note is kept after its session has moved: longer than any request, and than the tombstones of rotations that
/// lead to it.
const NOTES: Duration = Duration::from_secs(600);
const THE_BEGINNING: Timestamp = Timestamp::from_millis(i64::MIN);
