//! The four primitives as etcd transactions, expiry as leases, and the index by owner as keys under a common prefix.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use session_core::{StoreError, StoreKey, Timestamp, async_trait};
use session_store_kv::codec::encode_moment;
use session_store_kv::{CasEngine, OwnerSet, Owners, Swapped};

use crate::NAME;
use crate::gateway::{Gateway, is_not_found};

/// The keys of one application in a cluster.
#[derive(Debug)]
pub(crate) struct Engine {
    gateway: Gateway,
    prefix: String,
    /// The lease that ends with each minute, by the number of the minute since 1970.
    leases: Mutex<BTreeMap<i64, String>>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    kvs: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    key: String,
    #[serde(default)]
    value: String,
    mod_revision: String,
}

#[derive(Deserialize)]
struct Decided {
    header: Header,
    #[serde(default)]
    succeeded: bool,
}

#[derive(Deserialize)]
struct Header {
    revision: String,
}

impl Engine {
    pub(crate) fn new(gateway: Gateway, prefix: String) -> Self {
        Self { gateway, prefix, leases: Mutex::default() }
    }

    fn key(&self, key: &str) -> String {
        STANDARD.encode(format!("{}{key}", self.prefix))
    }

    /// Runs a transaction that puts the bytes under a key until their expiry. `transaction` is given the put.
    async fn put(
        &self,
        (key, bytes, expiry): (&str, &[u8], Timestamp),
        transaction: impl Fn(Value) -> Value,
    ) -> Result<Option<String>, StoreError> {
        let (key, value) = (self.key(key), STANDARD.encode(bytes));
        let put = |lease| transaction(json!({"request_put": {"key": key, "value": value, "lease": lease}}));
        match self.commit(put(self.lease(expiry).await?)).await {
            // An operator revoked it, or this machine's clock was set back.
            Err(error) if is_not_found(&error) => {
                self.leases().clear();
                self.commit(put(self.lease(expiry).await?)).await
            }
            answer => answer,
        }
    }

    /// Runs a transaction, and returns its revision if the comparison held.
    async fn commit(&self, transaction: Value) -> Result<Option<String>, StoreError> {
        let decided: Decided = self.gateway.call("kv/txn", &transaction).await?;
        Ok(decided.succeeded.then_some(decided.header.revision))
    }

    fn leases(&self) -> MutexGuard<'_, BTreeMap<i64, String>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lease that ends one to two minutes after this moment. All entries of the same minute share it.
    async fn lease(&self, expiry: Timestamp) -> Result<String, StoreError> {
        #[derive(Deserialize)]
        struct Granted {
            #[serde(rename = "ID")]
            id: String,
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX - LONGEST);
        let latest = (now + LONGEST) / 60;
        let minute = (expiry.as_millis().div_euclid(60_000)).clamp(now / 60, latest) + 2;
        if let Some(lease) = self.leases().get(&minute) {
            return Ok(lease.clone());
        }
        let seconds = (minute * 60 - now).to_string();
        let Granted { id } = self.gateway.call("lease/grant", &json!({"TTL": seconds})).await?;
        let mut leases = self.leases();
        leases.retain(|minute, _| *minute * 60 > now);
        leases.insert(minute, id.clone());
        Ok(id)
    }

    fn unchanged(&self, key: &str, version: &str) -> Value {
        json!({"key": self.key(key), "target": "MOD", "mod_revision": version})
    }

    async fn range(&self, query: Value) -> Result<Vec<Entry>, StoreError> {
        Ok(self.gateway.call::<Found>("kv/range", &query).await?.kvs)
    }
}

#[async_trait]
impl CasEngine for Engine {
    /// The revision of the last write: etcd never uses one twice.
    type Version = String;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, String)>, StoreError> {
        let Some(entry) = self.range(json!({"key": self.key(key)})).await?.pop() else { return Ok(None) };
        Ok(Some((decode(&entry.value)?, entry.mod_revision)))
    }

    async fn add(&self, key: &str, bytes: &[u8], expiry: Timestamp) -> Result<Option<String>, StoreError> {
        let absent = json!({"key": self.key(key), "target": "CREATE", "create_revision": "0"});
        self.put((key, bytes, expiry), |put| json!({"compare": [absent], "success": [put]})).await
    }

    async fn swap(
        &self,
        key: &str,
        version: &String,
        bytes: &[u8],
        expiry: Timestamp,
    ) -> Result<Swapped, StoreError> {
        let unchanged = self.unchanged(key, version);
        let put = self.put((key, bytes, expiry), |put| json!({"compare": [unchanged], "success": [put]}));
        Ok(put.await?.map_or(Swapped::Changed, |_| Swapped::Done))
    }

    async fn remove(&self, key: &str, version: &String) -> Result<Swapped, StoreError> {
        let delete = json!({"request_delete_range": {"key": self.key(key)}});
        let transaction = json!({"compare": [self.unchanged(key, version)], "success": [delete]});
        Ok(self.commit(transaction).await?.map_or(Swapped::Changed, |_| Swapped::Done))
    }

    fn owners(&self) -> Owners<'_> {
        Owners::Set(self)
    }
}

/// One key for each member, with its expiry as the value.
#[async_trait]
impl OwnerSet for Engine {
    async fn insert(
        &self,
        owner: &str,
        member: &StoreKey,
        expiry: Timestamp,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        let (key, value) = (member_name(owner, member), encode_moment(expiry));
        // Byte order is time order. The comparison fails if there is no such key.
        let later = json!({"key": self.key(&key), "target": "VALUE", "result": "GREATER",
            "value": STANDARD.encode(value)});
        self.put((&key, &value, expiry), |put| json!({"compare": [later], "failure": [put]})).await.map(drop)
    }

    async fn remove(&self, owner: &str, member: &StoreKey) -> Result<(), StoreError> {
        let key = self.key(&member_name(owner, member));
        self.gateway.call("kv/deleterange", &json!({"key": key})).await.map(|_: Value| ())
    }

    async fn members(&self, owner: &str, _now: Timestamp) -> Result<Vec<StoreKey>, StoreError> {
        let (first, end) = (self.key(&format!("o-{owner}/")), self.key(&format!("o-{owner}0")));
        let entries = self.range(json!({"key": first, "range_end": end, "keys_only": true})).await?;
        entries.iter().map(|entry| member(&decode(&entry.key)?)).collect()
    }
}

fn member_name(owner: &str, member: &StoreKey) -> String {
    format!("o-{owner}/{member}")
}

/// The member at the end of a key.
fn member(key: &[u8]) -> Result<StoreKey, StoreError> {
    let text = key.last_chunk::<64>().and_then(|hex| std::str::from_utf8(hex).ok()).unwrap_or_default();
    text.parse().map_err(|error| StoreError::unavailable(NAME, error))
}

fn decode(text: &str) -> Result<Vec<u8>, StoreError> {
    STANDARD.decode(text).map_err(|error| StoreError::unavailable(NAME, error))
}

/// A lease of etcd lasts 285 years at most; this is a hundred.
const LONGEST: i64 = 100 * 366 * 86_400;
