//! The versions of one session in order. The etags give the order: each write names the one that it replaces.

use std::collections::{HashMap, HashSet};

use session_core::store::StoreKey;

use super::event::{Answer, Call, Content, Event};
use super::violation::Rule;

/// A broken rule, with the indices of the events that show it.
pub(super) type Wrong = (Rule, Vec<usize>);

/// One version of a session.
pub(super) struct Version {
    /// The write that created it.
    pub(super) event: usize,
    pub(super) key: StoreKey,
    pub(super) content: Content,
}

/// All versions of a session. Numbers count from 1; 0 is before its creation, and the one after the last is its end.
pub(super) struct Versions {
    pub(super) list: Vec<Version>,
    by_etag: HashMap<u64, usize>,
    by_key: HashMap<StoreKey, (usize, usize)>,
    /// The event that first proved that there was a session under a key.
    proofs: HashMap<StoreKey, usize>,
}

impl Versions {
    /// Sorts the writes of one session.
    pub(super) fn of(events: &[Event]) -> Result<Self, Wrong> {
        let writers = writers(events)?;
        let proofs = proofs(events);
        let visible = visible(events, &writers, &proofs);
        let mut next: HashMap<Option<u64>, usize> = HashMap::new();
        for &at in &visible {
            let (_, _, expected) = events[at].write().expect("only writes are visible");
            if let Some(other) = next.insert(expected, at) {
                let rule = if expected.is_none() { Rule::CreatedTwice } else { Rule::LostUpdate };
                return Err((rule, vec![other, at]));
            }
        }
        let mut list = Vec::new();
        let mut etag = None;
        while let Some(event) = next.remove(&etag) {
            let (key, content, _) = events[event].write().expect("only writes are visible");
            list.push(Version { event, key, content });
            etag = Some(content.etag);
        }
        // The remaining writes replace versions in a cycle.
        if let Some(&at) = next.values().min() {
            return Err((Rule::Phantom, vec![at]));
        }
        let mut versions = Self { by_etag: HashMap::new(), by_key: HashMap::new(), proofs, list };
        for (number, version) in (1..).zip(&versions.list) {
            versions.by_etag.insert(version.content.etag, number);
            versions.by_key.entry(version.key).or_insert((number, number)).1 = number;
        }
        versions.checked(events)
    }

    /// Checks that each write was made under the key of the version that it replaced.
    fn checked(self, events: &[Event]) -> Result<Self, Wrong> {
        for pair in self.list.windows(2) {
            if events[pair[1].event].call.key() != pair[0].key {
                return Err((Rule::WrongKey, vec![pair[0].event, pair[1].event]));
            }
        }
        Ok(self)
    }

    /// Returns the number of the end.
    pub(super) fn end(&self) -> usize {
        self.list.len() + 1
    }

    /// Returns the number of the version with this etag.
    pub(super) fn number(&self, etag: u64) -> Option<usize> {
        self.by_etag.get(&etag).copied()
    }

    /// Returns the first and the last version under this key.
    pub(super) fn tenure(&self, key: StoreKey) -> Option<(usize, usize)> {
        self.by_key.get(&key).copied()
    }

    pub(super) fn last_key(&self) -> Option<StoreKey> {
        self.list.last().map(|version| version.key)
    }

    /// Returns the event that had proved, before this one was invoked, that there is or was a session under its key.
    pub(super) fn proof(&self, events: &[Event], event: &Event) -> Option<usize> {
        let proof = *self.proofs.get(&event.call.key())?;
        (events[proof].end() <= event.invoked).then_some(proof)
    }
}

/// Returns the writes by their etags, if every record that was read is one of them.
fn writers(events: &[Event]) -> Result<HashMap<u64, usize>, Wrong> {
    let mut writers = HashMap::new();
    for (at, event) in events.iter().enumerate() {
        if let Some((_, content, _)) = event.write() {
            writers.insert(content.etag, at);
        }
    }
    for (at, event) in events.iter().enumerate() {
        if event.answer == Answer::Damaged {
            return Err((Rule::Damaged, vec![at]));
        }
        let replaced = event.write().and_then(|(_, _, expected)| expected);
        if let (Answer::Applied, Some(expected)) = (event.answer, replaced) {
            writer(events, &writers, at, expected)?;
        }
        let Some((key, shown)) = event.shown() else { continue };
        let writer = writer(events, &writers, at, shown.etag)?;
        let (written_to, written, _) = events[writer].write().expect("it is a write");
        if written_to != key {
            return Err((Rule::WrongKey, vec![writer, at]));
        }
        if written.body != shown.body {
            return Err((Rule::Torn, vec![writer, at]));
        }
    }
    Ok(writers)
}

/// Returns the write of the record in an answer.
fn writer(events: &[Event], writers: &HashMap<u64, usize>, at: usize, etag: u64) -> Result<usize, Wrong> {
    match writers.get(&etag) {
        None => Err((Rule::Phantom, vec![at])),
        Some(&writer) => match events[writer].answer {
            Answer::Applied | Answer::Unknown => Ok(writer),
            _ => Err((Rule::RefusedWriteVisible, vec![writer, at])),
        },
    }
}

/// Returns, for each key, the first event that proved that there was a session under it.
fn proofs(events: &[Event]) -> HashMap<StoreKey, usize> {
    let mut proofs: HashMap<StoreKey, usize> = HashMap::new();
    let mut add = |key: StoreKey, at: usize| {
        let first = proofs.entry(key).or_insert(at);
        if events[at].end() < events[*first].end() {
            *first = at;
        }
    };
    for (at, event) in events.iter().enumerate() {
        if event.proves_its_key() {
            add(event.call.key(), at);
        }
        match (&event.call, event.answer) {
            (Call::Rotate { new, .. }, Answer::Applied) => add(*new, at),
            (_, Answer::Moved { key, .. }) => add(key, at),
            _ => {}
        }
    }
    proofs
}

/// Returns the writes that have provably taken effect: acknowledged, read, replaced by another write, or the only ones
/// that can have created a key that existed. Whether any other write without an answer took effect cannot be known.
fn visible(events: &[Event], writers: &HashMap<u64, usize>, proofs: &HashMap<StoreKey, usize>) -> Vec<usize> {
    let mut visible = HashSet::new();
    for (at, event) in events.iter().enumerate() {
        if event.answer == Answer::Applied
            && let Some((_, _, expected)) = event.write()
        {
            visible.insert(at);
            visible.extend(expected.and_then(|etag| writers.get(&etag)));
        }
        visible.extend(event.shown().and_then(|(_, content)| writers.get(&content.etag)));
    }
    let brings = |at: usize| match events[at].call {
        Call::Create { key, .. } | Call::Rotate { new: key, .. } => Some(key),
        _ => None,
    };
    let mut brought: HashSet<StoreKey> = visible.iter().filter_map(|&at| brings(at)).collect();
    let mut unknown: Vec<usize> =
        (0..events.len()).filter(|&at| events[at].answer == Answer::Unknown).collect();
    unknown.sort_by_key(|&at| events[at].invoked);
    for at in unknown {
        let Some(key) = brings(at) else { continue };
        if proofs.contains_key(&key) && brought.insert(key) {
            visible.insert(at);
            let (_, _, expected) = events[at].write().expect("it brings a key");
            visible.extend(expected.and_then(|etag| writers.get(&etag)));
        }
    }
    let mut visible: Vec<usize> = visible.into_iter().collect();
    visible.sort_unstable();
    visible
}
