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
        let mut restarts = 0;
        loop {
            match self.snapshot(owner).await {
                // The history was compacted between two pages.
                Err(error)
                    if restarts < MOST_RESTARTS && is_refused_with(&error, &["has been compacted"]) =>
                {
                    restarts += 1;
                }
                members => return members,
            }
        }
    }

    async fn members_after(
        &self,
        owner: &str,
        after: Option<&StoreKey>,
        most: usize,
        _now: Timestamp,
    ) -> Result<Vec<StoreKey>, StoreError> {
        let after = after.map(|key| self.prefix.key(&format!("o-{owner}/{key}")));
        let page = self.page(owner, after.as_deref().map(str::as_bytes), most, None).await?;
        Ok(page.keys.iter().filter_map(|key| member(key)).collect())
    }
}

/// A page of an owner's keys, and the revision that the server was at.
struct Page {
    keys: Vec<Vec<u8>>,
    revision: String,
}

impl Engine {
    /// Returns all members at one moment, page by page. A session that is rotated meanwhile is still listed under its old
    /// key, which leads to the new one.
    async fn snapshot(&self, owner: &str) -> Result<Vec<StoreKey>, StoreError> {
        let (mut members, mut after, mut revision) = (Vec::new(), None, None);
        loop {
            let page = self.page(owner, after.as_deref(), PAGE, revision.as_deref()).await?;
            // What is no member under this prefix was not written by this library.
            members.extend(page.keys.iter().filter_map(|key| member(key)));
            if page.keys.len() < PAGE {
                return Ok(members);
            }
            after = page.keys.into_iter().next_back();
            // Every answer names the revision that the server is at, whichever was asked for.
            revision.get_or_insert(page.revision);
        }
    }

    /// Returns the keys of an owner behind a key, at a revision or now.
    async fn page(
        &self,
        owner: &str,
        after: Option<&[u8]>,
        most: usize,
        revision: Option<&str>,
    ) -> Result<Page, StoreError> {
        // The key behind another one in order is that key and a zero.
        let first = match after {
            Some(key) => STANDARD.encode([key, &[0]].concat()),
            None => self.key(&format!("o-{owner}/")),
        };
        let end = self.key(&format!("o-{owner}0"));
        let mut query = json!({"key": first, "range_end": end, "keys_only": true, "limit": most});
        if let Some(revision) = revision {
            query["revision"] = revision.into();
        }
        let found = self.gateway.call("kv/range", &query).await?;
        let keys = found["kvs"].as_array().into_iter().flatten().map(|entry| decode(&entry["key"]));
        Ok(Page { keys: keys.collect::<Result<_, _>>()?, revision: text(&found["header"]["revision"]) })
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

/// The size of a page, which no server takes longer than a few milliseconds to list.
const PAGE: usize = 500;

/// How often a list is begun again because the history was compacted.
const MOST_RESTARTS: u32 = 3;
