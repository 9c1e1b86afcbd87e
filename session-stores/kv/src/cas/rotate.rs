//! A rotation over two keys, with writes that each concern one: pend, commit, promote.
//!
//! 1. *Pend.* A pending record is added under the new key. It names the old key and does not count.
//! 2. *Commit.* The old record is swapped for a tombstone that names the new key and etag as its successor. **This swap
//!    is the rotation.**
//! 3. *Promote.* The pending record is swapped for an ordinary one, by the rotation itself or by the next reader.
//!
//! A pending record counts if and only if the tombstone under its old key names it. So up to the commit exactly the old
//! key is alive, and from the commit on exactly the new one, wherever the caller is interrupted. The model checker in
//! `tests/it/model.rs` runs every interleaving.

use session_core::{
    Timestamp,
    store::{Etag, Record, StoreError, StoreErrorKind, StoreKey, Written},
};

use super::protocol::{Protocol, Standing, standing};
use crate::codec::{Entry, Successor};
use crate::engine::{CasEngine, Swapped};

/// The pending record as this call found or put it.
struct Pend<V> {
    version: V,
    /// Whether this call put it there, and so takes it back if it is refused.
    is_ours: bool,
}

impl<E: CasEngine> Protocol<E> {
    pub(super) async fn rotate(
        &self,
        (old, expected): (&StoreKey, Etag),
        (new, record): (&StoreKey, &Record),
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Written, StoreError> {
        let successor = Successor { key: *new, etag: record.etag };
        let tombstone = Entry::Tombstone { until, successor: Some(successor) };
        let mut pend = None;
        let _turn = self.engine.turn(&old.to_string()).await;
        loop {
            let held = match self.settled(old).await {
                Ok(held) => held,
                Err(error) => {
                    // Damaged or newer: refused for good. Anything else may pass, and the same call asked again
                    // goes on from what is pending.
                    if matches!(error.kind(), StoreErrorKind::Corrupt | StoreErrorKind::Newer) {
                        self.withdraw(pend, (new, record)).await?;
                    }
                    return Err(error);
                }
            };
            if is_pointer(held.as_ref().map(|(entry, _)| entry), &successor) {
                return self.arrive(old, (new, record), now).await;
            }
            // The new etag never stands under the old key, so there is no repeated call to recognise by it.
            let (there, version) = match standing(held, expected, expected, now) {
                Standing::Expected(there, version) => (there, version),
                Standing::Answer(answer) => {
                    self.withdraw(pend, (new, record)).await?;
                    return Ok(answer);
                }
                Standing::Successor(successor) => {
                    self.withdraw(pend, (new, record)).await?;
                    return Ok(self.follow(successor, Some(now)).await?.unwrap_or(Written::Gone));
                }
            };
            if pend.is_none() {
                pend = self.pend(old, (new, record), now).await?;
            }
            let Some(pending) = &pend else {
                // Taken, if the old record still stands; else by an earlier attempt of this call, perhaps.
                let again = self.engine.get(&old.to_string()).await?;
                if again.is_some_and(|(_, again)| again == version) {
                    return Ok(Written::Taken);
                }
                continue;
            };
            if self.swap(old, &version, &tombstone).await? == Swapped::Changed {
                continue;
            }
            if self.swap(new, &pending.version, &Entry::Record(record.clone())).await? == Swapped::Changed {
                let arrived = self.arrived(new).await?;
                if arrived != Written::Applied {
                    return Ok(arrived);
                }
            }
            self.unmark(there.owner.as_deref(), old).await?;
            return Ok(Written::Applied);
        }
    }

    /// Puts the pending record under the new key. `None`: the key is taken.
    async fn pend(
        &self,
        old: &StoreKey,
        (new, record): (&StoreKey, &Record),
        now: Timestamp,
    ) -> Result<Option<Pend<E::Version>>, StoreError> {
        let pending = Entry::Pending { old: *old, record: record.clone() };
        self.mark(None, new, record, now).await?;
        let (name, bytes) = (new.to_string(), pending.encode(new));
        if let Some(version) = self.engine.add(&name, &bytes, pending.expiry()).await? {
            return Ok(Some(Pend { version, is_ours: true }));
        }
        // An earlier attempt of this very call may have put it there.
        let there = self.engine.get(&name).await?;
        Ok(there
            .filter(|(bytes, _)| Entry::decode(new, bytes).as_ref() == Ok(&pending))
            .map(|(_, version)| Pend { version, is_ours: false }))
    }

    /// Takes the pending record back after a refusal, on the condition that it is still what this call put there.
    async fn withdraw(
        &self,
        pend: Option<Pend<E::Version>>,
        (new, record): (&StoreKey, &Record),
    ) -> Result<(), StoreError> {
        if let Some(Pend { version, is_ours: true }) = pend {
            self.engine.remove(&new.to_string(), &version).await?;
            self.unmark(record.owner.as_deref(), new).await?;
        }
        Ok(())
    }

    /// A repeated call found the rotation committed: it answers `Applied` if the record stands as it was moved.
    async fn arrive(
        &self,
        old: &StoreKey,
        (new, record): (&StoreKey, &Record),
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        match self.settled(new).await? {
            Some((Entry::Record(there), _)) if there.etag == record.etag => {
                self.engine.settle(&new.to_string()).await?;
                self.engine.settle(&old.to_string()).await?;
                Ok(Written::Applied)
            }
            _ => Ok(self.follow(*new, Some(now)).await?.unwrap_or(Written::Gone)),
        }
    }

    /// The pending record was changed between this call's commit and its promotion.
    async fn arrived(&self, new: &StoreKey) -> Result<Written, StoreError> {
        Ok(match self.fetch(new).await? {
            // A reader promoted it first, and it may have been written or ended since.
            Some((Entry::Record(_) | Entry::Tombstone { .. }, _)) => Written::Applied,
            // Forgotten by the engine before its time.
            Some((Entry::Pending { .. }, _)) | None => Written::Gone,
        })
    }
}

fn is_pointer(entry: Option<&Entry>, target: &Successor) -> bool {
    matches!(entry, Some(Entry::Tombstone { successor: Some(successor), .. }) if successor == target)
}
