//! The verbs that concern one key: read the item with its version number, decide here, write with `cas`.

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, SessionStore, StoreError, StoreKey, Written, async_trait},
};

use crate::NAME;
use crate::builder::Builder;
use crate::codec::{self, Stored};
use crate::link::{Link, failure};
use crate::wire::{Item, Verdict, Wire};

/// Keeps sessions in one memcached server.
///
/// Memcached has no scripts and compares only its own version numbers, so a verb that depends on what is stored reads it
/// first and writes with `cas`; if somebody changed the item in between, it looks again. The page of this crate says
/// what each verb costs and how a rotation, which spans two keys, stays whole.
///
/// ```
/// use session_core::store::SessionStore as _;
/// use session_store_memcached::MemcachedStore;
///
/// let store = MemcachedStore::builder("memcached://127.0.0.1:11211").prefix("shop:").open()?;
/// assert_eq!(store.name(), "memcached");
/// # Ok::<(), session_store_memcached::BuildError>(())
/// ```
#[derive(Debug)]
pub struct MemcachedStore {
    pub(crate) link: Link,
    pub(crate) prefix: String,
    pub(crate) max_record: usize,
}

/// What a verb wants done to the record that it read.
enum Wish {
    /// It is done, or cannot be: this is the answer.
    Answer(Written),
    /// Write this item, to expire then, over what was read.
    Write(Vec<u8>, i64),
}

impl MemcachedStore {
    /// Begins a store at `memcached://host:port`.
    ///
    /// ```
    /// # use session_store_memcached::MemcachedStore;
    /// let builder = MemcachedStore::builder("memcached://10.0.0.1:11211").prefix("shop:");
    /// ```
    pub fn builder(address: impl Into<String>) -> Builder {
        Builder::new(address.into())
    }

    pub(crate) fn key(&self, key: &StoreKey) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Reads a key, a pending record in it settled: one trip, and two or three more behind a rotation that was cut off.
    pub(crate) async fn read(
        &self,
        wire: &mut Wire,
        key: &StoreKey,
    ) -> Result<Option<(Stored, Item)>, StoreError> {
        loop {
            let Some(item) = wire.gets(&self.key(key)).await.map_err(failure)? else { return Ok(None) };
            match codec::decode(&item.bytes)? {
                Stored::Pending { old, record } => {
                    if !self.was_committed(wire, &old, key, record.etag).await? {
                        return Ok(None);
                    }
                    self.promote(wire, key, &record, item.unique).await?;
                }
                stored => return Ok(Some((stored, item))),
            }
        }
    }

    /// Reads, decides, writes; again if somebody was faster. The deadline bounds it.
    async fn change(
        &self,
        key: &StoreKey,
        decide: impl Fn(Option<Stored>) -> Wish,
    ) -> Result<Written, StoreError> {
        let changing = async {
            let (name, mut wire) = (self.key(key), self.link.lease().await?);
            let written = loop {
                let (stored, unique) = split(self.read(&mut wire, key).await?);
                let (bytes, expiry) = match decide(stored) {
                    Wish::Answer(answer) => break answer,
                    Wish::Write(bytes, expiry) => (bytes, expiry),
                };
                match wire.cas(&name, expiry, &bytes, unique).await.map_err(failure)? {
                    Verdict::Stored => break Written::Applied,
                    Verdict::NotFound => break Written::Gone,
                    Verdict::Changed | Verdict::NotStored => {}
                }
            };
            wire.give_back();
            Ok(written)
        };
        self.link.in_time(changing).await
    }
}

#[async_trait]
impl SessionStore for MemcachedStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn max_record(&self) -> usize {
        self.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        let loading = async {
            let mut wire = self.link.lease().await?;
            let read = self.read(&mut wire, key).await?;
            wire.give_back();
            Ok(read.map_or(Loaded::Missing, |(stored, _)| stored.loaded()))
        };
        self.link.in_time(loading).await
    }

    async fn create(&self, key: &StoreKey, record: &Record, _now: Timestamp) -> Result<Written, StoreError> {
        StoreError::check_size(NAME, record, self.max_record)?;
        let bytes = codec::record(record);
        let creating = async {
            let (name, mut wire) = (self.key(key), self.link.lease().await?);
            let added = wire.add(&name, expiry(record.deadline()), &bytes).await.map_err(failure)?;
            let ours = added == Verdict::Stored || {
                let there = wire.gets(&name).await.map_err(failure)?;
                let stored = there.and_then(|item| codec::decode(&item.bytes).ok());
                matches!(stored, Some(Stored::Record(there)) if there.etag == record.etag)
            };
            wire.give_back();
            Ok(if ours { Written::Applied } else { Written::Taken })
        };
        self.link.in_time(creating).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(NAME, record, self.max_record)?;
        self.change(key, |stored| match standing(stored, expected, record.etag, now) {
            Standing::Expected => Wish::Write(codec::record(record), expiry(record.deadline())),
            Standing::Answer(answer) => Wish::Answer(answer),
        })
        .await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        // The data goes to the server again, but only over exactly the item it was read from.
        self.change(key, |stored| match stored {
            Some(Stored::Record(there)) if there.is_live(now) => {
                if there.idle_deadline >= idle_deadline {
                    return Wish::Answer(Written::Applied);
                }
                let moved = Record { idle_deadline, ..there };
                Wish::Write(codec::record(&moved), expiry(moved.deadline()))
            }
            _ => Wish::Answer(Written::Gone),
        })
        .await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<(), StoreError> {
        let name = self.key(key);
        let stone = codec::tombstone(tombstone_until);
        let destroying = async {
            let mut wire = self.link.lease().await?;
            while let Some(item) = wire.gets(&name).await.map_err(failure)? {
                // What cannot be read can still be ended. A pending record, too: whoever knows its key wants it gone.
                if let Ok(Stored::Tombstone { .. }) = codec::decode(&item.bytes) {
                    break;
                }
                let cas = wire.cas(&name, expiry(tombstone_until), &stone, item.unique);
                match cas.await.map_err(failure)? {
                    Verdict::Stored | Verdict::NotFound => break,
                    Verdict::Changed | Verdict::NotStored => {}
                }
            }
            wire.give_back();
            Ok(())
        };
        self.link.in_time(destroying).await
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
        StoreError::check_size(NAME, record, self.max_record)?;
        let moving = async {
            let mut wire = self.link.lease().await?;
            let to = (new, record);
            let written = self.move_session(&mut wire, (old, expected), to, now, tombstone_until).await?;
            wire.give_back();
            Ok(written)
        };
        self.link.in_time(moving).await
    }
}

/// What was read and its version number, apart.
pub(crate) fn split(read: Option<(Stored, Item)>) -> (Option<Stored>, u64) {
    read.map_or((None, 0), |(stored, item)| (Some(stored), item.unique))
}

/// How what is stored stands to what a writer expects.
pub(crate) enum Standing {
    /// It is the record that the writer read.
    Expected,
    /// It is not, and this is what the writer hears.
    Answer(Written),
}

/// `replace`'s conditions.
pub(crate) fn standing(stored: Option<Stored>, expected: Etag, new: Etag, now: Timestamp) -> Standing {
    match stored {
        Some(Stored::Record(there)) if there.is_live(now) => {
            if there.etag == expected {
                Standing::Expected
            } else if there.etag == new {
                Standing::Answer(Written::Applied)
            } else {
                Standing::Answer(Written::Conflict(there))
            }
        }
        Some(Stored::Record(_) | Stored::Tombstone { .. } | Stored::Pending { .. }) | None => {
            Standing::Answer(Written::Gone)
        }
    }
}

/// When the server may forget an item: a minute after its deadline, as a moment on the server's clock. What lies beyond
/// the protocol's 32 bits is kept until the server needs the room.
pub(crate) fn expiry(deadline: Timestamp) -> i64 {
    let seconds = deadline.as_millis().div_euclid(1_000).saturating_add(1 + SLACK);
    if i32::try_from(seconds).is_ok() { seconds.max(EARLIEST) } else { 0 }
}

/// So that a request which began before the deadline still meets what it read.
const SLACK: i64 = 60;
/// Up to thirty days the protocol takes a number for a span and not for a moment.
const EARLIEST: i64 = 60 * 60 * 24 * 30 + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_always_a_moment_and_never_a_span() {
        assert_eq!(expiry(Timestamp::from_millis(1_795_000_000_999)), 1_795_000_061);
        assert_eq!(expiry(Timestamp::from_millis(-5)), 2_592_001);
        assert_eq!(expiry(Timestamp::from_millis(i64::MAX)), 0);
    }
}
