//! A shard: a table of small indexes into dense slabs, with one slab per class of entry.
//!
//! A removal moves the last entry of a slab into the gap, so every index below the length is an entry. Sampling for
//! evictions and scanning in small steps for expiry therefore need no other structure. Tables and slabs shrink as
//! they empty.

use std::ops::Range;

use hashbrown::HashTable;
use session_core::{Timestamp, store::StoreKey};

use crate::entry::{Class, Entry};

/// The data behind one lock.
#[derive(Default)]
pub(crate) struct Shard {
    table: HashTable<u32>,
    slabs: [Slab; 3],
    hands: [usize; 3],
}

impl Shard {
    pub(crate) fn get(&self, key: &StoreKey) -> Option<&Entry> {
        let place = *self.table.find(hash(key.as_bytes()), |&place| self.is_at(place, key))?;
        self.slabs[class_of(place) as usize].get(index_of(place))
    }

    pub(crate) fn get_mut(&mut self, key: &StoreKey) -> Option<&mut Entry> {
        let place = *self.table.find(hash(key.as_bytes()), |&place| self.is_at(place, key))?;
        self.slabs[class_of(place) as usize].get_mut(index_of(place))
    }

    /// Inserts the entry and returns the one that it replaces.
    pub(crate) fn put(&mut self, entry: Entry) -> Option<Entry> {
        let key = entry.key();
        if let Some(there) = self.get_mut(&key)
            && there.class() == entry.class()
        {
            return Some(std::mem::replace(there, entry));
        }
        let earlier = self.remove(&key);
        let class = entry.class();
        let index = self.slabs[class as usize].push(entry);
        let slabs = &self.slabs;
        self.table.insert_unique(hash(key.as_bytes()), place(class, index), |&place| hash_at(slabs, place));
        earlier
    }

    pub(crate) fn remove(&mut self, key: &StoreKey) -> Option<Entry> {
        let slabs = &self.slabs;
        let found = self
            .table
            .find_entry(hash(key.as_bytes()), |&place| {
                key_at(slabs, place).is_some_and(|there| there == key.as_bytes())
            })
            .ok()?;
        let (gone, _) = found.remove();
        let (class, index) = (class_of(gone), index_of(gone));
        let slab = &mut self.slabs[class as usize];
        let last = slab.len() - 1;
        let removed = slab.swap_remove(index);
        if index != last {
            let moved = slab.get(index).expect("the last entry has moved here");
            let entry = self.table.find_mut(hash(moved.key_bytes()), |&there| there == place(class, last));
            *entry.expect("every entry of a slab is in the table") = place(class, index);
        }
        self.shrink();
        Some(removed)
    }

    pub(crate) fn len(&self, class: Class) -> usize {
        self.slabs[class as usize].len()
    }

    /// Checks the next `steps` entries of a class and returns the store keys of those that expired before `before`.
    /// Repeated calls cycle through the whole slab.
    pub(crate) fn next_dead(&mut self, class: Class, before: Timestamp, steps: usize) -> Vec<StoreKey> {
        let len = self.len(class);
        let start = self.hands[class as usize] % len.max(1);
        let end = len.min(start + steps);
        // Wrap around immediately: at the end, the next call would see only new entries.
        self.hands[class as usize] = if end == len { 0 } else { end };
        self.dead_in(class, before, start..end)
    }

    /// Returns the store keys of the entries in a range of a class that expired before `before`.
    pub(crate) fn dead_in(&self, class: Class, before: Timestamp, range: Range<usize>) -> Vec<StoreKey> {
        let slab = &self.slabs[class as usize];
        let entries = range.filter_map(|index| slab.get(index));
        entries.filter(|entry| entry.deadline() <= before).map(Entry::key).collect()
    }

    /// Returns all records, with and without an owner.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Entry> {
        let slabs = [Class::Anonymous, Class::Owned].map(|class| &self.slabs[class as usize]);
        slabs.into_iter().flat_map(|slab| (0..slab.len()).filter_map(|index| slab.get(index)))
    }

    /// Returns the entry that expires first in a sample of a class, except `spare`.
    pub(crate) fn first_to_die(
        &mut self,
        class: Class,
        sample: usize,
        spare: &StoreKey,
    ) -> Option<(StoreKey, Timestamp)> {
        let slab = &self.slabs[class as usize];
        let hand = &mut self.hands[class as usize];
        let steps = sample.min(slab.len());
        let best = (0..steps)
            .filter_map(|step| slab.get((*hand + step) % slab.len()))
            .filter(|entry| entry.key_bytes() != spare.as_bytes())
            .min_by_key(|entry| entry.deadline())
            .map(|entry| (entry.key(), entry.deadline()));
        *hand = hand.wrapping_add(steps);
        best
    }

    fn is_at(&self, place: u32, key: &StoreKey) -> bool {
        key_at(&self.slabs, place).is_some_and(|there| there == key.as_bytes())
    }

    fn shrink(&mut self) {
        let (len, room) = (self.table.len(), self.table.capacity());
        if len == 0 {
            // Release the whole table: a small allocation can keep the allocator from returning pages.
            self.table = HashTable::new();
        } else if room > SMALL && len * 4 < room {
            let slabs = &self.slabs;
            self.table.shrink_to(len * 2, |&place| hash_at(slabs, place));
        }
    }
}

/// A vector of entries in chunks, which grows and shrinks without copying and wastes at most one chunk.
#[derive(Default)]
struct Slab {
    pieces: Vec<Vec<Entry>>,
}

impl Slab {
    fn len(&self) -> usize {
        self.pieces.last().map_or(0, |last| (self.pieces.len() - 1) * PIECE + last.len())
    }

    fn get(&self, index: usize) -> Option<&Entry> {
        self.pieces.get(index / PIECE)?.get(index % PIECE)
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut Entry> {
        self.pieces.get_mut(index / PIECE)?.get_mut(index % PIECE)
    }

    fn push(&mut self, entry: Entry) -> usize {
        let index = self.len();
        match self.pieces.last_mut() {
            Some(last) if last.len() < PIECE => last.push(entry),
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(entry);
                self.pieces.push(piece);
            }
            // The first chunk grows as it fills, so that the shards of a small store stay small.
            None => self.pieces.push(vec![entry]),
        }
        index
    }

    fn swap_remove(&mut self, index: usize) -> Entry {
        let last =
            self.pieces.last_mut().and_then(Vec::pop).expect("who removes an index has an entry there");
        if self.pieces.last().is_some_and(Vec::is_empty) {
            self.pieces.pop();
        }
        if self.pieces.is_empty() {
            self.pieces = Vec::new();
        } else if self.pieces.capacity() > SMALL && self.pieces.len() * 4 < self.pieces.capacity() {
            self.pieces.shrink_to(self.pieces.len() * 2);
        }
        match self.get_mut(index) {
            Some(there) => std::mem::replace(there, last),
            None => last,
        }
    }
}

/// Folds a store key into 64 bits. Store keys are hashes already; using all bytes also works for keys in tests that
/// are not.
pub(crate) fn hash(key: &[u8; 32]) -> u64 {
    key.chunks_exact(8).fold(0x9e37_79b9_7f4a_7c15, |hash: u64, word| {
        let word = u64::from_le_bytes(word.try_into().expect("the key is four words of eight bytes"));
        let mixed = (hash ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 32)
    })
}

fn key_at(slabs: &[Slab; 3], place: u32) -> Option<&[u8; 32]> {
    slabs[class_of(place) as usize].get(index_of(place)).map(Entry::key_bytes)
}

fn hash_at(slabs: &[Slab; 3], place: u32) -> u64 {
    hash(key_at(slabs, place).expect("every place in the table is an entry of a slab"))
}

fn place(class: Class, index: usize) -> u32 {
    let index =
        u32::try_from(index).ok().filter(|index| *index <= INDEX).expect("a shard is below 2^30 entries");
    ((class as u32) << 30) | index
}

fn class_of(place: u32) -> Class {
    Class::ALL[(place >> 30) as usize]
}

fn index_of(place: u32) -> usize {
    (place & INDEX) as usize
}

const INDEX: u32 = (1 << 30) - 1;
/// The number of entries in a chunk of a slab.
const PIECE: usize = 128;
/// Tables with fewer slots are not shrunk.
const SMALL: usize = 64;
