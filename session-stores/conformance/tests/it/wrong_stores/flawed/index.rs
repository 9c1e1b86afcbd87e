//! The flawed store's index by owner, and its sweep.

use session_core::{
    Timestamp,
    store::{Cursor, Loaded, OwnerIndex, Page, Record, StoreError, StoreKey, Sweep, Swept, async_trait},
};
use tokio::task::yield_now;

use super::{Data, Flaw, Flawed};

impl Flawed {
    fn of(&self, data: &Data, owner: &str, now: Timestamp) -> Vec<(StoreKey, Record)> {
        let same = |theirs: &str| match self.flaw {
            Flaw::FoldsOwners => theirs.eq_ignore_ascii_case(owner),
            _ => theirs == owner,
        };
        let listed = data.slots.iter().filter(|(key, _)| !data.unlisted.contains(key));
        let records = listed.filter_map(|(key, slot)| match slot {
            Loaded::Found(record) => Some((*key, record.clone())),
            Loaded::Missing | Loaded::Ended { .. } => None,
        });
        let entered = |key: &StoreKey| data.entries.get(owner).is_some_and(|keys| keys.contains(key));
        records
            .filter(|(key, record)| match self.flaw {
                Flaw::TrustsItsEntries => entered(key),
                _ => record.owner.as_deref().is_some_and(same),
            })
            .filter(|(_, record)| record.is_live(now) || self.has(Flaw::ListsTheDead))
            .collect()
    }
}

#[async_trait]
impl OwnerIndex for Flawed {
    async fn page(
        &self,
        owner: &str,
        _: Option<&Cursor>,
        _: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        Ok(Page::last(self.of(&self.lock(), owner, now)))
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut ended = 0;
        {
            let mut data = self.lock();
            for (key, _) in self.of(&data, owner, now) {
                if Some(&key) != except || self.has(Flaw::IgnoresTheException) {
                    self.bury(&mut data, &key, until, Flaw::KeepsEntriesOfTheEnded);
                    ended += 1;
                }
            }
        }
        if self.has(Flaw::DropsTheIndex) {
            for _ in 0..20 {
                yield_now().await;
            }
            let mut data = self.lock();
            let since = self.of(&data, owner, now);
            data.unlisted.extend(since.into_iter().map(|(key, _)| key));
        }
        Ok(ended)
    }
}

#[async_trait]
impl Sweep for Flawed {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        let mut data = self.lock();
        let due = data.slots.iter().filter(|(key, _)| !data.undue.contains(key));
        let dead = due.filter(|(_, slot)| match slot {
            Loaded::Found(_) if self.has(Flaw::SweepsTheLiving) => true,
            Loaded::Found(record) => !record.is_live(before),
            Loaded::Ended { until } => *until <= before && !self.has(Flaw::SweepSparesTombstones),
            Loaded::Missing => false,
        });
        let most = if self.has(Flaw::SweepsWithoutBound) { usize::MAX } else { most };
        let dead: Vec<_> = dead.map(|(key, _)| *key).take(most).collect();
        for key in &dead {
            data.slots.remove(key);
            data.successors.remove(key);
        }
        Ok(Swept { removed: dead.len(), more: dead.len() == most })
    }
}
