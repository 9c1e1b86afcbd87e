//! The owner index: a partition of entries per owner, which may be stale but never incomplete, checked against the
//! sessions.
//!
//! An entry is written with its session or before it, and expires after it. A consistent read of the partition
//! therefore contains every session of the owner that was acknowledged before. Stale entries, of sessions that have
//! ended, were rotated or belong to another owner by now, are skipped when the session itself is read.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use session_core::{
    Timestamp,
    store::{
        Cursor, Loaded, OwnerIndex, Page, Record, SessionHead, StoreError, StoreErrorKind, StoreKey,
        async_trait,
    },
};
use tokio::task::JoinSet;

use crate::call::{Outcome, pause};
use crate::failure::store_error;
use crate::item::{self, Item, NAME};
use crate::names::{OWNER_ID, PK, SK};
use crate::store::{DynamoDbStore, Inner};
use crate::write;

/// The deadline applies to each request, not to the whole operation, which takes a number of requests that depends on
/// the number of sessions.
#[async_trait]
impl OwnerIndex for DynamoDbStore {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        let (items, next) = self.inner().owned(owner, from, most, Parts::All, now).await?;
        let mut sessions = Vec::with_capacity(items.len());
        for (key, item) in items {
            match item::read(&item) {
                Ok(Loaded::Found(record)) if record.is_live(now) => sessions.push((key, record)),
                Ok(_) => {}
                Err(error) if error.kind() == StoreErrorKind::Corrupt => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Page::new(sessions, next))
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let (items, next) = self.inner().owned(owner, from, most, Parts::Head, now).await?;
        let mut heads = Vec::with_capacity(items.len());
        for (key, item) in items {
            heads.extend(item::read_head(&key, &item)?.filter(|head| now < head.deadline()));
        }
        Ok(Page::new(heads, next))
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let owner: Arc<str> = owner.into();
        let mut ended = 0;
        // A session that was rotated in the meantime has a new store key, so repeat until no session is left.
        for _ in 0..MOST_PASSES {
            let (mut found, mut from) = (0, None);
            loop {
                let page = self.inner().owned(&owner, from.as_ref(), MOST_KEYS, Parts::Head, now).await?;
                let heads: Vec<_> = page.0.into_iter().filter(|(key, _)| Some(key) != except).collect();
                found += heads.len();
                ended += self.bury(&owner, heads, now, tombstone_until).await?;
                from = page.1;
                if from.is_none() {
                    break;
                }
            }
            if found == 0 {
                break;
            }
        }
        Ok(ended)
    }
}

/// What is read of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parts {
    All,
    /// Everything but the payload.
    Head,
}

impl DynamoDbStore {
    /// Replaces these sessions by tombstones, several at a time, and continues if one fails. Returns how many were
    /// live, by their heads.
    async fn bury(
        &self,
        owner: &Arc<str>,
        heads: Vec<(StoreKey, Item)>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut heads = heads.into_iter();
        let mut running = JoinSet::new();
        let (mut ended, mut failed) = (0, None);
        loop {
            while running.len() < MOST_AT_ONCE
                && let Some((key, item)) = heads.next()
            {
                let (store, owner) = (self.clone(), Arc::clone(owner));
                let head = item::read_head(&key, &item).ok().flatten();
                let is_live = head.is_some_and(|head| now < head.deadline());
                running.spawn(async move {
                    let is_ended = store.inner().bury(&owner, &key, until).await?;
                    Ok::<_, StoreError>(is_ended && is_live)
                });
            }
            match running.join_next().await {
                None => break,
                Some(Ok(Ok(was_live))) => ended += usize::from(was_live),
                Some(Ok(Err(error))) => failed = Some(error),
                Some(Err(broken)) => failed = Some(StoreError::unavailable(NAME, broken)),
            }
        }
        failed.map_or(Ok(ended), Err)
    }
}

impl Inner {
    /// Replaces a session of this owner by a tombstone, without reading its data. Returns whether it did: the session may
    /// have ended in the meantime, or belong to another owner by now.
    async fn bury(&self, owner: &str, key: &StoreKey, until: Timestamp) -> Result<bool, StoreError> {
        let burial = write::burial_of_owned(&self.names, key, owner, until);
        match self.calls.within(self.calls.write(&burial)).await? {
            Outcome::Done => Ok(true),
            Outcome::Refused(None) => Ok(false),
            // A record of a newer format is not changed and is an error.
            Outcome::Refused(Some(standing)) => match item::read(&standing) {
                Err(error) if error.kind() == StoreErrorKind::Newer => Err(error),
                _ => Ok(false),
            },
        }
    }

    /// Returns the items of a page of the owner's sessions, live or expired, without tombstones, and where the next page
    /// begins.
    async fn owned(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        parts: Parts,
        now: Timestamp,
    ) -> Result<(Vec<(StoreKey, Item)>, Option<Cursor>), StoreError> {
        let (keys, next) = self.entries(owner, from, most.clamp(1, MOST_KEYS), now).await?;
        let mut owned = Vec::with_capacity(keys.len());
        if !keys.is_empty() {
            for item in self.fetch(&keys, parts).await? {
                let theirs = matches!(item.get(OWNER_ID), Some(AttributeValue::S(name)) if name == owner);
                if let Some(key) = item::read_key(&item).filter(|_| theirs) {
                    owned.push((key, item));
                }
            }
        }
        Ok((owned, next))
    }

    /// Returns a page of the store keys in the owner's partition, including stale ones, and where the next page begins.
    async fn entries(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<(Vec<StoreKey>, Option<Cursor>), StoreError> {
        let partition = AttributeValue::S(self.names.owner(owner));
        let start = from.map(|cursor| {
            let key = AttributeValue::S(cursor.as_str().to_owned());
            Item::from([(PK.to_owned(), partition.clone()), (SK.to_owned(), key)])
        });
        let query = self.calls.client.query().table_name(&self.calls.table).consistent_read(true);
        let query = query
            .key_condition_expression(format!("{PK} = :owner"))
            .expression_attribute_values(":owner", partition)
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start);
        let answer = async { query.send().await.map_err(|error| store_error("Query", error)) };
        let page = self.calls.within(answer).await?;
        let keys = page.items().iter().filter_map(|entry| item::read_entry(entry, now)).collect();
        let next = match page.last_evaluated_key.and_then(|mut key| key.remove(SK)) {
            Some(AttributeValue::S(place)) => Some(Cursor::new(place)),
            _ => None,
        };
        Ok((keys, next))
    }

    /// Reads the items of up to [`MOST_KEYS`] sessions with a consistent read.
    async fn fetch(&self, keys: &[StoreKey], parts: Parts) -> Result<Vec<Item>, StoreError> {
        let mut wanted: Vec<Item> = keys.iter().map(|key| self.names.session(key)).collect();
        let mut items = Vec::with_capacity(keys.len());
        for round in 0..MOST_ROUNDS {
            if wanted.is_empty() {
                return Ok(items);
            }
            if round > 0 {
                pause(round).await;
            }
            let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true);
            let request = match parts {
                Parts::All => request,
                Parts::Head => request.projection_expression(item::head_attributes()),
            };
            let request = request.build();
            let request =
                request.map_err(|error| StoreError::new(StoreErrorKind::Refused, NAME).because(error))?;
            let call = self.calls.client.batch_get_item().request_items(&self.calls.table, request);
            let answer = async { call.send().await.map_err(|error| store_error("BatchGetItem", error)) };
            let answer = self.calls.within(answer).await?;
            items.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            wanted = answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, left)| left.keys).collect();
        }
        if wanted.is_empty() { Ok(items) } else { Err(StoreError::timeout(NAME)) }
    }
}

/// The maximum number of passes of `destroy_all`. A further pass is only needed if a session was rotated during the
/// previous one.
const MOST_PASSES: usize = 8;
/// The number of sessions that `destroy_all` ends concurrently.
const MOST_AT_ONCE: usize = 16;
/// The maximum number of keys of a `BatchGetItem`.
const MOST_KEYS: usize = 100;
/// The maximum number of requests for keys that the server has left out. A response is limited to 16 MB, so 100 of
/// the largest records take three.
const MOST_ROUNDS: u32 = 12;
