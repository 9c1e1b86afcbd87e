//! A session changes its key between two slots: pend, commit, promote. The protocol is on [`RedisClusterStore`].

use redis::Value;
use session_core::{
    Timestamp,
    store::{Etag, Record, StoreError, StoreKey, Written},
};
use session_store_kv::codec::{self, Entry, Successor};

use super::store::{RedisClusterStore, met_pending};
use crate::fault::strange_reply;
use crate::script::{COMMIT, PEND, PROMOTE, WITHDRAW};
use crate::store::{entry as decoded, written};

impl RedisClusterStore {
    /// What stands under a key once it is known whether a pending record in it counts; `None` if it does not. One that
    /// does is promoted. Never returns [`Entry::Pending`].
    pub(super) async fn settle(&self, key: &StoreKey, entry: Entry) -> Result<Option<Entry>, StoreError> {
        let mut found = entry;
        loop {
            let Entry::Pending { old, record } = found else { return Ok(Some(found)) };
            let etag = record.etag;
            let there = self.get(&old).await?.and_then(|value| Entry::decode(&old, &value).ok());
            let target = Successor { key: *key, etag };
            let is_committed = matches!(
                there,
                Some(Entry::Tombstone { successor: Some(successor), .. }) if successor == target
            );
            if !is_committed {
                return Ok(None);
            }
            if self.promote(key, etag).await? == Written::Applied {
                return Ok(Some(Entry::Record(record)));
            }
            // Another caller promoted it first, and has ended or rotated the session since.
            let Some(value) = self.get(key).await? else { return Ok(None) };
            found = decoded(key, &value)?;
        }
    }

    /// Converts the result of a script about this session; the tombstone of a rotation is followed to the record that
    /// the session is now, if there is one (live at `now`) that can be read.
    pub(super) async fn answer(
        &self,
        key: &StoreKey,
        reply: Value,
        now: Option<Timestamp>,
    ) -> Result<Written, StoreError> {
        let Some(stone) = met_rotated(&reply) else { return written(key, reply) };
        let mut found = Some(decoded(key, stone)?);
        while let Some(Entry::Tombstone { successor: Some(Successor { key, .. }), .. }) = found {
            let Some(value) = self.get(&key).await? else { return Ok(Written::Gone) };
            let Ok(there) = Entry::decode(&key, &value) else { return Ok(Written::Gone) };
            found = self.settle(&key, there).await?;
            if let Some(Entry::Record(record)) = found {
                let is_there = now.is_none_or(|now| record.is_live(now));
                return Ok(if is_there { Written::Moved { key, record } } else { Written::Gone });
            }
        }
        Ok(Written::Gone)
    }

    pub(super) async fn move_session(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Written, StoreError> {
        let pending = codec::encode_pending(new, old, record);
        let name = self.key(new);
        let arguments: [&[u8]; 1] = [&pending];
        let pend = self.line.run(&PEND, &name, &arguments);
        // Beside the first trip: the commit must not happen before the index knows the new key.
        let (pended, indexed) = tokio::join!(pend, self.index(new, record, now));
        indexed?;
        let there: &[u8] = match pended? {
            Value::Array(parts) => match parts[..] {
                [Value::Int(1)] => b"pending",
                [Value::Int(2)] => b"ours",
                [Value::Int(3)] => b"taken",
                _ => return Err(strange_reply()),
            },
            _ => return Err(strange_reply()),
        };
        let successor = Successor { key: *new, etag: record.etag };
        let stone = codec::encode_tombstone(old, until, Some(&successor));
        let committed = self.commit(old, &stone, now, expected, there).await?;
        match (committed, there) {
            (Written::Applied, _) => self.arrive(new, record.etag).await,
            (refused, b"pending") => {
                self.line.run(&WITHDRAW, &name, &[&codec::encode_etag(record.etag)]).await?;
                Ok(refused)
            }
            (refused, _) => Ok(refused),
        }
    }

    async fn commit(
        &self,
        old: &StoreKey,
        stone: &[u8],
        now: Timestamp,
        expected: Etag,
        there: &[u8],
    ) -> Result<Written, StoreError> {
        let (name, at, expected) = (self.key(old), codec::encode_moment(now), codec::encode_etag(expected));
        let arguments: [&[u8]; 4] = [stone, &at, &expected, there];
        let reply = self.line.run(&COMMIT, &name, &arguments).await?;
        let Some(pending) = met_pending(&reply) else { return self.answer(old, reply, Some(now)).await };
        // The old session itself is the result of an unfinished rotation.
        match self.settle(old, decoded(old, pending)?).await? {
            Some(_) => {
                let reply = self.line.run(&COMMIT, &name, &arguments).await?;
                self.answer(old, reply, Some(now)).await
            }
            None => Ok(Written::Gone),
        }
    }

    /// Promotes the record of a committed rotation. A reader may have done so first, and the session may have been
    /// rotated or ended since: the rotation was applied all the same.
    async fn arrive(&self, new: &StoreKey, etag: Etag) -> Result<Written, StoreError> {
        if self.promote(new, etag).await? == Written::Applied || self.get(new).await?.is_some() {
            return Ok(Written::Applied);
        }
        // Removed by the server before its time.
        Ok(Written::Gone)
    }

    async fn promote(&self, key: &StoreKey, etag: Etag) -> Result<Written, StoreError> {
        written(key, self.line.run(&PROMOTE, &self.key(key), &[&codec::encode_etag(etag)]).await?)
    }
}

/// The tombstone of a rotation that stopped a script.
fn met_rotated(reply: &Value) -> Option<&[u8]> {
    match reply {
        Value::Array(parts) => match &parts[..] {
            [Value::Int(7), Value::BulkString(stone)] => Some(stone),
            _ => None,
        },
        _ => None,
    }
}
