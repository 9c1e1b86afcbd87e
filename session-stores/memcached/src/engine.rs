//! Memcached as a key-value engine: `gets`, `add`, and `cas` on the server's own version numbers.

use session_core::{
    Timestamp,
    store::{StoreError, async_trait},
};
use session_store_kv::{CasEngine, Prefix, Swapped, Turn, Turns};

use crate::NAME;
use crate::link::{Link, failure};
use crate::wire::Verdict;

/// One memcached server.
#[derive(Debug)]
pub(crate) struct Memcached {
    pub(crate) link: Link,
    pub(crate) prefix: Prefix,
    pub(crate) turns: Turns,
}

impl Memcached {
    async fn cas(&self, key: &str, unique: u64, bytes: &[u8], expiry: i64) -> Result<Swapped, StoreError> {
        let mut wire = self.link.lease().await?;
        let verdict = wire.cas(&self.prefix.key(key), expiry, bytes, unique).await.map_err(failure)?;
        wire.give_back();
        Ok(match verdict {
            Verdict::Stored => Swapped::Done,
            Verdict::Changed | Verdict::NotFound | Verdict::NotStored => Swapped::Changed,
        })
    }
}

#[async_trait]
impl CasEngine for Memcached {
    type Version = u64;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        let mut wire = self.link.lease().await?;
        let item = wire.gets(&self.prefix.key(key)).await.map_err(failure)?;
        wire.give_back();
        Ok(item.map(|item| (item.bytes, item.unique)))
    }

    async fn add(&self, key: &str, bytes: &[u8], expiry: Timestamp) -> Result<Option<u64>, StoreError> {
        let mut wire = self.link.lease().await?;
        let added = wire.add_and_get(&self.prefix.key(key), moment(expiry), bytes).await;
        let (verdict, item) = added.map_err(failure)?;
        wire.give_back();
        // What was changed or evicted between the two commands is not ours any more: no item has the number 0.
        let unique = item.filter(|item| item.bytes == bytes).map_or(0, |item| item.unique);
        Ok((verdict == Verdict::Stored).then_some(unique))
    }

    async fn swap(
        &self,
        key: &str,
        version: &u64,
        bytes: &[u8],
        expiry: Timestamp,
    ) -> Result<Swapped, StoreError> {
        self.cas(key, *version, bytes, moment(expiry)).await
    }

    async fn remove(&self, key: &str, version: &u64) -> Result<Swapped, StoreError> {
        // The protocol's `delete` has no condition; a `cas` with an expiry in the past removes.
        self.cas(key, *version, b"", AT_ONCE).await
    }

    async fn turn(&self, key: &str) -> Turn {
        self.turns.of(key).await
    }
}

/// An expiry as a moment on the server's clock. What lies beyond the protocol's 32 bits is kept until the server needs
/// the room.
fn moment(expiry: Timestamp) -> i64 {
    let seconds = expiry.as_millis().div_euclid(1_000).saturating_add(1);
    if i32::try_from(seconds).is_ok() { seconds.max(EARLIEST) } else { 0 }
}

/// A negative expiry is the protocol's word for it.
const AT_ONCE: i64 = -1;
/// Up to thirty days the protocol reads a number as a span and not as a moment.
const EARLIEST: i64 = 60 * 60 * 24 * 30 + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_always_a_moment_and_never_a_span() {
        assert_eq!(moment(Timestamp::from_millis(1_795_000_000_999)), 1_795_000_001);
        assert_eq!(moment(Timestamp::from_millis(-5)), 2_592_001);
        assert_eq!(moment(Timestamp::from_millis(i64::MAX)), 0);
    }
}
