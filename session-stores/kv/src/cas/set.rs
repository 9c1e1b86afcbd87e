//! An owner's index in one entry of the engine, for engines without sets: members of 40 bytes, key and expiry.

use session_core::{
    Timestamp,
    store::{StoreError, StoreKey},
};

use crate::codec::{decode_moment, encode_moment};
use crate::engine::{CasEngine, Swapped};

/// The sets of an engine that has none. The bytes carry no checksum: a member that is wrong leads to no record.
#[derive(Debug)]
pub(super) struct EntrySet<'e, E>(pub(super) &'e E);

type Members = Vec<(StoreKey, Timestamp)>;

impl<E: CasEngine> EntrySet<'_, E> {
    pub(super) async fn insert(
        &self,
        owner: &str,
        member: &StoreKey,
        expiry: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(owner, |members| {
            let there = members.iter().position(|(key, _)| key == member);
            let later = there.map_or(expiry, |at| members.swap_remove(at).1.max(expiry));
            members.retain(|(_, expiry)| *expiry > now);
            members.push((*member, later));
        })
        .await
    }

    pub(super) async fn remove(&self, owner: &str, member: &StoreKey) -> Result<(), StoreError> {
        self.change(owner, |members| members.retain(|(key, _)| key != member)).await
    }

    pub(super) async fn members(&self, owner: &str, now: Timestamp) -> Result<Vec<StoreKey>, StoreError> {
        let held = self.0.get(&entry_name(owner)).await?;
        let members = held.map(|(bytes, _)| decode(&bytes)).unwrap_or_default();
        Ok(members.into_iter().filter(|(_, expiry)| *expiry > now).map(|(key, _)| key).collect())
    }

    /// Removes an entry all of whose members may be forgotten.
    pub(super) async fn sweep(&self, name: &str, before: Timestamp) -> Result<(), StoreError> {
        if let Some((bytes, version)) = self.0.get(name).await?
            && decode(&bytes).iter().all(|(_, expiry)| *expiry <= before)
        {
            self.0.remove(name, &version).await?;
        }
        Ok(())
    }

    async fn change(&self, owner: &str, change: impl Fn(&mut Members)) -> Result<(), StoreError> {
        let name = entry_name(owner);
        loop {
            let held = self.0.get(&name).await?;
            let mut members = held.as_ref().map(|(bytes, _)| decode(bytes)).unwrap_or_default();
            change(&mut members);
            let Some(expiry) = members.iter().map(|(_, expiry)| *expiry).max() else {
                match held {
                    Some((_, version)) if self.0.remove(&name, &version).await? == Swapped::Changed => {
                        continue;
                    }
                    _ => return Ok(()),
                }
            };
            let bytes = encode(&members);
            let is_done = match held {
                Some((_, version)) => self.0.swap(&name, &version, &bytes, expiry).await? == Swapped::Done,
                None => self.0.add(&name, &bytes, expiry).await?.is_some(),
            };
            if is_done {
                return Ok(());
            }
        }
    }
}

/// Whether a key of the engine is an owner's entry and not a session's.
pub(super) fn is_entry_name(name: &str) -> bool {
    name.starts_with(PREFIX)
}

fn entry_name(owner: &str) -> String {
    format!("{PREFIX}{owner}")
}

fn encode(members: &Members) -> Vec<u8> {
    members
        .iter()
        .flat_map(|(key, expiry)| key.as_bytes().iter().copied().chain(encode_moment(*expiry)))
        .collect()
}

fn decode(bytes: &[u8]) -> Members {
    let (members, _) = bytes.as_chunks::<40>();
    members
        .iter()
        .filter_map(|member| {
            let (key, expiry) = (member.first_chunk()?, member.last_chunk()?);
            Some((StoreKey::from_bytes(*key), decode_moment(*expiry)))
        })
        .collect()
}

const PREFIX: &str = "o-";
