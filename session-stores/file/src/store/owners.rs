//! The owner index as the core asks for it: each step waits for its turn like any verb.

use std::collections::HashSet;

use session_core::{
    Timestamp,
    store::{OwnerIndex, Record, StoreError, StoreKey, async_trait},
};

use super::FileStore;
use crate::fault::NAME;
use crate::owners;

/// The mark in the index is made before the record and removed after it; every answer is checked against the records.
/// A kill leaves at worst a mark that leads to nothing and is never listed.
///
/// `list` leaves out records that are damaged or of a newer version. `destroy_all` ends all that it can and then
/// reports a newer one as an error, since that session goes on.
#[async_trait]
impl OwnerIndex for FileStore {
    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError> {
        let owner = owner.to_owned();
        self.perform(&[], move |disk| owners::list(disk, &owner, now)).await
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let (store, owner, except) = (self.clone(), owner.to_owned(), except.copied());
        // A task of its own: "sign out everywhere" that has begun is not left half done by a client that disconnects.
        let task = tokio::spawn(async move { store.end_all(&owner, except, now, tombstone_until).await });
        match tokio::time::timeout(self.shared.timeout, task).await {
            Ok(ended) => ended.map_err(|error| StoreError::unavailable(NAME, error))?,
            Err(_) => Err(StoreError::timeout(NAME)),
        }
    }
}

impl FileStore {
    async fn end_all(
        &self,
        owner: &str,
        except: Option<StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<usize, StoreError> {
        let name = owner.to_owned();
        let mut waiting = self.perform(&[], move |disk| owners::marked(disk, &name)).await?;
        let mut seen: HashSet<StoreKey> = waiting.iter().copied().chain(except).collect();
        waiting.retain(|key| Some(*key) != except);
        let (mut ended, mut failure) = (0, None);
        while let Some(key) = waiting.pop() {
            let owner = owner.to_owned();
            match self.perform(&[key], move |disk| owners::end(disk, &owner, &key, now, until)).await {
                Ok(owners::Ended::Live) => ended += 1,
                Ok(owners::Ended::Moved(to)) if seen.insert(to) => waiting.push(to),
                Ok(_) => {}
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(ended), Err)
    }
}
