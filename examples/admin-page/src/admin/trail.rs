//! What this process has seen of the sessions: an observer that keeps the newest moments of each.
//!
//! A store keeps when a session began and when it ends, but not its past ids nor each use. Another process has a trail of its
//! own, and a restart begins a new one.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use session_core::adapter::Clock;
use session_core::{Event, Handle, Observer, Timestamp};

/// An observer that keeps the moments of sessions. Clones share them.
#[derive(Clone)]
pub(crate) struct Trail {
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<Kept>>,
}

/// Something that happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Created,
    Written,
    Touched,
    /// The session got a new id; this was its handle before.
    Rotated {
        from: Handle,
    },
}

#[derive(Default)]
struct Kept {
    entries: HashMap<Handle, Entry>,
    /// The handles in the order in which they came, for the removal of the oldest.
    order: VecDeque<Handle>,
}

enum Entry {
    Here(VecDeque<Moment>),
    /// The session has another handle now.
    Moved(Handle),
}

impl Trail {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, kept: Arc::default() }
    }

    /// The moments of a session, the oldest first.
    pub(crate) fn of(&self, handle: Handle) -> Vec<Moment> {
        match self.kept.lock().unwrap_or_else(PoisonError::into_inner).entries.get(&handle) {
            Some(Entry::Here(moments)) => moments.iter().copied().collect(),
            Some(Entry::Moved(_)) | None => Vec::new(),
        }
    }

    /// The handle under which a session goes on whose id has changed.
    pub(crate) fn successor(&self, handle: Handle) -> Option<Handle> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut last, mut steps) = (handle, 0);
        while let Some(Entry::Moved(to)) = kept.entries.get(&last) {
            (last, steps) = (*to, steps + 1);
            if steps > MOST_MOMENTS {
                return None;
            }
        }
        (last != handle).then_some(last)
    }
}

impl Observer for Trail {
    fn observe(&self, event: &Event) {
        let at = self.clock.now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Created(handle) | Event::Imported(handle) => kept.add(*handle, at, Kind::Created),
            Event::Committed(handle) => kept.add(*handle, at, Kind::Written),
            Event::Touched(handle) => kept.add(*handle, at, Kind::Touched),
            Event::Migrated { from, to } => {
                let moments = match kept.insert(*from, Entry::Moved(*to)) {
                    Some(Entry::Here(moments)) => moments,
                    Some(Entry::Moved(_)) | None => VecDeque::new(),
                };
                kept.insert(*to, Entry::Here(moments));
                kept.add(*to, at, Kind::Rotated { from: *from });
            }
            Event::Destroyed(handle) => {
                kept.entries.remove(handle);
            }
            _ => {}
        }
    }
}

impl Kept {
    fn add(&mut self, handle: Handle, at: Timestamp, kind: Kind) {
        if !matches!(self.entries.get(&handle), Some(Entry::Here(_))) {
            self.insert(handle, Entry::Here(VecDeque::new()));
        }
        if let Some(Entry::Here(moments)) = self.entries.get_mut(&handle) {
            if moments.len() >= MOST_MOMENTS {
                moments.pop_front();
            }
            moments.push_back(Moment { at, kind });
        }
    }

    /// Replaces the entry of a handle, and returns the old one.
    fn insert(&mut self, handle: Handle, entry: Entry) -> Option<Entry> {
        while self.order.len() >= MOST_SESSIONS {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
        let old = self.entries.insert(handle, entry);
        if old.is_none() {
            self.order.push_back(handle);
        }
        old
    }
}

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trail").finish_non_exhaustive()
    }
}

const MOST_MOMENTS: usize = 50;
const MOST_SESSIONS: usize = 10_000;

#[cfg(test)]
mod tests {
    use session_core::store::StoreKey;
    use session_testkit::ManualClock;

    use super::*;

    fn handle(number: u32) -> Handle {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        StoreKey::from_bytes(bytes).handle()
    }

    #[test]
    fn a_session_keeps_its_past_when_its_id_changes() {
        let trail = Trail::new(Arc::new(ManualClock::default()));
        trail.observe(&Event::Created(handle(1)));
        trail.observe(&Event::Migrated { from: handle(1), to: handle(2) });
        trail.observe(&Event::Migrated { from: handle(2), to: handle(3) });
        trail.observe(&Event::Touched(handle(3)));
        let kinds: Vec<_> = trail.of(handle(3)).iter().map(|moment| moment.kind).collect();
        let rotated = |number| Kind::Rotated { from: handle(number) };
        assert_eq!(kinds, [Kind::Created, rotated(1), rotated(2), Kind::Touched]);
        assert_eq!(trail.successor(handle(1)), Some(handle(3)));
        assert_eq!((trail.successor(handle(3)), trail.of(handle(1)).len()), (None, 0));
    }

    #[test]
    fn what_has_ended_is_forgotten() {
        let trail = Trail::new(Arc::new(ManualClock::default()));
        trail.observe(&Event::Created(handle(1)));
        trail.observe(&Event::Destroyed(handle(1)));
        assert_eq!(trail.of(handle(1)), []);
    }

    #[test]
    fn the_trail_is_bounded_in_sessions_and_in_moments() {
        let trail = Trail::new(Arc::new(ManualClock::default()));
        for number in 0..=MOST_SESSIONS as u32 {
            trail.observe(&Event::Created(handle(number)));
        }
        assert_eq!(trail.of(handle(0)), [], "the oldest is gone");
        assert_eq!(trail.of(handle(1)).len(), 1);
        (0..100).for_each(|_| trail.observe(&Event::Committed(handle(1))));
        assert_eq!(trail.of(handle(1)).len(), MOST_MOMENTS);
        let kept = trail.kept.lock().unwrap();
        assert_eq!((kept.entries.len(), kept.order.len()), (MOST_SESSIONS, MOST_SESSIONS));
    }
}
