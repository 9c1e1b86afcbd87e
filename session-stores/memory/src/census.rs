//! The live sessions of one shard, for going through all of them.

use session_core::{Timestamp, store::SessionHead};

use crate::entry::Entry;
use crate::inner::Inner;
use crate::sync::lock;

impl Inner {
    /// Returns the heads of the live sessions of a shard.
    pub(crate) fn heads_in(&self, shard: usize, now: Timestamp) -> Vec<SessionHead> {
        // Under the lock, only reference counts change; the headers are decoded afterwards.
        let entries: Vec<Entry> = {
            let shard = lock(&self.shards[shard]);
            shard.records().filter(|entry| entry.is_live_record(now)).cloned().collect()
        };
        let head = |entry: &Entry| Some(SessionHead::of(entry.key(), &entry.to_record()?));
        entries.iter().filter_map(head).collect()
    }
}
