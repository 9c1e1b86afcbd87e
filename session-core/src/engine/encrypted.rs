//! Encryption at rest: a store around a store, which seals what the inner one keeps.
//!
//! The payload is sealed and bound to the record's key and a digest of its head, so that an attacker who can write to
//! the store can neither read a session nor change its owner, its deadlines or its key: such a record is corrupt. Not
//! prevented: restoring an older record of the same session, and removing a record or its tombstone.
//!
//! The idle deadline is sealed too, so a touch seals the record again and replaces it. The replaced record has another etag
//! in the inner store. Callers see the etag of the last write, so that a touch stays invisible to them.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::sources::{Entropy, SystemEntropy};
use super::store::{Census, OwnerIndex, SessionStore, Sweep};
use crate::value::answer::{Loaded, StoreError, StoreErrorKind, Written};
use crate::value::cookie::keyring::KeyRing;
use crate::value::cookie::seal::{Binding, SealKind, sealed_len};
use crate::value::head::{Cursor, Page, SessionHead};
use crate::value::id::{Etag, StoreKey};
use crate::value::record::{Payload, Record};
use crate::value::time::Timestamp;

/// A store that seals the records of another one. The deadlines, the owner and the etag stay readable, since a store
/// needs them, and are authenticated: a record in which one of them was altered is corrupt.
///
/// A touch loads the record and replaces it, since the idle deadline is sealed.
///
/// [`SessionsBuilder::encrypt_at_rest`](crate::SessionsBuilder::encrypt_at_rest) wraps the configured store in one, under
/// the keys of the cookie; made by hand it has keys of its own.
///
/// ```
/// use session_core::store::{EncryptedStore, SessionStore as _};
/// use session_core::{KeyRing, SecretKey, Sessions};
/// use session_store_memory::MemoryStore;
///
/// let at_rest = KeyRing::new([SecretKey::generate()?])?;
/// let store = EncryptedStore::new(MemoryStore::new(), at_rest);
/// assert_eq!(store.name(), "memory");
/// let sessions = Sessions::builder().store(store).key(SecretKey::generate()?).build()?;
/// # let _ = sessions;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EncryptedStore<S: ?Sized = dyn SessionStore> {
    keys: KeyRing,
    entropy: Arc<dyn Entropy>,
    max_record: usize,
    inner: Arc<S>,
}

impl<S: SessionStore> EncryptedStore<S> {
    /// Wraps `store`. The first key seals, and every key opens.
    pub fn new(store: S, keys: KeyRing) -> Self {
        Self::shared(Arc::new(store), keys, Arc::new(SystemEntropy))
    }
}

impl<S: SessionStore + ?Sized> EncryptedStore<S> {
    pub(crate) fn shared(inner: Arc<S>, keys: KeyRing, entropy: Arc<dyn Entropy>) -> Self {
        let limit = inner.max_record();
        let guess = (limit / 4 * 3).saturating_sub(HEAD_LEN);
        let fits = |size: &usize| sealed_len(HEAD_LEN + size) <= limit;
        let max_record = (0..=guess).rev().find(fits).unwrap_or(0);
        Self { keys, entropy, max_record, inner }
    }

    /// Returns the store that holds the sealed records.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Seals a record.
    fn seal(&self, key: &StoreKey, record: &Record) -> Result<Record, StoreError> {
        self.seal_as(key, record, record.etag)
    }

    /// Seals a record for an inner store in which it has this etag.
    fn seal_as(&self, key: &StoreKey, record: &Record, inner: Etag) -> Result<Record, StoreError> {
        StoreError::check_size(self.name(), record, self.max_record)?;
        let mut nonce = [0; 24];
        self.draw(&mut nonce)?;
        let stored = record.clone().with_etag(inner);
        let mut plaintext = Vec::with_capacity(HEAD_LEN + record.payload.len());
        plaintext.extend_from_slice(&head_digest(&stored));
        plaintext.extend_from_slice(&record.etag.get().to_le_bytes());
        plaintext.extend_from_slice(&record.payload);
        let sealed = self.keys.seal(&Binding::record(key), SealKind::AtRest, &nonce, &plaintext);
        Ok(stored.with_payload(sealed.as_str().as_bytes().into()))
    }

    fn draw(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
        let drawn = self.entropy.fill(bytes);
        drawn.map_err(|error| StoreError::new(StoreErrorKind::Refused, self.name()).because(error))
    }

    /// A record that was not sealed for this key and this head does not open.
    fn open(&self, key: &StoreKey, record: Record) -> Option<Open> {
        let opened = self.keys.open(&Binding::record(key), SealKind::AtRest, &record.payload).ok()?;
        let plaintext = opened.plaintext;
        let (digest, rest) = plaintext.split_first_chunk::<DIGEST_LEN>()?;
        if *digest != head_digest(&record) {
            return None;
        }
        let (etag, _) = rest.split_first_chunk::<8>()?;
        let (etag, inner) = (Etag::new(u64::from_le_bytes(*etag)), record.etag);
        let payload = Payload::tail_of(plaintext.as_slice().into(), HEAD_LEN);
        Some(Open { record: record.with_etag(etag).with_payload(payload), inner })
    }

    fn unseal(&self, key: &StoreKey, record: Record) -> Option<Record> {
        self.open(key, record).map(|open| open.record)
    }

    fn read_current(&self, key: &StoreKey, written: Written) -> Written {
        match written {
            Written::Conflict(current) => self.unseal(key, current).map_or(Written::Gone, Written::Conflict),
            Written::Moved { key, record } => {
                self.unseal(&key, record).map_or(Written::Gone, |record| Written::Moved { key, record })
            }
            written => written,
        }
    }

    /// Reads the answer to a write over `expected` that was tried with the etag `tried` of the inner store. Breaks with the
    /// answer, or continues with the etag to try next, if the record was only touched since.
    fn judge(
        &self,
        key: &StoreKey,
        written: Written,
        expected: Etag,
        tried: Etag,
        own: Etag,
    ) -> ControlFlow<Written, Etag> {
        let Written::Conflict(current) = written else {
            return ControlFlow::Break(self.read_current(key, written));
        };
        ControlFlow::Break(match self.open(key, current) {
            None => Written::Gone,
            Some(there) if there.record.etag == own => Written::Applied,
            Some(there) if there.record.etag == expected && there.inner != tried => {
                return ControlFlow::Continue(there.inner);
            }
            Some(there) => Written::Conflict(there.record),
        })
    }
}

/// A record that was opened.
struct Open {
    record: Record,
    /// Its etag in the inner store.
    inner: Etag,
}

#[async_trait]
impl<S: SessionStore + ?Sized> SessionStore for EncryptedStore<S> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    /// The inner store's limit, less the overhead of a seal.
    fn max_record(&self) -> usize {
        self.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        match self.inner.load(key).await? {
            Loaded::Found(record) => {
                let opened = self.unseal(key, record);
                opened.map(Loaded::Found).ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, self.name()))
            }
            loaded => Ok(loaded),
        }
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        self.inner.create(key, &self.seal(key, record)?, now).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let (sealed, mut tried) = (self.seal(key, record)?, expected);
        loop {
            let written = self.inner.replace(key, tried, &sealed, now).await?;
            match self.judge(key, written, expected, tried, record.etag) {
                ControlFlow::Break(written) => return Ok(written),
                ControlFlow::Continue(next) => tried = next,
            }
        }
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let mut first = None;
        loop {
            let there = match self.inner.load(key).await? {
                Loaded::Found(record) => self.open(key, record),
                Loaded::Missing | Loaded::Ended { .. } => None,
            };
            let Some(there) = there.filter(|there| there.record.is_live(now)) else {
                return Ok(Written::Gone);
            };
            // Behind a write, this touch counts as one before it.
            let written_since = *first.get_or_insert(there.record.etag) != there.record.etag;
            if written_since || idle_deadline <= there.record.idle_deadline {
                return Ok(Written::Applied);
            }
            let mut etag = [0; 8];
            self.draw(&mut etag)?;
            let later = there.record.with_idle_deadline(idle_deadline);
            let sealed = self.seal_as(key, &later, Etag::new(u64::from_le_bytes(etag)))?;
            match self.inner.replace(key, there.inner, &sealed, now).await? {
                Written::Applied => return Ok(Written::Applied),
                Written::Conflict(_) => {}
                Written::Gone | Written::Moved { .. } | Written::Taken => return Ok(Written::Gone),
            }
        }
    }

    /// A successor that does not open cannot be shown to be the same user's, and is left alone.
    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        match self.read_current(key, self.inner.destroy(key, tombstone_until).await?) {
            Written::Gone => Ok(Written::Applied),
            written => Ok(written),
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
        let (sealed, mut tried) = (self.seal(new, record)?, expected);
        loop {
            let written = self.inner.rotate(old, tried, new, &sealed, now, tombstone_until).await?;
            match self.judge(old, written, expected, tried, record.etag) {
                ControlFlow::Break(written) => return Ok(written),
                ControlFlow::Continue(next) => tried = next,
            }
        }
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        self.inner.owners().map(|_| self as &dyn OwnerIndex)
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        self.inner.sweeper()
    }

    fn census(&self) -> Option<&dyn Census> {
        self.inner.census()
    }
}

#[async_trait]
impl<S: SessionStore + ?Sized> OwnerIndex for EncryptedStore<S> {
    /// A record that does not open is listed without its content: its owner can still end it.
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        let Some(index) = self.inner.owners() else { return Ok(Page::last(Vec::new())) };
        let sealed = index.page(owner, from, most, now).await?;
        Ok(sealed.map(|(key, record)| {
            let closed = record.clone().with_payload(Payload::default());
            (key, self.unseal(&key, record).unwrap_or(closed))
        }))
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let Some(index) = self.inner.owners() else { return Ok(Page::last(Vec::new())) };
        index.heads(owner, from, most, now).await
    }

    async fn count(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        let Some(index) = self.inner.owners() else { return Ok(0) };
        index.count(owner, now).await
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let Some(index) = self.inner.owners() else { return Ok(0) };
        index.destroy_all(owner, except, now, tombstone_until).await
    }
}

impl<S: SessionStore + ?Sized> fmt::Debug for EncryptedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EncryptedStore").field(&&*self.inner).finish()
    }
}

/// A digest of a record's head. Every part is of fixed length but the last one.
fn head_digest(record: &Record) -> [u8; DIGEST_LEN] {
    let mut hash = Sha256::new();
    hash.update(b"session-core record head v1");
    hash.update(record.etag.get().to_le_bytes());
    hash.update(record.created.as_millis().to_le_bytes());
    hash.update(record.idle_deadline.as_millis().to_le_bytes());
    hash.update([u8::from(record.absolute_deadline.is_some())]);
    hash.update(record.absolute_deadline.map_or(0, Timestamp::as_millis).to_le_bytes());
    hash.update([u8::from(record.owner.is_some())]);
    hash.update(record.owner.as_deref().unwrap_or_default());
    hash.finalize().into()
}

const DIGEST_LEN: usize = 32;
/// Before the payload: the digest and the etag of the last write.
const HEAD_LEN: usize = DIGEST_LEN + 8;
