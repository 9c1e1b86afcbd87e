//! The sweep: finds what looks dead in the 256 directories, and has each removed on the condition that it still is.
//!
//! Dead are: an expired record, an ended tombstone, a file that has been damaged for a day, a mark in the owner index that
//! may be forgotten. A temporary file belongs to a writer that holds its key's lock, so if the lock is free its writer is
//! dead. A file of a newer version is left alone.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use session_core::{
    Timestamp,
    store::{StoreError, StoreKey, Sweep, Swept, async_trait},
};
use session_store_kv::codec::{Entry, SLACK, Unreadable};

use crate::disk::{Disk, TEMP};
use crate::engine::{Files, lock_of};
use crate::fault::Fault;
use crate::store::FileStore;
use crate::{locks, owners};

/// The position of a sweeper in the 256 directories.
///
/// Calls that run out of time share one circle, so that a sweep of any number of sessions comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Circle {
    fan: u8,
    left: u16,
}

impl Circle {
    /// Begins a new circle at this directory.
    pub(crate) const fn begin(fan: u8) -> Self {
        Self { fan, left: 256 }
    }

    /// The directory to look at now; `None` once all have been.
    fn fan(&self) -> Option<u8> {
        (self.left > 0).then_some(self.fan)
    }

    /// Goes on to the next directory.
    fn advance(&mut self) {
        self.fan = self.fan.wrapping_add(1);
        self.left = self.left.saturating_sub(1);
    }

    /// Begins a new circle at the current position.
    fn again(&mut self) {
        *self = Self::begin(self.fan);
    }
}

/// Something that looked dead without a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Suspect {
    /// A record or tombstone.
    Session(StoreKey),
    /// A temporary file.
    Temp { key: StoreKey, name: String },
    /// A mark in the owner index.
    Mark { owner: String, key: StoreKey },
    /// A directory of the owner index.
    Owner(String),
}

/// One sweeper works at a time, among all processes: another one is told that nothing was removed and nothing waits.
/// A call goes on where the last one stopped, and stops when half of the store's timeout is over. It answers `more`
/// until it has been once through all directories, or for as long as its batches are full.
#[async_trait]
impl Sweep for FileStore {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        let only = self.files().read(|disk| locks::try_lock(disk, locks::SWEEPER)).await?;
        if only.is_none() || most == 0 {
            return Ok(Swept { removed: 0, more: false });
        }
        let stop = Instant::now() + self.files().readers.timeout() / 2;
        let circle = |step: &dyn Fn(&mut Circle)| {
            let mut circle = self.circle.lock().unwrap_or_else(PoisonError::into_inner);
            step(&mut circle);
            circle.fan()
        };
        let (mut removed, mut failure) = (0, None);
        while let Some(fan) = circle(&|_| {}) {
            let (gone, mut late) = self.sweep_fan(fan, before, most - removed, stop, &mut failure).await;
            removed += gone;
            if removed >= most {
                circle(&Circle::again);
                return Ok(Swept { removed, more: true });
            }
            // A directory is done, or so stuck that waiting on would keep all others.
            if !late || gone == 0 {
                circle(&Circle::advance);
            }
            late |= Instant::now() >= stop;
            if late && circle(&|_| {}).is_some() {
                return Ok(Swept { removed, more: true });
            }
        }
        circle(&Circle::again);
        match failure {
            Some(error) if removed == 0 => Err(error),
            _ => Ok(Swept { removed, more: false }),
        }
    }
}

impl FileStore {
    /// Sweeps one directory: how much was removed, and whether time ran out. One file that cannot be removed does not
    /// keep the others.
    async fn sweep_fan(
        &self,
        fan: u8,
        before: Timestamp,
        room: usize,
        stop: Instant,
        failure: &mut Option<StoreError>,
    ) -> (usize, bool) {
        let found = match self.files().read(move |disk| suspects(disk, fan, before, room)).await {
            Ok(found) => found,
            Err(error) => {
                *failure = Some(error);
                return (0, false);
            }
        };
        let mut removed = 0;
        for suspect in found {
            if Instant::now() >= stop {
                return (removed, true);
            }
            match self.remove_dead(suspect, before).await {
                Ok(is_session) => removed += usize::from(is_session),
                Err(error) => *failure = Some(error),
            }
        }
        (removed, false)
    }

    /// Removes it if it is still dead. Whether a record or tombstone is gone now.
    async fn remove_dead(&self, suspect: Suspect, before: Timestamp) -> Result<bool, StoreError> {
        let files = self.files();
        match suspect {
            Suspect::Session(key) => return self.inner.sweep_key(&key, before).await,
            Suspect::Temp { key, name } => {
                remove(files, lock_of(&key), move |disk| disk.remove_temp(&key, &name)).await
            }
            Suspect::Mark { owner, key } => {
                let lock = owners::lock_of(&owner);
                remove(files, lock, move |disk| owners::remove_lapsed(disk, &owner, &key, before)).await
            }
            Suspect::Owner(owner) => {
                let lock = owners::lock_of(&owner);
                remove(files, lock, move |disk| owners::remove_empty(disk, &owner)).await
            }
        }
        .map(|()| false)
    }
}

async fn remove(
    files: &Files,
    lock: u8,
    work: impl FnOnce(&Disk) -> Result<(), Fault> + Send + 'static,
) -> Result<(), StoreError> {
    files.write(lock, work, |_, ()| Ok(())).await
}

/// What looks dead in one of the 256 directories; at most so many sessions.
fn suspects(disk: &Disk, fan: u8, before: Timestamp, most: usize) -> Result<Vec<Suspect>, Fault> {
    let mut suspects = Vec::new();
    let mut sessions = 0;
    for name in disk.fan_names(fan)? {
        if let Some((key, _)) = name.split_once(TEMP) {
            if let Ok(key) = key.parse() {
                suspects.push(Suspect::Temp { key, name });
            }
        } else if sessions < most
            && let Ok(key) = name.parse()
            && let Ok(true) = is_dead(disk, &key, before)
        {
            sessions += 1;
            suspects.push(Suspect::Session(key));
        }
    }
    let lapsed = owners::lapsed(disk, fan, before)?;
    suspects.extend(lapsed.marks.into_iter().map(|(owner, key)| Suspect::Mark { owner, key }));
    suspects.extend(lapsed.owners.into_iter().map(Suspect::Owner));
    Ok(suspects)
}

fn is_dead(disk: &Disk, key: &StoreKey, before: Timestamp) -> Result<bool, Fault> {
    let Some(bytes) = disk.read(key)? else { return Ok(false) };
    Ok(match Entry::decode(key, &bytes) {
        Ok(entry) => entry.expiry() <= before.plus(SLACK),
        Err(Unreadable::Damaged) => {
            disk.modified(key)?.is_some_and(|modified| modified.plus(DAMAGED_IS_KEPT) <= before)
        }
        Err(Unreadable::Newer) => false,
    })
}

/// How long a damaged file is kept for inspection, by the file system's clock.
const DAMAGED_IS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_sees_every_directory_once_wherever_it_begins() {
        let mut circle = Circle::begin(200);
        let mut seen = Vec::new();
        while let Some(fan) = circle.fan() {
            seen.push(fan);
            circle.advance();
        }
        assert_eq!((seen[0], seen[55], seen[56]), (200, 255, 0));
        seen.sort_unstable();
        assert_eq!(seen, (0..=u8::MAX).collect::<Vec<_>>());
        circle.again();
        assert_eq!(circle, Circle::begin(200));
    }
}
