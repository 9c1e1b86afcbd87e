//! The four primitives as etcd transactions, expiry as leases, and the index by owner as keys under a common prefix.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};
use session_core::{
    Timestamp,
    store::{StoreError, StoreKey, async_trait},
};
use session_store_kv::codec::encode_moment;
use session_store_kv::{CasEngine, OwnerSet, Owners, Swapped};

use crate::NAME;
use crate::gateway::{Gateway, refusal, unavailable};

/// The keys of one application in a cluster.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) gateway: Gateway,
    pub(crate) prefix: String,
    /// The lease that ends with each minute, by the number of the minute since 1970.
    pub(crate) leases: Mutex<BTreeMap<i64, String>>,
}

impl Engine {
    fn key(&self, key: &str) -> String {
        STANDARD.encode(format!("{}{key}", self.prefix))
    }

    fn unchanged(&self, key: &str, version: &str) -> Value {
        json!({"key": self.key(key), "target": "MOD", "mod_revision": version})
    }

    /// Puts the bytes under a key until their expiry, in the transaction made by `transaction` of this operation.
    async fn put(
        &self,
        (key, bytes, expiry): (&str, &[u8], Timestamp),
        transaction: impl Fn(Value) -> Value,
    ) -> Result<Option<String>, StoreError> {
        let (key, value) = (self.key(key), STANDARD.encode(bytes));
        let put = |lease| transaction(json!({"request_put": {"key": key, "value": value, "lease": lease}}));
        match self.commit(put(self.lease(expiry).await?)).await {
            // An operator revoked the lease, or this machine's clock was set back.
            Err(error) if refusal(&error).is_some_and(|refusal| refusal.status == StatusCode::NOT_FOUND) => {
                self.leases().clear();
                self.commit(put(self.lease(expiry).await?)).await
            }
            answer => answer,
        }
    }

    /// Runs a transaction, and returns its revision if the comparison held.
    async fn commit(&self, transaction: Value) -> Result<Option<String>, StoreError> {
        let answer = self.gateway.call("kv/txn", &transaction).await?;
        let revision = || answer["header"]["revision"].as_str().unwrap_or_default().to_owned();
        Ok((answer["succeeded"] == true).then(revision))
    }

    /// A lease that ends one to two minutes after this moment. All entries of the same minute share it.
    async fn lease(&self, expiry: Timestamp) -> Result<String, StoreError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX / 2);
        let minute = (expiry.as_millis() / 60_000).clamp(now / 60, (now + LONGEST) / 60) + 2;
        if let Some(lease) = self.leases().get(&minute) {
            return Ok(lease.clone());
        }
        let seconds = (minute * 60 - now).to_string();
        let granted = self.gateway.call("lease/grant", &json!({"TTL": seconds})).await?;
        let lease = granted["ID"].as_str().unwrap_or_default().to_owned();
        let mut leases = self.leases();
        leases.retain(|minute, _| *minute * 60 > now);
        leases.insert(minute, lease.clone());
        Ok(lease)
    }

    fn leases(&self) -> MutexGuard<'_, BTreeMap<i64, String>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CasEngine for Engine {
    /// The revision of the last write: etcd uses none twice.
    type Version = String;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, String)>, StoreError> {
        let found = self.gateway.call("kv/range", &json!({"key": self.key(key)})).await?;
        let Some(entry) = found["kvs"].get(0) else { return Ok(None) };
        let version = entry["mod_revision"].as_str().unwrap_or_default().to_owned();
        Ok(Some((decode(&entry["value"])?, version)))
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
        let (key, value) = (format!("o-{owner}/{member}"), encode_moment(expiry));
        // Byte order is time order. The comparison fails if there is no such key.
        let later = json!({"key": self.key(&key), "target": "VALUE", "result": "GREATER", "value": STANDARD.encode(value)});
        self.put((&key, &value, expiry), |put| json!({"compare": [later], "failure": [put]})).await.map(drop)
    }

    async fn remove(&self, owner: &str, member: &StoreKey) -> Result<(), StoreError> {
        let key = self.key(&format!("o-{owner}/{member}"));
        self.gateway.call("kv/deleterange", &json!({"key": key})).await.map(drop)
    }

    async fn members(&self, owner: &str, _now: Timestamp) -> Result<Vec<StoreKey>, StoreError> {
        let (first, end) = (self.key(&format!("o-{owner}/")), self.key(&format!("o-{owner}0")));
        let query = json!({"key": first, "range_end": end, "keys_only": true});
        let found = self.gateway.call("kv/range", &query).await?;
        let keys = found["kvs"].as_array().into_iter().flatten().map(|entry| decode(&entry["key"]));
        // What is no member under this prefix was not written by this library.
        Ok(keys.collect::<Result<Vec<_>, _>>()?.iter().filter_map(|key| member(key)).collect())
    }

    async fn members_after(
        &self,
        owner: &str,
        after: Option<&StoreKey>,
        most: usize,
        _now: Timestamp,
    ) -> Result<Vec<StoreKey>, StoreError> {
        // The key behind another one in order is that key and a zero.
        let first = after.map(|key| format!("{key}\0")).unwrap_or_default();
        let (first, end) = (self.key(&format!("o-{owner}/{first}")), self.key(&format!("o-{owner}0")));
        let query = json!({"key": first, "range_end": end, "keys_only": true, "limit": most});
        let found = self.gateway.call("kv/range", &query).await?;
        let keys = found["kvs"].as_array().into_iter().flatten().map(|entry| decode(&entry["key"]));
        Ok(keys.collect::<Result<Vec<_>, _>>()?.iter().filter_map(|key| member(key)).collect())
    }
}

fn member(key: &[u8]) -> Option<StoreKey> {
    std::str::from_utf8(key.last_chunk::<64>()?).ok()?.parse().ok()
}

/// Decodes bytes in an answer, which leaves empty ones out.
fn decode(text: &Value) -> Result<Vec<u8>, StoreError> {
    STANDARD.decode(text.as_str().unwrap_or_default()).map_err(unavailable)
}

/// A hundred years in seconds; etcd's own limit is 285.
const LONGEST: i64 = 100 * 366 * 86_400;
