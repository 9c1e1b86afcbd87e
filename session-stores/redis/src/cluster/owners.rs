//! The owner index across nodes: it may contain stale entries, but never misses a session.

use async_trait::async_trait;
use futures_util::future::{join_all, try_join_all};
use redis::Value;
use session_core::{
    Timestamp,
    store::{Cursor, Loaded, OwnerIndex, Page, Record, SessionHead, StoreError, StoreKey},
};

use super::store::RedisClusterStore;
use session_store_kv::codec::{self, Entry};

use crate::fault::strange_reply;
use crate::owners::{MOST_AT_ONCE, next_cursor, session_key};
use crate::script::{DESTROY_OWNED, INDEX_ADD};

#[async_trait]
impl OwnerIndex for RedisClusterStore {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        let trips = async {
            let (members, next) = self.members(owner, from, most).await?;
            let loaded = join_all(members.iter().map(|key| self.look(key))).await;
            let mut sessions = Vec::with_capacity(members.len());
            for (key, loaded) in members.into_iter().zip(loaded) {
                sessions.extend(theirs(key, loaded?, owner, now));
            }
            Ok(Page::new(sessions, next))
        };
        self.line.all_within(trips).await
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let trips = async {
            let (members, next) = self.members(owner, from, most).await?;
            let heads = try_join_all(members.iter().map(|key| self.head(key, owner, now))).await?;
            Ok(Page::new(heads.into_iter().flatten().collect(), next))
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
        let mut total = 0;
        for _ in 0..MOST_PASSES {
            let (mut ended, mut pages, mut from) = (0, 0, None);
            loop {
                let page = self.end_page(owner, from.as_ref(), except, now, tombstone_until);
                let (number, next) = self.line.all_within(page).await?;
                (ended, pages, from) = (ended + number, pages + 1, next);
                if from.is_none() {
                    break;
                }
            }
            total += ended;
            // In a longer list, a session that was rotated meanwhile may stand where nobody has looked again.
            if pages == 1 || ended == 0 {
                break;
            }
        }
        Ok(total)
    }
}

impl RedisClusterStore {
    /// Ends the sessions of one page. Returns how many were live, and where the next page begins.
    async fn end_page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        except: Option<&StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(usize, Option<Cursor>), StoreError> {
        let (members, next) = self.members(owner, from, MOST_AT_ONCE).await?;
        let doomed = members.iter().filter(|key| Some(*key) != except);
        let ends = doomed.map(async |key| {
            let tombstone = codec::encode_tombstone(key, until, None);
            let arguments: [&[u8]; 3] = [owner.as_bytes(), &codec::encode_moment(now), &tombstone];
            let reply = self.line.run(&DESTROY_OWNED, &self.key(key), &arguments).await?;
            Ok::<_, StoreError>((key, verdict(&reply)?))
        });
        let ended = try_join_all(ends).await?;
        // Only what is surely dead leaves the index: a key with nothing under it may be a session about to be.
        let dead: Vec<_> =
            ended.iter().filter(|(_, end)| *end != End::NotHere).map(|(key, _)| *key).collect();
        self.unindex(owner, &dead).await?;
        Ok((ended.iter().filter(|(_, end)| *end == End::Live).count(), next))
    }

    /// The head of one session, without its payload. What is no record may be a rotation in progress, and is looked at.
    async fn head(
        &self,
        key: &StoreKey,
        owner: &str,
        now: Timestamp,
    ) -> Result<Option<SessionHead>, StoreError> {
        let mut range = redis::cmd("GETRANGE");
        range.arg(self.key(key)).arg(0).arg(codec::head_len(owner) - 1);
        let Value::BulkString(bytes) = self.line.read(&range).await? else { return Err(strange_reply()) };
        if bytes.is_empty() {
            return Ok(None);
        }
        if let Some(head) = codec::decode_head(key, &bytes, owner) {
            return Ok(Some(head).filter(|head| now < head.deadline()));
        }
        let found = theirs(*key, self.look(key).await?, owner, now);
        Ok(found.map(|(key, record)| SessionHead::of(key, &record)))
    }

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
        let arguments: [&[u8]; 3] =
            [member.as_bytes(), &codec::encode_moment(dead), &codec::encode_moment(now)];
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

    async fn members(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
    ) -> Result<(Vec<StoreKey>, Option<Cursor>), StoreError> {
        let mut scan = redis::cmd("ZSCAN");
        scan.arg(self.owner_key(owner.as_bytes())).arg(from.map_or("0", Cursor::as_str));
        scan.arg("COUNT").arg(most.clamp(1, MOST_AT_ONCE));
        let Value::Array(reply) = self.line.read(&scan).await? else { return Err(strange_reply()) };
        let mut reply = reply.into_iter();
        let next = next_cursor(reply.next())?;
        let Some(Value::Array(members)) = reply.next() else { return Err(strange_reply()) };
        // Each member is followed by its score.
        let keys = members.into_iter().step_by(2).map(|member| match member {
            Value::BulkString(hex) => session_key(&hex),
            _ => Err(strange_reply()),
        });
        Ok((keys.collect::<Result<_, _>>()?, next))
    }

    async fn look(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        match self.get(key).await?.map(|value| Entry::decode(key, &value)) {
            Some(Ok(entry)) => Ok(self.settle(key, entry).await?.map_or(Loaded::Missing, Entry::into_loaded)),
            // A record that cannot be decoded is skipped; loading it returns the error.
            Some(Err(_)) | None => Ok(Loaded::Missing),
        }
    }

    fn owner_key(&self, owner: &[u8]) -> Vec<u8> {
        [self.owners.as_bytes(), owner].concat()
    }
}

/// The session, if it is this owner's and alive.
fn theirs(key: StoreKey, loaded: Loaded, owner: &str, now: Timestamp) -> Option<(StoreKey, Record)> {
    match loaded {
        Loaded::Found(record) if record.owner.as_deref() == Some(owner) && record.is_live(now) => {
            Some((key, record))
        }
        _ => None,
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

/// How often `destroy_all` goes through a long index.
const MOST_PASSES: usize = 16;
