//! What the sweeper removes, and how it makes sure under the lock that it still may.
//!
//! Dead are: an expired record, a lapsed tombstone, a record whose rotation never happened, a file that has been
//! unreadable for a day. A temporary file belongs to a writer that holds its key's lock, so whoever holds that lock and
//! finds one knows that its writer is dead: no age is guessed. A file of a newer version is left alone.

use std::time::Duration;

use session_core::{Timestamp, store::StoreKey};

use crate::disk::{Disk, Flush, TEMP};
use crate::fault::Fault;
use crate::format::{Entry, encode_record};
use crate::{owners, verbs};

/// Where a sweeper is on its way through the 256 directories.
///
/// Calls that run out of time share one circle, so that a sweep of any number of sessions comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Circle {
    fan: u8,
    left: u16,
}

impl Circle {
    /// A new circle from this directory on.
    pub(crate) const fn begin(fan: u8) -> Self {
        Self { fan, left: 256 }
    }

    /// The directory to look at now; `None` once all have been.
    pub(crate) fn fan(&self) -> Option<u8> {
        (self.left > 0).then_some(self.fan)
    }

    /// This directory is done.
    pub(crate) fn advance(&mut self) {
        self.fan = self.fan.wrapping_add(1);
        self.left = self.left.saturating_sub(1);
    }

    /// Begins a new circle where this one is.
    pub(crate) fn again(&mut self) {
        *self = Self::begin(self.fan);
    }
}

/// Something that looked dead without a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Suspect {
    /// A record or tombstone, and the key at the other end of its rotation.
    Session { key: StoreKey, other: Option<StoreKey> },
    /// A temporary file.
    Temp { key: StoreKey, name: String },
    /// A mark in the owner index.
    Mark { dir: String, key: StoreKey },
}

impl Suspect {
    /// The keys whose locks its removal needs.
    pub(crate) fn keys(&self) -> Vec<StoreKey> {
        match self {
            Self::Session { key, other } => std::iter::once(*key).chain(*other).collect(),
            Self::Temp { key, .. } | Self::Mark { key, .. } => vec![*key],
        }
    }

    /// Removes it if it is still dead, and says how many records and tombstones that were.
    pub(crate) fn remove(&self, disk: &Disk, before: Timestamp) -> Result<usize, Fault> {
        match self {
            Self::Session { key, other } => remove_session(disk, key, other.as_ref(), before),
            Self::Temp { key, name } => disk.remove_temp(key, name).map(|()| 0),
            Self::Mark { dir, key } => owners::remove_if_idle(disk, dir, key).map(|()| 0),
        }
    }
}

/// What looks dead in one of the 256 directories of records; at most so many sessions.
pub(crate) fn suspects(disk: &Disk, fan: u8, before: Timestamp, most: usize) -> Result<Vec<Suspect>, Fault> {
    let mut suspects = Vec::new();
    let mut sessions = 0;
    for name in disk.fan_names(fan)? {
        if let Some((key, _)) = name.split_once(TEMP) {
            if let Ok(key) = key.parse() {
                suspects.push(Suspect::Temp { key, name });
            }
        } else if sessions < most
            && let Ok(key) = name.parse()
            && let Ok(Some(other)) = dead(disk, &key, before)
        {
            sessions += 1;
            suspects.push(Suspect::Session { key, other });
        }
    }
    Ok(suspects)
}

/// Marks that look idle in one of the 256 directories of the index.
pub(crate) fn idle_marks(disk: &Disk, fan: u8) -> Result<Vec<Suspect>, Fault> {
    Ok(owners::doubtful(disk, fan)?.into_iter().map(|(dir, key)| Suspect::Mark { dir, key }).collect())
}

/// Whether what is under the key is dead; if so, the key at the other end of its rotation.
fn dead(disk: &Disk, key: &StoreKey, before: Timestamp) -> Result<Option<Option<StoreKey>>, Fault> {
    Ok(match disk.read(key) {
        Ok(Some(Entry::Record { record, from })) => {
            let undone = match &from {
                Some(old) if record.is_live(before) => !verbs::leads_to(disk, old, key)?,
                _ => false,
            };
            (undone || !record.is_live(before)).then_some(from)
        }
        Ok(Some(Entry::Retired { until, to })) => (until <= before).then_some(to),
        Err(Fault::Corrupt) => {
            let kept = disk.modified(key)?.map(|modified| modified.plus(UNREADABLE_IS_KEPT));
            kept.is_some_and(|kept| kept <= before).then_some(None)
        }
        Ok(None) | Err(Fault::Newer) => None,
        Err(fault) => return Err(fault),
    })
}

fn remove_session(
    disk: &Disk,
    key: &StoreKey,
    locked: Option<&StoreKey>,
    before: Timestamp,
) -> Result<usize, Fault> {
    let Some(other) = dead(disk, key, before)? else { return Ok(0) };
    if other.as_ref() != locked {
        return Ok(0);
    }
    let mut owner = None;
    match disk.read(key) {
        Ok(Some(Entry::Record { record, .. })) => owner = record.owner,
        Ok(Some(Entry::Retired { to: Some(new), .. })) => release(disk, key, &new)?,
        Ok(Some(Entry::Retired { to: None, .. }) | None) | Err(Fault::Corrupt) => {}
        Err(fault) => return Err(fault),
    }
    disk.remove(key)?;
    owners::unmark(disk, owner.as_deref(), key);
    Ok(1)
}

/// Makes the record that a tombstone leads to count by itself.
fn release(disk: &Disk, old: &StoreKey, new: &StoreKey) -> Result<(), Fault> {
    match disk.read(new) {
        Ok(Some(Entry::Record { record, from: Some(from) })) if from == *old => {
            disk.write(new, &encode_record(new, &record, None), Flush::All)
        }
        // Rewritten meanwhile: it counts by itself. That may have been a touch, whose name is not flushed yet.
        Ok(Some(_)) => disk.settle(new),
        Ok(None) | Err(Fault::Corrupt) => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// How long a damaged file is kept for whoever wants to know what happened, by the file system's clock.
const UNREADABLE_IS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

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
