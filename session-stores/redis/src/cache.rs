//! The near cache of a connection: records that it has read or written and that the server invalidates.
//!
//! The server tracks which keys a connection has read, and pushes an invalidation over the same connection when another
//! client changes one of them. It says nothing of what the connection itself writes (`NOLOOP`), and then tracks the key no
//! longer; therefore the scripts read the key once more after they have written it. Four rules make this correct:
//!
//! - A cache belongs to one connection and is dropped with it.
//! - A read or a write takes a ticket first. What it learns is cached only if since then no invalidation for the key has
//!   arrived and nobody else has taken a ticket for it.
//! - A write that caches nothing removes the key when it ends, also when it fails or is dropped, so that a read never
//!   returns an older record than an acknowledged write.
//! - A hit counts only if the server was heard from recently, so that a silent connection cannot hide a sign-out for
//!   long, and only for so long, whatever lies between this process and the server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{PushInfo, PushKind, Value};
use session_core::store::Loaded;
use tokio::time::Instant;

/// What one connection has read and written.
#[derive(Debug)]
pub(crate) struct Cache {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// Two generations: when the young one is full, it replaces the old one.
    young: HashMap<Vec<u8>, Entry>,
    old: HashMap<Vec<u8>, Entry>,
    tickets: u64,
    heard: Instant,
}

#[derive(Debug)]
enum Entry {
    Awaited(Ticket),
    Known { loaded: Loaded, since: Instant },
}

/// Identifies the command that an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl Cache {
    pub(crate) fn new(most: usize) -> Self {
        let kept = Kept { young: HashMap::new(), old: HashMap::new(), tickets: 0, heard: Instant::now() };
        Self { most: most.max(2), kept: Mutex::new(kept) }
    }

    /// Records that the connection has answered or pushed, and is therefore alive.
    pub(crate) fn heard(&self) {
        self.kept().heard = Instant::now();
    }

    /// Returns the cached answer for the key, if the connection is known to be alive.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Loaded> {
        self.get_at(key, Instant::now())
    }

    fn get_at(&self, key: &[u8], now: Instant) -> Option<Loaded> {
        let kept = self.kept();
        if now.saturating_duration_since(kept.heard) > TRUST {
            return None;
        }
        match kept.young.get(key).or_else(|| kept.old.get(key)) {
            Some(Entry::Known { loaded, since }) if now.saturating_duration_since(*since) <= LONGEST => {
                Some(loaded.clone())
            }
            Some(Entry::Known { .. } | Entry::Awaited(_)) | None => None,
        }
    }

    /// Takes a ticket for a read or a write of the key.
    pub(crate) fn expect(&self, key: &[u8]) -> Ticket {
        let mut kept = self.kept();
        kept.tickets += 1;
        let ticket = Ticket(kept.tickets);
        if kept.young.len() >= self.most / 2 {
            kept.old = std::mem::take(&mut kept.young);
        }
        kept.old.remove(key);
        kept.young.insert(key.to_vec(), Entry::Awaited(ticket));
        ticket
    }

    /// Caches what that command has learned, unless the key has been invalidated, read or written since. Returns whether it
    /// was cached.
    pub(crate) fn keep(&self, key: &[u8], ticket: Ticket, loaded: &Loaded) -> bool {
        let mut kept = self.kept();
        let Kept { young, old, .. } = &mut *kept;
        let entry = young.get_mut(key).or_else(|| old.get_mut(key));
        let Some(entry) =
            entry.filter(|entry| matches!(entry, Entry::Awaited(awaited) if *awaited == ticket))
        else {
            return false;
        };
        *entry = Entry::Known { loaded: loaded.clone(), since: Instant::now() };
        true
    }

    pub(crate) fn forget(&self, key: &[u8]) {
        let mut kept = self.kept();
        kept.young.remove(key);
        kept.old.remove(key);
    }

    pub(crate) fn forget_all(&self) {
        let mut kept = self.kept();
        kept.young.clear();
        kept.old.clear();
    }

    /// Handles a push message of the server.
    pub(crate) fn pushed(&self, push: &PushInfo) {
        self.heard();
        if push.kind != PushKind::Invalidate {
            return;
        }
        match push.data.first() {
            Some(Value::Array(keys)) => {
                for key in keys {
                    match key {
                        Value::BulkString(key) => self.forget(key),
                        _ => self.forget_all(),
                    }
                }
            }
            // After FLUSHALL, and for unknown messages.
            _ => self.forget_all(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The write of one or two keys. Dropped, it removes them from the cache.
#[derive(Debug, Default)]
pub(crate) struct Change {
    of: Option<(Arc<Cache>, Tickets)>,
}

/// The keys, each with its ticket.
type Tickets = Vec<(Vec<u8>, Ticket)>;

impl Change {
    /// To be called before the command is sent.
    pub(crate) fn begin(cache: Option<&Arc<Cache>>, keys: &[&[u8]]) -> Self {
        let ticket = |cache: &Cache, key: &[u8]| (key.to_vec(), cache.expect(key));
        Self { of: cache.map(|cache| (cache.clone(), keys.iter().map(|key| ticket(cache, key)).collect())) }
    }

    /// Whether it concerns this cache.
    pub(crate) fn is_of(&self, cache: &Arc<Cache>) -> bool {
        self.of.as_ref().is_some_and(|(own, _)| Arc::ptr_eq(own, cache))
    }

    /// Caches what stands under one of the keys now, according to the answer, and removes the others.
    pub(crate) fn keep(mut self, key: &[u8], loaded: impl FnOnce() -> Loaded) {
        let Some((cache, tickets)) = &mut self.of else { return };
        let loaded = loaded();
        tickets.retain(|(changed, ticket)| changed != key || !cache.keep(key, *ticket, &loaded));
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        if let Some((cache, tickets)) = &self.of {
            tickets.iter().for_each(|(key, _)| cache.forget(key));
        }
    }
}

/// How long a silent connection is assumed to be alive.
const TRUST: Duration = Duration::from_secs(1);
/// How long an entry is used that nobody has invalidated.
const LONGEST: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_overtaken_by_an_invalidation_is_not_kept() {
        let cache = Cache::new(10);
        let ticket = cache.expect(b"k");
        cache.forget(b"k");
        cache.keep(b"k", ticket, &Loaded::Missing);
        assert_eq!(cache.get(b"k"), None);
        let (first, second) = (cache.expect(b"k"), cache.expect(b"k"));
        cache.keep(b"k", first, &Loaded::Missing);
        assert_eq!(cache.get(b"k"), None);
        cache.keep(b"k", second, &Loaded::Missing);
        assert_eq!(cache.get(b"k"), Some(Loaded::Missing));
    }

    const ENDED: Loaded = Loaded::Ended { until: session_core::Timestamp::from_millis(1) };

    #[test]
    fn what_was_written_is_kept_unless_something_has_come_between() {
        let cache = Arc::new(Cache::new(10));
        let write = || Change::begin(Some(&cache), &[b"k"]);
        write().keep(b"k", || ENDED);
        assert_eq!(cache.get(b"k"), Some(ENDED));
        let change = write();
        assert_eq!(cache.get(b"k"), None, "while it is under way, the server is asked");
        cache.forget(b"k");
        change.keep(b"k", || ENDED);
        assert_eq!(cache.get(b"k"), None, "an invalidation has overtaken it");
        let (one, other) = (write(), write());
        other.keep(b"k", || ENDED);
        one.keep(b"k", || ENDED);
        assert_eq!(cache.get(b"k"), None, "which of two came last is not known");
    }

    #[test]
    fn a_read_that_was_sent_before_a_write_is_not_kept_after_it() {
        for completes in [true, false] {
            let cache = Arc::new(Cache::new(10));
            let change = Change::begin(Some(&cache), &[b"k", b"other"]);
            let read = cache.expect(b"k");
            match completes {
                true => change.keep(b"k", || ENDED),
                false => drop(change),
            }
            assert!(!cache.keep(b"k", read, &Loaded::Missing));
            assert_eq!(cache.get(b"k"), None);
        }
    }

    #[test]
    fn nothing_is_used_for_longer_than_a_second_of_silence_nor_than_ten_in_all() {
        let cache = Cache::new(10);
        let (ticket, began) = (cache.expect(b"k"), Instant::now());
        cache.keep(b"k", ticket, &Loaded::Missing);
        let at = |millis: u64, heard: u64| {
            cache.kept().heard = began + Duration::from_millis(heard);
            cache.get_at(b"k", began + Duration::from_millis(millis)).is_some()
        };
        assert!(at(1_000, 0) && !at(1_001, 0));
        assert!(at(9_900, 9_000) && at(9_900, 9_900) && !at(9_900, 8_800));
        // The moment at which it was cached is a little later than the beginning.
        assert!(!at(11_000, 11_000) && !at(60_000, 60_000));
    }

    #[test]
    fn it_never_holds_more_than_it_may() {
        let cache = Cache::new(100);
        for number in 0..10_000_u32 {
            let ticket = cache.expect(&number.to_be_bytes());
            cache.keep(&number.to_be_bytes(), ticket, &Loaded::Missing);
        }
        let kept = cache.kept();
        assert!(kept.young.len() + kept.old.len() <= 100);
    }
}
