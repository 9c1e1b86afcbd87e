//! The sessions of one user: a sorted set per owner, kept by the same scripts that write the sessions.

use async_trait::async_trait;
use redis::Value;
use session_core::{
    Timestamp,
    store::{Loaded, OwnerIndex, Record, StoreError, StoreKey},
};

use crate::codec::{self, Stored};
use crate::fault::strange_reply;
use crate::script::{DESTROY_ALL, LIST};
use crate::store::RedisStore;

/// Atomic with the sessions themselves: each verb changes both in one script, and `destroy_all` is one script too, so a
/// session created meanwhile comes wholly before it (and is ended) or wholly after it (and is listed).
#[async_trait]
impl OwnerIndex for RedisStore {
    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError> {
        let Value::Array(found) = self.look_up(owner, now, b"list").await? else {
            return Err(strange_reply());
        };
        let mut sessions = Vec::with_capacity(found.len() / 2);
        let mut found = found.into_iter();
        while let (Some(name), Some(value)) = (found.next(), found.next()) {
            let (Value::BulkString(name), Value::BulkString(value)) = (name, value) else {
                return Err(strange_reply());
            };
            // A record that cannot be read is no session; whoever loads it learns why.
            if let Ok(Stored::Settled(Loaded::Found(record))) = codec::decode(Some(value)) {
                sessions.push((session_key(&name)?, record));
            }
        }
        Ok(sessions)
    }

    async fn count(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        counted(self.look_up(owner, now, b"count").await?)
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let spared = except.map(StoreKey::to_string).unwrap_or_default();
        let arguments: [&[u8]; 5] = [
            self.sessions.as_bytes(),
            owner.as_bytes(),
            &codec::moment(now),
            &codec::tombstone(tombstone_until),
            spared.as_bytes(),
        ];
        let reply = self.link.run(&DESTROY_ALL, &[&self.owner_key(owner)], &arguments).await;
        self.link.forget_all();
        counted(reply?)
    }
}

impl RedisStore {
    fn owner_key(&self, owner: &str) -> Vec<u8> {
        format!("{}{owner}", self.owners).into_bytes()
    }

    async fn look_up(&self, owner: &str, now: Timestamp, what: &[u8]) -> Result<Value, StoreError> {
        let arguments: [&[u8]; 4] = [self.sessions.as_bytes(), owner.as_bytes(), &codec::moment(now), what];
        self.link.run(&LIST, &[&self.owner_key(owner)], &arguments).await
    }
}

/// The session that a member of an index names.
pub(crate) fn session_key(member: &[u8]) -> Result<StoreKey, StoreError> {
    std::str::from_utf8(member).ok().and_then(|hex| hex.parse().ok()).ok_or_else(strange_reply)
}

fn counted(reply: Value) -> Result<usize, StoreError> {
    match reply {
        Value::Int(count) => usize::try_from(count).map_err(|_negative| strange_reply()),
        _ => Err(strange_reply()),
    }
}
