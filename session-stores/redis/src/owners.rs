//! The owner index: a sorted set per owner, updated by the scripts that write the sessions.

use async_trait::async_trait;
use redis::Value;
use session_core::{
    Timestamp,
    store::{Cursor, OwnerIndex, Page, Record, SessionHead, StoreError, StoreKey},
};
use session_store_kv::codec::{self, Entry};

use crate::fault::strange_reply;
use crate::script::{DESTROY_ALL, LIST};
use crate::store::RedisStore;

/// The index is updated atomically with the sessions: each verb changes both in one script. A script looks at no more than
/// a page of an index, since a server runs nothing else meanwhile; `destroy_all` is a single script for a user with up to
/// 128 sessions, and goes on until it finds none for a user with more.
#[async_trait]
impl OwnerIndex for RedisStore {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        let (found, next) = self.scan(owner, from, most, now, b"records").await?;
        // A record that cannot be decoded is skipped; loading it returns the error.
        let records = found.into_iter().filter_map(|(key, bytes)| match Entry::decode(&key, &bytes) {
            Ok(Entry::Record(record)) => Some((key, record)),
            _ => None,
        });
        Ok(Page::new(records.collect(), next))
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let (found, next) = self.scan(owner, from, most, now, b"heads").await?;
        let heads = found.iter().filter_map(|(key, bytes)| codec::decode_head(key, bytes, owner));
        Ok(Page::new(heads.collect(), next))
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut ended = 0;
        for _ in 0..MOST_PASSES {
            let _forgets = ForgetAll(self);
            let pass = self.end_all(owner, except, now, tombstone_until).await?;
            ended += pass.ended;
            // A single script saw the whole index. After several, a session may stand where nobody has looked again.
            if pass.batches == 1 || pass.ended == 0 {
                break;
            }
        }
        Ok(ended)
    }
}

/// What one way through an index did.
struct Pass {
    ended: usize,
    batches: usize,
}

/// Clears the near caches on drop: the sessions may have ended although the call failed or was dropped.
struct ForgetAll<'s>(&'s RedisStore);

impl Drop for ForgetAll<'_> {
    fn drop(&mut self) {
        self.0.link.forget_all();
    }
}

impl RedisStore {
    fn owner_key(&self, owner: &str) -> Vec<u8> {
        format!("{}{owner}", self.owners).into_bytes()
    }

    /// Reads a part of an index: the sessions that are the owner's and alive, whole or only their heads.
    async fn scan(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
        what: &[u8],
    ) -> Result<Scanned, StoreError> {
        let most = most.clamp(1, MOST_AT_ONCE).to_string();
        let arguments: [&[u8]; 6] = [
            self.sessions.as_bytes(),
            owner.as_bytes(),
            &codec::encode_moment(now),
            what,
            from.map_or("0", Cursor::as_str).as_bytes(),
            most.as_bytes(),
        ];
        parts(self.link.run(&LIST, &[&self.owner_key(owner)], &arguments).await?.reply)
    }

    async fn end_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Pass, StoreError> {
        let spared = except.map(StoreKey::to_string).unwrap_or_default();
        let (mut pass, mut kept) = (Pass { ended: 0, batches: 0 }, 0);
        loop {
            let (skipped, batch) = (kept.to_string(), BATCH.to_string());
            let arguments: [&[u8]; 7] = [
                self.sessions.as_bytes(),
                owner.as_bytes(),
                &codec::encode_moment(now),
                &codec::encode_moment(until),
                spared.as_bytes(),
                skipped.as_bytes(),
                batch.as_bytes(),
            ];
            let reply = self.link.run(&DESTROY_ALL, &[&self.owner_key(owner)], &arguments).await?.reply;
            let Value::Array(counts) = reply else { return Err(strange_reply()) };
            let [ended, left, seen] = &counts[..] else { return Err(strange_reply()) };
            pass.ended += counted(ended)?;
            pass.batches += 1;
            kept += counted(left)?;
            if counted(seen)? < BATCH {
                return Ok(pass);
            }
        }
    }
}

/// Sessions as a scan returns them, and where it goes on.
pub(crate) type Scanned = (Vec<(StoreKey, Vec<u8>)>, Option<Cursor>);

/// Parses the answer of a scan: the next cursor, then names and values.
pub(crate) fn parts(reply: Value) -> Result<Scanned, StoreError> {
    let Value::Array(found) = reply else { return Err(strange_reply()) };
    let mut found = found.into_iter();
    let next = next_cursor(found.next())?;
    let mut sessions = Vec::with_capacity(found.len() / 2);
    while let (Some(name), Some(value)) = (found.next(), found.next()) {
        match (name, value) {
            (Value::BulkString(name), Value::BulkString(value)) => {
                sessions.push((session_key(&name)?, value));
            }
            _ => return Err(strange_reply()),
        }
    }
    Ok((sessions, next))
}

/// Parses the first part of the answer of a scan; zero is the end.
pub(crate) fn next_cursor(reply: Option<Value>) -> Result<Option<Cursor>, StoreError> {
    match reply {
        Some(Value::BulkString(place)) if place == b"0" => Ok(None),
        Some(Value::BulkString(place)) => {
            let place = String::from_utf8(place).map_err(|_| strange_reply())?;
            Ok(Some(Cursor::new(place)))
        }
        _ => Err(strange_reply()),
    }
}

/// Parses the store key in a member of an index.
pub(crate) fn session_key(member: &[u8]) -> Result<StoreKey, StoreError> {
    std::str::from_utf8(member).ok().and_then(|hex| hex.parse().ok()).ok_or_else(strange_reply)
}

fn counted(reply: &Value) -> Result<usize, StoreError> {
    match reply {
        Value::Int(count) => usize::try_from(*count).map_err(|_negative| strange_reply()),
        _ => Err(strange_reply()),
    }
}

/// How many members one script looks at.
pub(crate) const MOST_AT_ONCE: usize = 250;
/// How many sessions one script ends.
const BATCH: usize = 128;
/// How often `destroy_all` goes through a long index. No user regenerates or signs in this often.
const MOST_PASSES: usize = 16;
