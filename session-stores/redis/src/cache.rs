//! What one connection has read and the server has promised to take back: server-assisted client-side caching.
//!
//! The server remembers which keys a tracking connection has read, and pushes an invalidation down the same connection
//! when one changes. Four rules keep that honest. A cache belongs to one connection and ends with it. A read asks for a
//! ticket first, and its answer is kept only if no invalidation came for the key meanwhile. A write of our own forgets
//! the key before and after, so that its answer is never followed by an older read. And a hit counts only while the
//! connection has been heard from lately, so that a dead line cannot hide a logout for long.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{PushInfo, PushKind, Value};
use session_core::store::Loaded;
use tokio::time::Instant;

/// The reads of one connection.
#[derive(Debug)]
pub(crate) struct Cache {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// Two generations: when the young one is full it becomes the old one, and the old one is forgotten.
    young: HashMap<Vec<u8>, Entry>,
    old: HashMap<Vec<u8>, Entry>,
    tickets: u64,
    heard: Instant,
}

#[derive(Debug)]
enum Entry {
    Awaited(Ticket),
    Known(Loaded),
}

/// Which read an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl Cache {
    pub(crate) fn new(most: usize) -> Self {
        let kept = Kept { young: HashMap::new(), old: HashMap::new(), tickets: 0, heard: Instant::now() };
        Self { most: most.max(2), kept: Mutex::new(kept) }
    }

    /// The connection answered or pushed: it is alive.
    pub(crate) fn heard(&self) {
        self.kept().heard = Instant::now();
    }

    /// What is known of the key, if the connection is surely alive.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Loaded> {
        let kept = self.kept();
        if kept.heard.elapsed() > TRUST {
            return None;
        }
        match kept.young.get(key).or_else(|| kept.old.get(key)) {
            Some(Entry::Known(loaded)) => Some(loaded.clone()),
            Some(Entry::Awaited(_)) | None => None,
        }
    }

    /// Announces a read of the key.
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

    /// Keeps the answer to that read, unless the key has been forgotten or read again since.
    pub(crate) fn keep(&self, key: &[u8], ticket: Ticket, loaded: &Loaded) {
        let mut kept = self.kept();
        let Kept { young, old, .. } = &mut *kept;
        if let Some(entry) = young.get_mut(key).or_else(|| old.get_mut(key))
            && matches!(entry, Entry::Awaited(awaited) if *awaited == ticket)
        {
            *entry = Entry::Known(loaded.clone());
        }
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

    /// Takes a message that the server sent of its own accord.
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
            // After FLUSHALL, and for anything unforeseen.
            _ => self.forget_all(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a silent connection is believed to be alive.
const TRUST: Duration = Duration::from_secs(1);

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
