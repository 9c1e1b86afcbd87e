//! The index by owner: a partition of entries that may be too many and never too few, checked against the sessions.
//!
//! An entry is written with its session or before it and lapses after it. So a consistent read of the partition names
//! every session of the owner that was acknowledged before; what it names beyond that is dropped when the session
//! itself is read: the dead, the rotated, those who changed hands.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use session_core::{
    Timestamp,
    store::{Loaded, OwnerIndex, Record, StoreError, StoreErrorKind, StoreKey, async_trait},
};
use tokio::task::JoinSet;

use crate::call::{Outcome, pause};
use crate::failure::store_error;
use crate::item::{self, Item, NAME};
use crate::names::{OWNER_ID, PK};
use crate::store::{DynamoDbStore, Inner};
use crate::write;

/// Each request has the store's deadline; the whole takes as many as there are pages and sessions.
#[async_trait]
impl OwnerIndex for DynamoDbStore {
    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError> {
        let mut sessions = Vec::new();
        for (key, item) in self.inner().owned(owner, now).await? {
            match item::read(&item) {
                Ok(Loaded::Found(record)) if record.is_live(now) => sessions.push((key, record)),
                Ok(_) => {}
                Err(error) if error.kind() == StoreErrorKind::Corrupt => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sessions)
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
        // A session that rotated while it was to be ended stands under a new key: look again until nothing is left.
        for _ in 0..MOST_PASSES {
            let standing = self.inner().owned(&owner, now).await?;
            let keys: Vec<_> =
                standing.into_iter().map(|(key, _)| key).filter(|key| Some(key) != except).collect();
            if keys.is_empty() {
                break;
            }
            ended += self.bury(&owner, keys, now, tombstone_until).await?;
        }
        Ok(ended)
    }
}

impl DynamoDbStore {
    /// Buries these sessions, some at a time, and all of them even if one fails. Says how many were live.
    async fn bury(
        &self,
        owner: &Arc<str>,
        keys: Vec<StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut keys = keys.into_iter();
        let mut running = JoinSet::new();
        let (mut ended, mut failed) = (0, None);
        loop {
            while running.len() < MOST_AT_ONCE
                && let Some(key) = keys.next()
            {
                let (store, owner) = (self.clone(), Arc::clone(owner));
                running.spawn(async move { store.inner().bury(&owner, &key, now, until).await });
            }
            match running.join_next().await {
                None => break,
                Some(Ok(Ok(Buried::Live))) => ended += 1,
                Some(Ok(Ok(Buried::Dead))) => {}
                Some(Ok(Err(error))) => failed = Some(error),
                Some(Err(broken)) => failed = Some(StoreError::unavailable(NAME, broken)),
            }
        }
        failed.map_or(Ok(ended), Err)
    }
}

/// What a burial found.
enum Buried {
    Live,
    Dead,
}

impl Inner {
    async fn bury(
        &self,
        owner: &str,
        key: &StoreKey,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Buried, StoreError> {
        let burial = write::burial_of_owned(&self.names, key, owner, until);
        match self.calls.within(self.calls.write(&burial)).await? {
            Outcome::Done(Some(old)) => match item::read(&old) {
                Ok(Loaded::Found(record)) if record.is_live(now) => Ok(Buried::Live),
                _ => Ok(Buried::Dead),
            },
            Outcome::Done(None) | Outcome::Refused(None) => Ok(Buried::Dead),
            // Retired meanwhile, or somebody else's by now. What is newer is left alone, and said to be so.
            Outcome::Refused(Some(standing)) => match item::read(&standing) {
                Err(error) if error.kind() == StoreErrorKind::Newer => Err(error),
                _ => Ok(Buried::Dead),
            },
        }
    }

    /// The items of the owner's sessions that are no tombstones, live or not.
    async fn owned(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Item)>, StoreError> {
        let keys = self.entries(owner, now).await?;
        let mut owned = Vec::new();
        for some in keys.chunks(MOST_KEYS) {
            for item in self.fetch(some).await? {
                let theirs = matches!(item.get(OWNER_ID), Some(AttributeValue::S(name)) if name == owner);
                if let Some(key) = item::read_key(&item).filter(|_| theirs) {
                    owned.push((key, item));
                }
            }
        }
        Ok(owned)
    }

    /// The keys that the owner's partition names, dead ones among them.
    async fn entries(&self, owner: &str, now: Timestamp) -> Result<Vec<StoreKey>, StoreError> {
        let (mut keys, mut from) = (Vec::new(), None);
        loop {
            let query = self.calls.client.query().table_name(&self.calls.table).consistent_read(true);
            let query = query
                .key_condition_expression(format!("{PK} = :owner"))
                .expression_attribute_values(":owner", AttributeValue::S(self.names.owner(owner)))
                .set_exclusive_start_key(from);
            let answer = async { query.send().await.map_err(|error| store_error("Query", error)) };
            let page = self.calls.within(answer).await?;
            keys.extend(page.items().iter().filter_map(|entry| item::read_entry(entry, now)));
            from = page.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Reads up to [`MOST_KEYS`] sessions' items, consistently.
    async fn fetch(&self, keys: &[StoreKey]) -> Result<Vec<Item>, StoreError> {
        let mut wanted: Vec<Item> = keys.iter().map(|key| self.names.session(key)).collect();
        let mut items = Vec::with_capacity(keys.len());
        for round in 0..MOST_ROUNDS {
            if wanted.is_empty() {
                return Ok(items);
            }
            if round > 0 {
                pause(round).await;
            }
            let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
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

/// How often `destroy_all` looks again. Each further pass needs a session that moved during the one before.
const MOST_PASSES: usize = 8;
/// How many sessions `destroy_all` ends at the same time.
const MOST_AT_ONCE: usize = 16;
/// How many keys the server takes in one `BatchGetItem`.
const MOST_KEYS: usize = 100;
/// How often keys that the server left out are asked for again. One answer holds up to 16 MB, so that 100 of the largest
/// records take three.
const MOST_ROUNDS: u32 = 12;
