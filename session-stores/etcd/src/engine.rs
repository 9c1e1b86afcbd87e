//! The four primitives as etcd transactions, expiry as leases, and the index by owner as keys under a common prefix.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use session_core::{
    Timestamp,
    store::{StoreError, StoreKey, async_trait},
};
use session_store_kv::codec::encode_moment;
use session_store_kv::{CasEngine, OwnerSet, Owners, Prefix, Swapped};
use tokio::sync::Mutex;

use crate::NAME;
use crate::gateway::{Gateway, is_refused_with, text, unavailable};

/// The keys of one application in a cluster.
#[derive(Debug)]
pub(crate) struct Engine {
    gateway: Gateway,
    prefix: Prefix,
    /// The lease that ends with each minute, by the number of the minute since 1970.
    leases: Mutex<BTreeMap<i64, String>>,
}

impl Engine {
    pub(crate) fn new(gateway: Gateway, prefix: Prefix) -> Self {
        Self { gateway, prefix, leases: Mutex::default() }
    }

    fn key(&self, key: &str) -> String {
        STANDARD.encode(self.prefix.key(key))
    }

    fn unchanged(&self, key: &str, version: &str) -> Value {
        json!({"key": self.key(key), "target": "MOD", "mod_revision": version})
    }

    /// Puts the bytes under a key until their expiry, if the comparison leads to this branch of the transaction.
    async fn put(
        &self,
        (comparison, branch): (Value, &str),
        (key, bytes, expiry): (&str, &[u8], Timestamp),
    ) -> Result<Option<String>, StoreError> {
        let (key, value) = (self.key(key), STANDARD.encode(bytes));
        let put = |lease| json!({"request_put": {"key": key, "value": value, "lease": lease}});
        let transaction = |lease| json!({"compare": [comparison], branch: [put(lease)]});
        match self.commit(&transaction(self.lease(expiry).await?)).await {
            // An operator revoked the lease, or this machine's clock was set back.
            Err(error) if is_refused_with(&error, &["lease not found"]) => {
                self.leases.lock().await.clear();
                self.commit(&transaction(self.lease(expiry).await?)).await
            }
            answer => answer,
        }
    }

    /// Runs a transaction, and returns its revision if the comparison held.
    async fn commit(&self, transaction: &Value) -> Result<Option<String>, StoreError> {
        let answer = self.gateway.call("kv/txn", transaction).await?;
        Ok((answer["succeeded"] == true).then(|| text(&answer["header"]["revision"])))
    }

    /// Returns a lease that ends one to two minutes after this moment. All entries of the same minute share it.
    async fn lease(&self, expiry: Timestamp) -> Result<String, StoreError> {
        let now = Timestamp::now().as_millis() / 1_000;
        let minute = (expiry.as_millis() / 60_000).clamp(now / 60, (now + LONGEST) / 60) + 2;
        if let Some(lease) = self.leases.lock().await.get(&minute) {
            return Ok(lease.clone());
        }
        let seconds = (minute * 60 - now).to_string();
        let lease = text(&self.gateway.call("lease/grant", &json!({"TTL": seconds})).await?["ID"]);
        let mut leases = self.leases.lock().await;
        leases.retain(|minute, _| *minute * 60 > now);
        leases.insert(minute, lease.clone());
        Ok(lease)
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
        Ok(Some((decode(&entry["value"])?, text(&entry["mod_revision"]))))
    }

    async fn add(&self, key: &str, bytes: &[u8], expiry: Timestamp) -> Result<Option<String>, StoreError> {
        let absent = json!({"key": self.key(key), "target": "CREATE", "create_revision": "0"});
        self.put((absent, "success"), (key, bytes, expiry)).await
    }

    async fn swap(
        &self,
        key: &str,
        version: &String,
        bytes: &[u8],
        expiry: Timestamp,
    ) -> Result<Swapped, StoreError> {
        let put = self.put((self.unchanged(key, version), "success"), (key, bytes, expiry)).await?;
        Ok(put.map_or(Swapped::Changed, |_| Swapped::Done))
    }

    async fn remove(&self, key: &str, version: &String) -> Result<Swapped, StoreError> {
        let delete = json!({"request_delete_range": {"key": self.key(key)}});
        let transaction = json!({"compare": [self.unchanged(key, version)], "success": [delete]});
        Ok(self.commit(&transaction).await?.map_or(Swapped::Changed, |_| Swapped::Done))
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
        self.put((later, "failure"), (&key, &value, expiry)).await.map(drop)
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
fn decode(bytes: &Value) -> Result<Vec<u8>, StoreError> {
    STANDARD.decode(text(bytes)).map_err(unavailable)
}

/// A hundred years in seconds; etcd's own limit is 285.
const LONGEST: i64 = 100 * 366 * 86_400;
