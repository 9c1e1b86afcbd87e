//! The sweep of an engine that does not expire entries: looks at each due entry again, and removes it by its version.

use std::time::Duration;

use session_core::{
    Timestamp,
    store::{StoreError, StoreKey, Swept},
};

use super::protocol::{Protocol, end, ignore_damage};
use super::set::{self, EntrySet};
use crate::codec::{Entry, SLACK, Unreadable};
use crate::engine::{CasEngine, Swapped};

impl<E: CasEngine> Protocol<E> {
    pub(super) async fn sweep(
        &self,
        before: Timestamp,
        most: usize,
        timeout: Duration,
    ) -> Result<Swept, StoreError> {
        let Some(due) = self.engine.due().filter(|_| most > 0) else {
            return Ok(Swept { removed: 0, more: false });
        };
        let name = self.engine.name();
        let late = |_| StoreError::timeout(name);
        let keys = tokio::time::timeout(timeout, due.due(before.plus(SLACK), most)).await.map_err(late)??;
        let (mut removed, mut failure) = (0, None);
        for key in keys {
            let swept = tokio::time::timeout(timeout, self.sweep_one(&key, before)).await;
            match swept.map_err(late).flatten() {
                Ok(is_gone) => removed += usize::from(is_gone),
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            // One entry that cannot be removed does not keep the others.
            Some(error) if removed == 0 => Err(error),
            _ => Ok(Swept { removed, more: removed >= most }),
        }
    }

    /// Removes an entry if it has expired. Returns whether a record or a tombstone was removed.
    pub(super) async fn sweep_one(&self, name: &str, before: Timestamp) -> Result<bool, StoreError> {
        if set::is_entry_name(name) {
            EntrySet(&self.engine).sweep(name, before).await?;
            return Ok(false);
        }
        let Ok(key) = name.parse::<StoreKey>() else { return Ok(false) };
        let Some((bytes, version)) = self.engine.get(name).await? else { return Ok(false) };
        let owner = match Entry::decode(&key, &bytes) {
            Ok(entry) if end(&entry) > before => return Ok(false),
            Ok(Entry::Record(record) | Entry::Pending { record, .. }) => record.owner,
            Ok(Entry::Tombstone { successor: Some(successor), .. }) => {
                // The successor must not depend on this tombstone any longer.
                self.settled(&successor.key).await.map(drop).or_else(ignore_damage)?;
                None
            }
            Ok(Entry::Tombstone { successor: None, .. }) | Err(Unreadable::Damaged) => None,
            Err(Unreadable::Newer) => return Ok(false),
        };
        let is_gone = self.engine.remove(name, &version).await? == Swapped::Done;
        if is_gone {
            self.unmark(owner.as_deref(), &key).await?;
        }
        Ok(is_gone)
    }
}
