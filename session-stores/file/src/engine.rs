//! The primitives of a key-value engine on files: a file per key, written beside its place and renamed into it.
//!
//! A write holds the key's lock among tasks and processes while it compares and renames. The directory is flushed after
//! the lock is released: the next writer builds on what it sees, and its own flush comes after this one's, so no answer
//! is given before what it rests on is durable. Readers take no lock.

use std::os::fd::AsFd;
use std::sync::Arc;

use session_core::{
    Timestamp,
    store::{StoreError, StoreKey, async_trait},
};
use session_store_kv::{Blocking, CasEngine, OwnerSet, Owners, Swapped, Turn, Turns};

use crate::disk::{Disk, Flush};
use crate::fault::{Fault, NAME};
use crate::locks::Locks;
use crate::owners;

/// A directory of sessions.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) disk: Arc<Disk>,
    pub(crate) locks: Arc<Locks>,
    pub(crate) turns: Turns,
    pub(crate) readers: Blocking,
    pub(crate) writers: Blocking,
}

impl Files {
    /// Works on the disk without a lock. The root is looked at afterwards: what was found while it was there counts.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Disk) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let disk = Arc::clone(&self.disk);
        let work = move |_| {
            let done = work(&disk)?;
            disk.check()?;
            Ok(done)
        };
        self.readers.run(work).await
    }

    /// Works on the disk with one of the 256 locks held, and then, with the lock released, makes what was done durable.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        lock: u8,
        work: impl FnOnce(&Disk) -> Result<T, Fault> + Send + 'static,
        settle: impl FnOnce(&Disk, &T) -> Result<(), Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let disk = Arc::clone(&self.disk);
        // Everything that is moved in is released when the work is done, not when the caller stops waiting.
        let work = move |turn: crate::locks::Turn, deadline| {
            disk.check()?;
            let locked = turn.across_processes(&disk, deadline)?;
            let done = work(&disk);
            drop((locked, turn));
            let done = done?;
            settle(&disk, &done)?;
            disk.check()?;
            Ok(done)
        };
        self.writers.run_after(self.locks.turn(lock), work).await
    }

    /// Writes a key if what is there is as expected.
    async fn write_if(
        &self,
        key: &str,
        expected: Option<Vec<u8>>,
        bytes: Option<Vec<u8>>,
    ) -> Result<Swapped, StoreError> {
        let key = key_of(key)?;
        let work = move |disk: &Disk| {
            if disk.read(&key)? != expected {
                return Ok(Swapped::Changed);
            }
            match bytes {
                Some(bytes) => disk.write(&key, &bytes, Flush::Bytes)?,
                None => disk.remove(&key)?,
            }
            Ok(Swapped::Done)
        };
        let settle = move |disk: &Disk, swapped: &Swapped| match swapped {
            Swapped::Done => disk.settle(&key),
            Swapped::Changed => Ok(()),
        };
        self.write(lock_of(&key), work, settle).await
    }
}

#[async_trait]
impl CasEngine for Files {
    /// The bytes themselves. Equal bytes are the same state of a session, whenever they were written.
    type Version = Vec<u8>;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Vec<u8>)>, StoreError> {
        let key = key_of(key)?;
        let bytes = self.read(move |disk| disk.read(&key)).await?;
        Ok(bytes.map(|bytes| (bytes.clone(), bytes)))
    }

    async fn get_start(&self, key: &str, most: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let key = key_of(key)?;
        self.read(move |disk| disk.read_start(&key, most)).await
    }

    async fn add(&self, key: &str, bytes: &[u8], _expiry: Timestamp) -> Result<Option<Vec<u8>>, StoreError> {
        let swapped = self.write_if(key, None, Some(bytes.to_vec())).await?;
        Ok((swapped == Swapped::Done).then(|| bytes.to_vec()))
    }

    async fn swap(
        &self,
        key: &str,
        version: &Vec<u8>,
        bytes: &[u8],
        _expiry: Timestamp,
    ) -> Result<Swapped, StoreError> {
        self.write_if(key, Some(version.clone()), Some(bytes.to_vec())).await
    }

    async fn remove(&self, key: &str, version: &Vec<u8>) -> Result<Swapped, StoreError> {
        self.write_if(key, Some(version.clone()), None).await
    }

    async fn settle(&self, key: &str) -> Result<(), StoreError> {
        let key = key_of(key)?;
        self.read(move |disk| disk.settle(&key)).await
    }

    async fn turn(&self, key: &str) -> Turn {
        self.turns.of(key).await
    }

    fn owners(&self) -> Owners<'_> {
        Owners::Set(self)
    }
}

/// The lock of the owner's directory makes each operation one step, a listing included.
#[async_trait]
impl OwnerSet for Files {
    async fn insert(
        &self,
        owner: &str,
        member: &StoreKey,
        expiry: Timestamp,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        let (owner, member) = (owner.to_owned(), *member);
        let lock = owners::lock_of(&owner);
        let work = move |disk: &Disk| owners::insert(disk, &owner, &member, expiry);
        self.write(lock, work, |disk, dir| disk.flush_dir(dir.as_fd())).await.map(drop)
    }

    async fn remove(&self, owner: &str, member: &StoreKey) -> Result<(), StoreError> {
        let (owner, member) = (owner.to_owned(), *member);
        let lock = owners::lock_of(&owner);
        // A mark that comes back after a power cut leads to nothing.
        self.write(lock, move |disk| owners::remove(disk, &owner, &member), |_, ()| Ok(())).await
    }

    async fn members(&self, owner: &str, _now: Timestamp) -> Result<Vec<StoreKey>, StoreError> {
        let owner = owner.to_owned();
        let lock = owners::lock_of(&owner);
        self.write(lock, move |disk| owners::members(disk, &owner), |_, _| Ok(())).await
    }
}

/// The lock of a key, by its first byte.
pub(crate) fn lock_of(key: &StoreKey) -> u8 {
    key.as_bytes()[0]
}

fn key_of(key: &str) -> Result<StoreKey, StoreError> {
    key.parse().map_err(|_| Fault::Unfit("only sessions are kept in files").into())
}
