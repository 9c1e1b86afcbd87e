//! The sequential specification of the verbs, and a check whether it permits some order of a history.

use std::collections::BTreeMap;

use session_core::store::{Loaded, Written};

/// One call of a history; keys and etags are small numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Create {
        key: u8,
        etag: u64,
    },
    Replace {
        key: u8,
        expected: u64,
        etag: u64,
    },
    Touch {
        key: u8,
    },
    Destroy {
        key: u8,
    },
    Rotate {
        old: u8,
        expected: u64,
        new: u8,
        etag: u64,
    },
    Load {
        key: u8,
    },
    /// Removes the tombstones, and nothing that can be seen of the living.
    Sweep,
}

/// What a caller heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Heard {
    Applied,
    Conflict(u64),
    /// The session is under this key, with this etag.
    Moved(u8, u64),
    Gone,
    Taken,
    Missing,
    Ended,
    Found(u64),
    Done,
}

impl From<Written> for Heard {
    fn from(written: Written) -> Self {
        match written {
            Written::Applied => Self::Applied,
            Written::Conflict(there) => Self::Conflict(there.etag.get()),
            Written::Moved { key, record } => Self::Moved(key.as_bytes()[0], record.etag.get()),
            Written::Gone => Self::Gone,
            Written::Taken => Self::Taken,
        }
    }
}

impl From<Loaded> for Heard {
    fn from(loaded: Loaded) -> Self {
        match loaded {
            Loaded::Missing => Self::Missing,
            Loaded::Ended { .. } => Self::Ended,
            Loaded::Found(record) => Self::Found(record.etag.get()),
        }
    }
}

/// A store as the documentation of `SessionStore` describes it.
pub(crate) type Store = BTreeMap<u8, There>;

/// What is under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum There {
    /// A live record with this etag.
    Live(u64),
    Tombstone,
    /// The tombstone of a rotation to this key.
    Rotated(u8),
    /// A tombstone in the place that a rotation had reserved for its record: the session ends when it arrives.
    Doomed,
}

use There::{Doomed, Live, Rotated, Tombstone};

/// Where the session under a rotated key is now.
fn moved(store: &Store, mut key: u8) -> Option<Heard> {
    while let Rotated(successor) = store.get(&key)? {
        key = *successor;
        if let Live(etag) = store.get(&key)? {
            return Some(Heard::Moved(key, *etag));
        }
    }
    None
}

/// Every way in which the call may take effect on this store: what the caller hears, and the store after it. A
/// rotation reserves its new key while it is under way.
fn outcomes(store: &Store, call: Call, is_reserved: impl Fn(u8) -> bool) -> Vec<(Heard, Store)> {
    let same = |heard| vec![(heard, store.clone())];
    let with = |changes: &[(u8, There)]| {
        let mut after = store.clone();
        after.extend(changes.iter().copied());
        vec![(Heard::Applied, after)]
    };
    match call {
        Call::Create { key, etag } => match store.get(&key) {
            None if is_reserved(key) => [with(&[(key, Live(etag))]), same(Heard::Taken)].concat(),
            None => with(&[(key, Live(etag))]),
            Some(there) if *there == Live(etag) => same(Heard::Applied),
            Some(_) => same(Heard::Taken),
        },
        Call::Replace { key, expected, etag } => match store.get(&key) {
            Some(Live(there)) if *there == expected => with(&[(key, Live(etag))]),
            Some(Live(there)) if *there == etag => same(Heard::Applied),
            Some(Live(there)) => same(Heard::Conflict(*there)),
            Some(Tombstone | Rotated(_) | Doomed) | None => same(moved(store, key).unwrap_or(Heard::Gone)),
        },
        Call::Touch { key } => match store.get(&key) {
            Some(Live(_)) => same(Heard::Applied),
            Some(Tombstone | Rotated(_) | Doomed) | None => same(Heard::Gone),
        },
        Call::Destroy { key } => {
            let ended = |there| vec![(Heard::Done, with(&[(key, there)]).remove(0).1)];
            match store.get(&key) {
                None if is_reserved(key) => [same(Heard::Done), ended(Doomed)].concat(),
                Some(Live(_)) => ended(Tombstone),
                Some(Tombstone | Rotated(_) | Doomed) | None => {
                    same(moved(store, key).unwrap_or(Heard::Done))
                }
            }
        }
        Call::Rotate { old, expected, new, etag } => match store.get(&old) {
            Some(Live(there)) if *there == expected => match store.get(&new) {
                None => with(&[(old, Rotated(new)), (new, Live(etag))]),
                Some(Doomed) => [same(Heard::Taken), with(&[(old, Rotated(new))])].concat(),
                Some(Live(_) | Tombstone | Rotated(_)) => same(Heard::Taken),
            },
            Some(Live(there)) => same(Heard::Conflict(*there)),
            Some(Tombstone | Rotated(_) | Doomed) if store.get(&new) == Some(&Live(etag)) => {
                same(Heard::Applied)
            }
            Some(Tombstone | Rotated(_) | Doomed) | None => same(moved(store, old).unwrap_or(Heard::Gone)),
        },
        Call::Load { key } => same(match store.get(&key) {
            None => Heard::Missing,
            Some(Tombstone | Rotated(_) | Doomed) => Heard::Ended,
            Some(Live(etag)) => Heard::Found(*etag),
        }),
        // Which tombstones it meets is its own affair.
        Call::Sweep => {
            let tombs = store.iter().filter(|(_, there)| !matches!(there, Live(_)));
            let tombs: Vec<u8> = tombs.map(|(key, _)| *key).collect();
            (0..1_u32 << tombs.len())
                .map(|some| {
                    let mut after = store.clone();
                    tombs.iter().enumerate().filter(|(at, _)| some >> at & 1 == 1).for_each(|(_, key)| {
                        after.remove(key);
                    });
                    (Heard::Done, after)
                })
                .collect()
        }
    }
}

/// A call of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Event {
    pub(crate) call: Call,
    /// `None`: it was cut short, and may have taken effect or not.
    pub(crate) heard: Option<Heard>,
    /// The calls, as bits, that had been answered when it began.
    pub(crate) after: u32,
}

/// Whether some order of the calls explains what was heard and what is seen at the end. An order takes in every
/// answered call, any of those cut short, and none before one that had been answered when it began.
pub(crate) fn explains(begin: &Store, history: &[Event], seen: &[(u8, Heard)]) -> bool {
    explains_rest(begin, history, 0, seen)
}

fn explains_rest(store: &Store, history: &[Event], done: u32, seen: &[(u8, Heard)]) -> bool {
    let mut rest = history.iter().enumerate().filter(|(at, _)| done >> at & 1 == 0);
    if rest.clone().all(|(_, event)| event.heard.is_none()) && is_seen(store, seen) {
        return true;
    }
    let answered = history.iter().enumerate().filter(|(_, event)| event.heard.is_some());
    let answered = answered.fold(0, |bits, (at, _)| bits | 1 << at);
    let is_reserved =
        |key| history.iter().any(|event| matches!(event.call, Call::Rotate { new, .. } if new == key));
    rest.any(|(at, event)| {
        event.after & answered & !done == 0
            && outcomes(store, event.call, is_reserved).into_iter().any(|(heard, after)| {
                event.heard.is_none_or(|it| it == heard)
                    && explains_rest(&after, history, done | 1 << at, seen)
            })
    })
}

fn is_seen(store: &Store, seen: &[(u8, Heard)]) -> bool {
    seen.iter().all(|(key, heard)| match store.get(key) {
        None => *heard == Heard::Missing,
        Some(Tombstone | Rotated(_) | Doomed) => *heard == Heard::Ended,
        Some(Live(etag)) => *heard == Heard::Found(*etag),
    })
}

#[test]
fn the_specification_tells_a_lost_write_from_a_kept_one() {
    let begin = Store::from([(0, Live(1))]);
    let history = [
        Event { call: Call::Replace { key: 0, expected: 1, etag: 2 }, heard: Some(Heard::Applied), after: 0 },
        Event { call: Call::Destroy { key: 0 }, heard: None, after: 1 },
    ];
    assert!(explains(&begin, &history, &[(0, Heard::Found(2))]));
    assert!(explains(&begin, &history, &[(0, Heard::Ended)]), "what was cut short may have happened");
    assert!(!explains(&begin, &history, &[(0, Heard::Found(1))]), "an acknowledged write is there");
    assert!(!explains(&begin, &history, &[(0, Heard::Missing)]));
}
