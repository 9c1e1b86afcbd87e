//! The sessions of one user across nodes: an index that may name too many, never too few.

use async_trait::async_trait;
use futures_util::future::{join_all, try_join_all};
use redis::Value;
use session_core::{
    Timestamp,
    store::{Loaded, OwnerIndex, Record, StoreError, StoreKey},
};

use super::store::RedisClusterStore;
use crate::codec;
use crate::fault::strange_reply;
use crate::owners::session_key;
use crate::script::{DESTROY_OWNED, INDEX_ADD};

#[async_trait]
impl OwnerIndex for RedisClusterStore {
    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError> {
        let trips = async {
            let members = self.members(owner).await?;
            let loaded = join_all(members.iter().map(|key| self.look(key))).await;
            let mut sessions = Vec::with_capacity(members.len());
            for (key, loaded) in members.into_iter().zip(loaded) {
                if let Loaded::Found(record) = loaded?
                    && record.owner.as_deref() == Some(owner)
                    && record.is_live(now)
                {
                    sessions.push((key, record));
                }
            }
            Ok(sessions)
        };
        self.line.all_within(trips).await
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let stone = codec::tombstone(tombstone_until);
        let trips = async {
            let members = self.members(owner).await?;
            let doomed = members.iter().filter(|key| Some(*key) != except);
            let ends = doomed.map(async |key| {
                let arguments: [&[u8]; 3] = [owner.as_bytes(), &codec::moment(now), &stone];
                let reply = self.line.run(&DESTROY_OWNED, &self.key(key), &arguments).await?;
                Ok::<_, StoreError>((key, verdict(&reply)?))
            });
            let ended = try_join_all(ends).await?;
            // Only what is surely dead leaves the index: a key with nothing under it may be a session about to be.
            let dead: Vec<_> =
                ended.iter().filter(|(_, end)| *end != End::NotHere).map(|(key, _)| *key).collect();
            self.unindex(owner, &dead).await?;
            Ok(ended.iter().filter(|(_, end)| *end == End::Live).count())
        };
        self.line.all_within(trips).await
    }
}

impl RedisClusterStore {
    /// Names the session in its owner's index, until it is surely dead.
    pub(super) async fn index(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(owner) = &record.owner else { return Ok(()) };
        let dead = record.absolute_deadline.unwrap_or(record.idle_deadline);
        self.index_until(owner.as_bytes(), key, dead, now).await
    }

    pub(super) async fn index_until(
        &self,
        owner: &[u8],
        key: &StoreKey,
        dead: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let member = key.to_string();
        let arguments: [&[u8]; 3] = [member.as_bytes(), &codec::moment(dead), &codec::moment(now)];
        self.line.run(&INDEX_ADD, &self.owner_key(owner), &arguments).await.map(drop)
    }

    async fn unindex(&self, owner: &str, dead: &[&StoreKey]) -> Result<(), StoreError> {
        if dead.is_empty() {
            return Ok(());
        }
        let mut remove = redis::cmd("ZREM");
        remove.arg(self.owner_key(owner.as_bytes()));
        dead.iter().for_each(|key| _ = remove.arg(key.to_string()));
        self.line.read(&remove).await.map(drop)
    }

    async fn members(&self, owner: &str) -> Result<Vec<StoreKey>, StoreError> {
        let mut range = redis::cmd("ZRANGE");
        range.arg(self.owner_key(owner.as_bytes())).arg(0).arg(-1);
        let Value::Array(members) = self.line.read(&range).await? else { return Err(strange_reply()) };
        let key = |member| match member {
            Value::BulkString(hex) => session_key(&hex),
            _ => Err(strange_reply()),
        };
        members.into_iter().map(key).collect()
    }

    async fn look(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        match codec::decode(self.get(key).await?) {
            Ok(stored) => self.settle(key, stored).await,
            // A record that cannot be read is no session; whoever loads it learns why.
            Err(_unreadable) => Ok(Loaded::Missing),
        }
    }

    fn owner_key(&self, owner: &[u8]) -> Vec<u8> {
        [self.owners.as_bytes(), owner].concat()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Live,
    Dead,
    NotHere,
}

fn verdict(reply: &Value) -> Result<End, StoreError> {
    let Value::Array(parts) = reply else { return Err(strange_reply()) };
    match parts[..] {
        [Value::Int(0)] => Ok(End::Dead),
        [Value::Int(1)] => Ok(End::Live),
        [Value::Int(3)] => Ok(End::NotHere),
        _ => Err(strange_reply()),
    }
}
