//! At most one refresh of a session at a time in this process, however many requests find it due.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::decision::policy::refresh_interval;
use crate::value::id::StoreKey;
use crate::value::time::Timestamp;

/// The sessions that this process has touched recently. Requests that loaded the record before a touch still find it
/// due, and check here first.
#[derive(Debug)]
pub(crate) struct Touches {
    // A std mutex: nothing awaits while it is held.
    shards: [Mutex<HashMap<StoreKey, Timestamp>>; SHARDS],
}

impl Default for Touches {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl Touches {
    /// Returns whether the caller should touch a session with this idle timeout: no other request of this process has
    /// moved the deadline this far, or nearly so.
    pub(crate) fn claim(&self, key: StoreKey, idle_deadline: Timestamp, age: Duration) -> bool {
        let nearly = NEARLY.min(refresh_interval(age) / 2);
        let mut shard = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        let close = |touched: &Timestamp| touched.until(idle_deadline) < nearly;
        if shard.get(&key).is_some_and(close) {
            return false;
        }
        if shard.len() >= MOST_PER_SHARD {
            // The oldest entry is evicted: a second touch costs one call and does no harm.
            shard.retain(|_, touched| close(touched));
            if shard.len() >= MOST_PER_SHARD {
                shard.clear();
            }
        }
        shard.insert(key, idle_deadline);
        true
    }

    /// Forgets a touch that failed, so that the next request tries again.
    pub(crate) fn release(&self, key: &StoreKey) {
        self.shard(key).lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn shard(&self, key: &StoreKey) -> &Mutex<HashMap<StoreKey, Timestamp>> {
        &self.shards[usize::from(key.as_bytes()[31]) % SHARDS]
    }
}

const SHARDS: usize = 16;
const MOST_PER_SHARD: usize = 1_024;
/// Requests that belong to one refresh lie closer together than this.
const NEARLY: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Duration = Duration::from_secs(7_200);

    #[test]
    fn a_thousand_requests_that_find_it_due_make_one_touch() {
        let touches = Touches::default();
        let key = StoreKey::from_bytes([1; 32]);
        let made =
            (0..1_000).filter(|nth| touches.claim(key, Timestamp::from_millis(7_200_000 + nth), AGE)).count();
        assert_eq!(made, 1);
    }

    #[test]
    fn a_failed_touch_may_be_tried_again() {
        let touches = Touches::default();
        let key = StoreKey::from_bytes([1; 32]);
        assert!(touches.claim(key, Timestamp::from_millis(5), AGE));
        touches.release(&key);
        assert!(touches.claim(key, Timestamp::from_millis(5), AGE));
    }

    #[test]
    fn a_session_that_lives_for_seconds_is_refreshed_as_often_as_it_must_be() {
        let (touches, key, age) =
            (Touches::default(), StoreKey::from_bytes([1; 32]), Duration::from_secs(10));
        for second in (5..100).step_by(5) {
            let now = Timestamp::from_millis(second * 1_000);
            assert!(touches.claim(key, now.plus(age), age), "at {second} s");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let touches = Touches::default();
        for nth in 0..40_000_u32 {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&nth.to_le_bytes());
            touches.claim(StoreKey::from_bytes(bytes), Timestamp::from_millis(0), AGE);
        }
        let held: usize = touches.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(held <= SHARDS * MOST_PER_SHARD);
    }
}
