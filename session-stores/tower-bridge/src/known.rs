//! What requests have loaded, so that a save knows which values its request changed.
//!
//! tower-sessions hands a record out by value and takes it back by reference; nothing else of the request reaches a
//! store. The map of values carries the identity: the two keys of its hasher are drawn anew for each map, move with it
//! and are shared by its clones, and no change of its values touches them. A record that was saved is known by its
//! address as well, which tells it from clones of the same load.

use std::collections::{HashMap, hash_map::RandomState};
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use session_core::store::{Record, StoreKey};

use crate::payload::Data;

/// Identifies a map of values and its clones.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Print(u64);

impl Print {
    pub(crate) fn of(data: &Data) -> Self {
        let hasher: &RandomState = data.hasher();
        Self(hasher.hash_one(LABEL))
    }
}

/// What a request knows of its session.
#[derive(Clone)]
pub(crate) struct Base {
    /// The record whose values the request saw, or its head with the values that the request wrote.
    pub(crate) record: Record,
    /// Whether the store held exactly this record.
    pub(crate) is_stored: bool,
}

/// The bases of the latest loads, bounded in bytes: two generations, of which the older one is dropped when the younger
/// one is full.
pub(crate) struct Known {
    generations: Mutex<Generations>,
    /// Of one generation.
    most: usize,
}

#[derive(Default)]
struct Generations {
    young: HashMap<Seat, Base>,
    size: usize,
    old: HashMap<Seat, Base>,
}

#[derive(PartialEq, Eq, Hash)]
struct Seat {
    key: StoreKey,
    print: Print,
    /// The address of a record that was saved; none for what was loaded or created.
    place: Option<usize>,
}

impl Known {
    pub(crate) fn bounded(bytes: usize) -> Self {
        Self { generations: Mutex::default(), most: bytes / 2 }
    }

    pub(crate) fn loaded(&self, key: StoreKey, print: Print, base: Base) {
        self.insert(Seat { key, print, place: None }, base);
    }

    pub(crate) fn saved(&self, key: StoreKey, print: Print, place: usize, base: Base) {
        self.insert(Seat { key, print, place: Some(place) }, base);
    }

    /// Returns what is known of the record with these values at this address.
    pub(crate) fn find(&self, key: StoreKey, print: Print, place: usize) -> Option<Base> {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        [Some(place), None].into_iter().find_map(|place| {
            let seat = Seat { key, print, place };
            generations.young.get(&seat).or_else(|| generations.old.get(&seat)).cloned()
        })
    }

    fn insert(&self, seat: Seat, base: Base) {
        let size = base.record.size() + OVERHEAD;
        let dropped = {
            let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
            let mut dropped = None;
            if generations.size + size > self.most {
                let young = std::mem::take(&mut generations.young);
                dropped = Some(std::mem::replace(&mut generations.old, young));
                generations.size = 0;
            }
            generations.size += size;
            generations.young.insert(seat, base);
            dropped
        };
        // Many records are freed here, and nobody waits for it at the lock.
        drop(dropped);
    }
}

const LABEL: &str = "tower-sessions record";
/// About what an entry takes beside its payload.
const OVERHEAD: usize = 192;

#[cfg(test)]
mod tests {
    use session_core::Timestamp;
    use session_core::store::Etag;

    use super::*;

    fn base(number: u64) -> Base {
        let at = Timestamp::from_millis(0);
        Base { record: Record::new(Etag::new(number), at, at, vec![0; 100].into()), is_stored: true }
    }

    fn key(number: u8) -> StoreKey {
        StoreKey::from_bytes([number; 32])
    }

    #[test]
    fn a_map_keeps_its_print_whatever_happens_to_its_values() {
        let mut data = Data::new();
        let print = Print::of(&data);
        (0..100).for_each(|number| drop(data.insert(number.to_string(), number.into())));
        data.clear();
        assert!(Print::of(&data) == print && Print::of(&data.clone()) == print);
        assert!((0..100).all(|_| Print::of(&Data::new()) != print), "every other map has a print of its own");
    }

    #[test]
    fn the_latest_loads_are_known_and_memory_is_bounded() {
        let known = Known::bounded(100_000);
        let print = Print::of(&Data::new());
        for number in 0..=255 {
            known.loaded(key(number), print, base(number.into()));
            known.loaded(key(number), Print::of(&Data::new()), base(0));
        }
        assert!(known.find(key(0), print, 0).is_none());
        assert!(known.find(key(255), print, 0).is_some_and(|base| base.record.etag == Etag::new(255)));
        let generations = known.generations.lock().unwrap();
        assert!((generations.young.len() + generations.old.len()) * (100 + OVERHEAD) <= 100_000);
    }

    #[test]
    fn a_record_that_was_saved_is_known_by_its_address() {
        let known = Known::bounded(100_000);
        let print = Print::of(&Data::new());
        known.loaded(key(1), print, base(1));
        known.saved(key(1), print, 7, base(2));
        assert!(known.find(key(1), print, 7).is_some_and(|base| base.record.etag == Etag::new(2)));
        assert!(known.find(key(1), print, 8).is_some_and(|base| base.record.etag == Etag::new(1)));
        assert!(known.find(key(2), print, 7).is_none());
    }
}
