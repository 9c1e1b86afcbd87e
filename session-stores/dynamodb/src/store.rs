//! The store: six verbs, each one conditional call, and what a refusal of it means.

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
use crate::rotate::Rotation;
use crate::write::{self, Write};

/// Keeps sessions in a DynamoDB table. Cloning it copies a pointer.
///
/// # What is promised
/// Every write is conditional on what stands there, and a refused one brings the standing item with it: one call per
/// verb. Reads are consistent. Expiry is judged from the record; the table's time-to-live only cleans up.
///
/// A record with an owner is created, and rotated, in one transaction with the owner's entry. Changing the owner of a
/// session in place costs a second call, as does, about once in 30 days, touching an owned session that has no absolute
/// deadline. Owners are looked up in a partition of the table itself and not in a secondary index, which would show a
/// login only after a while: whoever ends all sessions of a user must not miss one.
///
/// # On servers that know less
/// Some emulators give back no item with a refusal: then a refused write is followed by one consistent read. Before the
/// first refusal that brought an item this is also done on AWS, where a missing item looks the same.
///
/// Some know no transactions. There the owner's entry is written before the session (an entry alone is not listed), and a
/// rotation writes the new record before it retires the old one, and takes it back if that is refused: nothing is lost
/// or revived, but the index may show both for a moment, and a crash between leaves a record that no cookie names until
/// it expires.
#[derive(Debug, Clone)]
pub struct DynamoDbStore(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) calls: Calls,
    pub(crate) names: Names,
    max_record: usize,
}

impl DynamoDbStore {
    /// Begins a store with the application's own client: its region, credentials, TLS and retries are used as they are.
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

    /// Begins a store on an emulator at `HOST:PORT`, by plain HTTP and with credentials that mean nothing.
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

    /// The same from one text: `dynamodb://HOST:PORT/TABLE`.
    ///
    /// # Errors
    /// [`BuildError::Url`] when it is anything else.
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

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<(), StoreError> {
        let Inner { calls, names, .. } = self.inner();
        let burial = write::burial(names, key, tombstone_until);
        match calls.within(calls.write(&burial)).await? {
            Outcome::Done(_) | Outcome::Refused(None) => Ok(()),
            // A tombstone stays as it is. What is not understood is left alone and said to be so.
            Outcome::Refused(Some(standing)) => item::read(&standing).map(|_| ()),
        }
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
            retirement: write::retirement(&inner.names, old, expected, record.etag, now, tombstone_until),
            withdrawal: write::withdrawal(&inner.names, new, record.etag),
            entry: inner.entry(new, record),
            expected,
            written: record.etag,
            now,
        };
        inner.calls.within(rotation.run(&inner.calls)).await
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
            Outcome::Done(_) => Written::Applied,
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
                Verdict::Answer(answer) => return Ok(answer),
                // It is the owner who is new, or listed for too short a time.
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
                // The owner's entry would lapse before the session.
                Some(owner) => {
                    let entry = write::entry(&self.names, owner, key, item::listing_made(None, idle));
                    let listed = write::listed_touching(&self.names, key, owner, idle, now);
                    self.calls.write_listed(&listed, &entry).await?
                }
                None => self.calls.write(&plain).await?,
            };
        }
    }

    /// The entry of the record's owner, if it has one.
    fn entry(&self, key: &StoreKey, record: &Record) -> Option<Write> {
        let owner = record.owner.as_deref()?;
        let until = item::listing_made(record.absolute_deadline, record.idle_deadline);
        Some(write::entry(&self.names, owner, key, until))
    }
}
