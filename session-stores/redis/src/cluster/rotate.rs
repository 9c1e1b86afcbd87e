//! A session changes its key between two slots: pend, commit, promote. The protocol is on [`RedisClusterStore`].

use redis::Value;
use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, StoreError, StoreKey, Written},
};
use session_store_kv::codec::{self, Entry, Successor};

use super::store::{RedisClusterStore, met_pending};
use crate::fault::strange_reply;
use crate::script::{COMMIT, PEND, PROMOTE, WITHDRAW};
use crate::store::{entry, written};

impl RedisClusterStore {
    /// What a value means once it is known whether a pending record in it counts. One that does is promoted.
    pub(super) async fn settle(&self, key: &StoreKey, entry: Entry) -> Result<Loaded, StoreError> {
        let (old, record) = match entry {
            Entry::Pending { old, record } => (old, record),
            Entry::Record(_) | Entry::Tombstone { .. } => return Ok(entry.into_loaded()),
        };
        let etag = record.etag;
        let there = self.get(&old).await?.and_then(|value| Entry::decode(&old, &value).ok());
        let target = Successor { key: *key, etag };
        if !matches!(there, Some(Entry::Tombstone { successor: Some(successor), .. }) if successor == target)
        {
            return Ok(Loaded::Missing);
        }
        match self.promote(key, etag).await? {
            Written::Applied => Ok(Loaded::Found(record)),
            _ => Ok(Loaded::Missing),
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
        let mut found = entry(key, stone)?;
        while let Entry::Tombstone { successor: Some(Successor { key, .. }), .. } = found {
            let Some(there) = self.get(&key).await? else { return Ok(Written::Gone) };
            let settled = match Entry::decode(&key, &there) {
                Ok(tombstone @ Entry::Tombstone { .. }) => {
                    found = tombstone;
                    continue;
                }
                Ok(there) => self.settle(&key, there).await?,
                Err(_) => return Ok(Written::Gone),
            };
            return Ok(match settled {
                Loaded::Found(record) if now.is_none_or(|now| record.is_live(now)) => {
                    Written::Moved { key, record }
                }
                Loaded::Found(_) | Loaded::Ended { .. } | Loaded::Missing => Written::Gone,
            });
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
            (Written::Applied, _) => self.promote(new, record.etag).await,
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
        match self.settle(old, entry(old, pending)?).await? {
            Loaded::Found(_) => {
                let reply = self.line.run(&COMMIT, &name, &arguments).await?;
                self.answer(old, reply, Some(now)).await
            }
            Loaded::Missing | Loaded::Ended { .. } => Ok(Written::Gone),
        }
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
