//! The store: six verbs, each one conditional request.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use session_core::{
    Timestamp,
    store::{Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Written, async_trait},
};

use crate::builder::{BuildError, Builder, local_client, split_url};
use crate::call::{Calls, Outcome};
use crate::classify::{self, Verdict};
use crate::item::{self, NAME};
use crate::names::Names;
use crate::rotate::{Rotated, Rotation};
use crate::write::{self, Write};

/// Sessions in a DynamoDB table. Cheap to clone.
///
/// # Guarantees
/// Every write is conditional, and a refused one returns the current item, so a verb is one request. Reads are
/// consistent. A write that finds the tombstone of a rotation reads the session under its new store key, one request
/// for each rotation since. Expiry is decided from the record; the table's time-to-live only frees space.
///
/// A record with an owner is created and rotated in a transaction with the owner's entry. Changing the owner of a
/// session takes a second request, and so does, about once in 30 days, touching a session with an owner but without
/// an absolute deadline. The owner index is a partition of the table instead of a secondary index, which is
/// eventually consistent: ending all sessions of a user must not miss a recent sign-in.
///
/// # Servers with fewer features
/// Some emulators return no item with a refusal: a refused write is then followed by a consistent read. Before the
/// first refusal with an item this also happens on AWS, where a missing item looks the same.
///
/// Some do not support transactions. The owner's entry is then written before the session (an entry without a session
/// is skipped), and a rotation writes the new record, then replaces the old one by a tombstone, and removes the new
/// record if that is refused. Nothing is lost or revived, but the index may contain both for a moment, and a crash in
/// between leaves a record that is unreachable until it expires.
#[derive(Debug, Clone)]
pub struct DynamoDbStore(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) calls: Calls,
    pub(crate) names: Names,
    max_record: usize,
}

impl DynamoDbStore {
    /// Returns a builder with a client of the application, including its region, credentials, TLS and retries.
    ///
    /// ```
    /// use session_store_dynamodb::{DynamoDbStore, aws_sdk_dynamodb as dynamodb};
    ///
    /// // In an application: `Client::new(&aws_config::load_from_env().await)`.
    /// let config = dynamodb::Config::builder().behavior_version(dynamodb::config::BehaviorVersion::latest()).build();
    /// let store = DynamoDbStore::new(dynamodb::Client::from_conf(config), "sessions").prefix("shop").build()?;
    /// # Ok::<_, session_store_dynamodb::BuildError>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "a builder: the prefix is the application's to choose")]
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Builder {
        Builder::new(client, table.into())
    }

    /// Returns a builder for an emulator at `HOST:PORT`, over plain HTTP and with dummy credentials.
    ///
    /// ```
    /// # use session_store_dynamodb::DynamoDbStore;
    /// let store = DynamoDbStore::local("127.0.0.1:8000", "sessions").prefix("shop").build()?;
    /// # Ok::<_, session_store_dynamodb::BuildError>(())
    /// ```
    #[must_use]
    pub fn local(host_port: &str, table: impl Into<String>) -> Builder {
        Builder::new(local_client(host_port), table.into())
    }

    /// Returns a builder for an emulator at `dynamodb://HOST:PORT/TABLE`.
    ///
    /// # Errors
    /// [`BuildError::Url`] if the URL has another form.
    ///
    /// ```
    /// # use session_store_dynamodb::DynamoDbStore;
    /// let store = DynamoDbStore::from_url("dynamodb://127.0.0.1:8000/sessions")?.prefix("shop").build()?;
    /// # Ok::<_, session_store_dynamodb::BuildError>(())
    /// ```
    pub fn from_url(url: &str) -> Result<Builder, BuildError> {
        split_url(url).map(|(host_port, table)| Self::local(host_port, table))
    }

    pub(crate) fn assemble(
        client: Client,
        table: String,
        names: Names,
        deadline: Duration,
        max_record: usize,
    ) -> Self {
        Self(Arc::new(Inner { calls: Calls::new(client, table, deadline), names, max_record }))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }
}

#[async_trait]
impl SessionStore for DynamoDbStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn max_record(&self) -> usize {
        self.0.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        let Inner { calls, names, .. } = self.inner();
        let key = names.session(key);
        let item = calls.within(calls.get(&key)).await?;
        item.as_ref().map_or(Ok(Loaded::Missing), item::read)
    }

    async fn create(&self, key: &StoreKey, record: &Record, _now: Timestamp) -> Result<Written, StoreError> {
        let inner = self.inner();
        StoreError::check_size(NAME, record, inner.max_record)?;
        inner.calls.within(inner.create(key, record)).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let inner = self.inner();
        StoreError::check_size(NAME, record, inner.max_record)?;
        inner.calls.within(inner.replace(key, expected, record, now)).await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let inner = self.inner();
        inner.calls.within(inner.touch(key, idle_deadline, now)).await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        let inner = self.inner();
        let burial = write::burial(&inner.names, key, tombstone_until);
        let buried = async {
            let Outcome::Refused(Some(standing)) = inner.calls.write(&burial).await? else {
                return Ok(Written::Applied);
            };
            // A tombstone is not changed. An item that cannot be decoded is not changed either, and is an error.
            item::read(&standing)?;
            let moved = inner.follow(item::read_successor(&standing), None).await?;
            Ok(moved.unwrap_or(Written::Applied))
        };
        inner.calls.within(buried).await
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError> {
        let inner = self.inner();
        StoreError::check_size(NAME, record, inner.max_record)?;
        let rotation = Rotation {
            old: inner.names.session(old),
            new: inner.names.session(new),
            creation: write::creation(&inner.names, new, record),
            retirement: write::retirement(
                &inner.names,
                old,
                expected,
                (new, record.etag),
                now,
                tombstone_until,
            ),
            withdrawal: write::withdrawal(&inner.names, new, record.etag),
            entry: inner.entry(new, record),
            expected,
            written: record.etag,
            now,
        };
        let rotated = async {
            match rotation.run(&inner.calls).await? {
                Rotated::Answer(answer) => Ok(answer),
                Rotated::Before(successor) => {
                    Ok(inner.follow(Some(successor), Some(now)).await?.unwrap_or(Written::Gone))
                }
            }
        };
        inner.calls.within(rotated).await
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        Some(self)
    }
}

impl Inner {
    async fn create(&self, key: &StoreKey, record: &Record) -> Result<Written, StoreError> {
        let creation = write::creation(&self.names, key, record);
        let outcome = match self.entry(key, record) {
            Some(entry) => self.calls.write_listed(&creation, &entry).await?,
            None => self.calls.write(&creation).await?,
        };
        Ok(match outcome {
            Outcome::Done => Written::Applied,
            Outcome::Refused(standing) => classify::create(standing.as_ref(), record.etag),
        })
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let plain = write::replacement(&self.names, key, expected, record, now);
        let mut outcome = self.calls.write(&plain).await?;
        loop {
            let Outcome::Refused(standing) = outcome else { return Ok(Written::Applied) };
            outcome = match classify::replace(standing.as_ref(), expected, record.etag, now)? {
                Verdict::Answer(Written::Gone) => {
                    let successor = standing.as_ref().and_then(item::read_successor);
                    return Ok(self.follow(successor, Some(now)).await?.unwrap_or(Written::Gone));
                }
                Verdict::Answer(answer) => return Ok(answer),
                // The owner has changed, or its entry would expire too early.
                Verdict::Holds(_) => match self.entry(key, record) {
                    Some(entry) => {
                        let listed = write::listed_replacement(&self.names, key, expected, record, now);
                        self.calls.write_listed(&listed, &entry).await?
                    }
                    None => self.calls.write(&plain).await?,
                },
            };
        }
    }

    /// Follows the tombstones of rotations to the record that the session is now; `None` if there is none that can be
    /// decoded, or none that is live at `now`.
    async fn follow(
        &self,
        mut successor: Option<StoreKey>,
        now: Option<Timestamp>,
    ) -> Result<Option<Written>, StoreError> {
        while let Some(key) = successor {
            let Some(there) = self.calls.get(&self.names.session(&key)).await? else { break };
            if let Ok(Loaded::Found(record)) = item::read(&there) {
                let is_there = now.is_none_or(|now| record.is_live(now));
                return Ok(is_there.then_some(Written::Moved { key, record }));
            }
            successor = item::read_successor(&there);
        }
        Ok(None)
    }

    async fn touch(&self, key: &StoreKey, idle: Timestamp, now: Timestamp) -> Result<Written, StoreError> {
        let plain = write::touching(&self.names, key, idle, now);
        let mut outcome = self.calls.write(&plain).await?;
        loop {
            let Outcome::Refused(standing) = outcome else { return Ok(Written::Applied) };
            let record = match classify::touch(standing.as_ref(), idle, now)? {
                Verdict::Answer(answer) => return Ok(answer),
                Verdict::Holds(record) => record,
            };
            outcome = match record.owner.as_deref().filter(|_| record.absolute_deadline.is_none()) {
                // The owner's entry would expire before the session.
                Some(owner) => {
                    let entry = write::entry(&self.names, owner, key, item::listing_made(None, idle));
                    let listed = write::listed_touching(&self.names, key, owner, idle, now);
                    self.calls.write_listed(&listed, &entry).await?
                }
                None => self.calls.write(&plain).await?,
            };
        }
    }

    /// Returns the write of the owner's entry, if the record has an owner.
    fn entry(&self, key: &StoreKey, record: &Record) -> Option<Write> {
        let owner = record.owner.as_deref()?;
        let until = item::listing_made(record.absolute_deadline, record.idle_deadline);
        Some(write::entry(&self.names, owner, key, until))
    }
}
