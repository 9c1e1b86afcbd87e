//! A session changes its key between two slots: pend, commit, promote. The protocol is on [`RedisClusterStore`].

use redis::Value;
use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, StoreError, StoreKey, Written},
};

use super::store::{RedisClusterStore, met_pending, settled};
use crate::codec::{self, Stored};
use crate::fault::strange_reply;
use crate::script::{COMMIT, PEND, PROMOTE, WITHDRAW};
use crate::store::written;

impl RedisClusterStore {
    /// What a value means once it is known whether a pending record in it counts. One that does is promoted.
    pub(super) async fn settle(&self, key: &StoreKey, stored: Stored) -> Result<Loaded, StoreError> {
        let pending = match settled(stored) {
            Ok(loaded) => return Ok(loaded),
            Err(pending) => pending,
        };
        let etag = pending.record.etag;
        let committed =
            self.get(&pending.old).await?.is_some_and(|stone| codec::points_to(&stone, key, etag));
        if !committed {
            return Ok(Loaded::Missing);
        }
        match self.promote(key, etag).await? {
            Written::Applied => Ok(Loaded::Found(pending.record)),
            _ => Ok(Loaded::Missing),
        }
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
        let pending = codec::pending(old, record);
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
        let stone = codec::pointer(until, new, record.etag);
        let committed = self.commit(old, &stone, now, expected, there).await?;
        match (committed, there) {
            (Written::Applied, _) => self.promote(new, record.etag).await,
            (refused, b"pending") => {
                self.line.run(&WITHDRAW, &name, &[&codec::etag(record.etag)]).await?;
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
        let (name, now, expected) = (self.key(old), codec::moment(now), codec::etag(expected));
        let arguments: [&[u8]; 4] = [stone, &now, &expected, there];
        let reply = self.line.run(&COMMIT, &name, &arguments).await?;
        let Some(pending) = met_pending(&reply) else { return written(reply) };
        // The old session itself came here by a rotation that nobody has finished yet.
        match self.settle(old, codec::decode(Some(pending.to_vec()))?).await? {
            Loaded::Found(_) => written(self.line.run(&COMMIT, &name, &arguments).await?),
            Loaded::Missing | Loaded::Ended { .. } => Ok(Written::Gone),
        }
    }

    async fn promote(&self, key: &StoreKey, etag: Etag) -> Result<Written, StoreError> {
        written(self.line.run(&PROMOTE, &self.key(key), &[&codec::etag(etag)]).await?)
    }
}
