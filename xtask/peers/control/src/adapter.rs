//! Our six verbs on the four of tower-sessions' `SessionStore`: create, load, save, delete.
//!
//! Each verb compares the version before it writes, which is as close to compare-and-swap as these four allow. That library
//! keeps no tombstones, so what was deleted is reported as ended here, and a write under an id that was renewed as a
//! failure, which the checker takes as no answer.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use session_core::Timestamp;
use session_core::store::{
    DEFAULT_MAX_RECORD, Etag, Loaded, Record, SessionStore, StoreError, StoreErrorKind, StoreKey, Written,
    async_trait,
};
use tower_sessions_core::SessionStore as Theirs;
use tower_sessions_core::session::{Id, Record as TheirRecord};

/// A handle of their store.
#[derive(Debug)]
pub struct Adapter<S> {
    store: S,
    keys: Arc<Mutex<Keys>>,
}

/// The keys that were used, of all handles.
#[derive(Debug, Default)]
pub struct Keys {
    /// With the deadline of the record.
    created: HashMap<StoreKey, Timestamp>,
    renewed: HashSet<StoreKey>,
}

impl<S: Theirs> Adapter<S> {
    /// Handles of one store share the keys.
    pub fn new(store: S, keys: Arc<Mutex<Keys>>) -> Self {
        Self { store, keys }
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, key: &StoreKey) -> Result<Option<Record>, StoreError> {
        match self.store.load(&id(key)).await.map_err(unavailable)? {
            Some(there) => decode(&there).map(Some).ok_or_else(corrupt),
            None => Ok(None),
        }
    }

    /// The record, if it has the expected version.
    async fn compare(&self, key: &StoreKey, expected: Etag) -> Result<Result<(), Written>, StoreError> {
        Ok(match self.read(key).await? {
            None if self.keys().renewed.contains(key) => {
                return Err(StoreError::unavailable(NAME, "renewed"));
            }
            None => Err(Written::Gone),
            Some(there) if there.etag != expected => Err(Written::Conflict(there)),
            Some(_) => Ok(()),
        })
    }
}

#[async_trait]
impl<S: Theirs> SessionStore for Adapter<S> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn max_record(&self) -> usize {
        DEFAULT_MAX_RECORD
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        let there = self.read(key).await?;
        let known = self.keys().created.get(key).copied();
        Ok(match (there, known) {
            (Some(record), _) => Loaded::Found(record),
            (None, Some(until)) => Loaded::Ended { until },
            (None, None) => Loaded::Missing,
        })
    }

    async fn create(&self, key: &StoreKey, record: &Record, _: Timestamp) -> Result<Written, StoreError> {
        let mut theirs = encode(key, record)?;
        self.store.create(&mut theirs).await.map_err(unavailable)?;
        if theirs.id != id(key) {
            // The id was in use, so that they chose another one.
            self.store.delete(&theirs.id).await.map_err(unavailable)?;
            return Ok(Written::Taken);
        }
        self.keys().created.insert(*key, record.deadline());
        Ok(Written::Applied)
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        _: Timestamp,
    ) -> Result<Written, StoreError> {
        if let Err(refused) = self.compare(key, expected).await? {
            return Ok(refused);
        }
        self.store.save(&encode(key, record)?).await.map_err(unavailable)?;
        Ok(Written::Applied)
    }

    async fn touch(&self, key: &StoreKey, idle: Timestamp, _: Timestamp) -> Result<Written, StoreError> {
        let Some(record) = self.read(key).await? else { return Ok(Written::Gone) };
        let later = record.idle_deadline.max(idle);
        self.store.save(&encode(key, &record.with_idle_deadline(later))?).await.map_err(unavailable)?;
        Ok(Written::Applied)
    }

    async fn destroy(&self, key: &StoreKey, _: Timestamp) -> Result<Written, StoreError> {
        self.store.delete(&id(key)).await.map_err(unavailable)?;
        Ok(Written::Applied)
    }

    /// As `Session::cycle_id` and the save at the end of the request do it: the old id is deleted, the new one created.
    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        _: Timestamp,
    ) -> Result<Written, StoreError> {
        if let Err(refused) = self.compare(old, expected).await? {
            return Ok(refused);
        }
        self.keys().renewed.insert(*old);
        self.store.delete(&id(old)).await.map_err(unavailable)?;
        self.create(new, record, now).await
    }
}

/// Their ids have 128 bits, ours 256.
fn id(key: &StoreKey) -> Id {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&key.as_bytes()[..16]);
    Id(i128::from_be_bytes(bytes))
}

fn encode(key: &StoreKey, record: &Record) -> Result<TheirRecord, StoreError> {
    let payload = std::str::from_utf8(&record.payload)
        .map_err(|error| StoreError::new(StoreErrorKind::Refused, NAME).because(error))?;
    let data = [
        (ETAG, json!(record.etag.get())),
        (CREATED, json!(record.created.as_millis())),
        (IDLE, json!(record.idle_deadline.as_millis())),
        (ABSOLUTE, json!(record.absolute_deadline.map(Timestamp::as_millis))),
        (OWNER, json!(record.owner.as_deref())),
        (PAYLOAD, json!(payload)),
    ];
    Ok(TheirRecord {
        id: id(key),
        data: data.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        expiry_date: record.deadline().to_offset(),
    })
}

fn decode(record: &TheirRecord) -> Option<Record> {
    let field = |name: &str| record.data.get(name);
    let time = |name: &str| field(name).and_then(Value::as_i64).map(Timestamp::from_millis);
    let etag = Etag::new(field(ETAG)?.as_u64()?);
    let payload = field(PAYLOAD)?.as_str()?.as_bytes().into();
    let owner = field(OWNER).and_then(Value::as_str).map(Into::into);
    Some(
        Record::new(etag, time(CREATED)?, time(IDLE)?, payload)
            .with_absolute_deadline(time(ABSOLUTE))
            .with_owner(owner),
    )
}

fn unavailable(error: tower_sessions_core::session_store::Error) -> StoreError {
    StoreError::unavailable(NAME, error)
}

fn corrupt() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, NAME)
}

const NAME: &str = "tower-sessions";
const ETAG: &str = "etag";
const CREATED: &str = "created";
const IDLE: &str = "idle";
const ABSOLUTE: &str = "absolute";
const OWNER: &str = "owner";
const PAYLOAD: &str = "payload";
