//! A plain map behind one lock that keeps every law except for the one that its flaw breaks.

mod index;
mod verbs;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use session_conformance::{Damage, DamageKind};
use session_core::{
    Timestamp,
    store::{
        DEFAULT_MAX_RECORD, Etag, Loaded, Record, StoreError, StoreErrorKind, StoreKey, Written, async_trait,
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    // The sound store.
    None,

    // Writes: preconditions, races, retries.
    ReplaceUpserts,
    ReplaceRevives,
    CreateOverwrites,
    TouchCreates,
    TouchShortens,
    TouchChangesTheEtag,
    IgnoresEtags,
    ReplaceInTwoSteps,
    KnowsNoRetries,

    // Rotations, and following them.
    RotateInTwoSteps,
    RotateOverwrites,
    ForgetsSuccessors,
    FollowsOneRotation,
    FollowsToTheDead,
    DestroyFollowsNothing,
    DestroyEndsTheSuccessor,
    LoadFollows,

    // Tombstones.
    ForgetsTombstones,
    BuriesNothing,
    MovesTombstones,

    // Records and keys.
    TextOnly,
    SecondsOnly,
    EtagsOf63Bits,
    NoLimit,
    MixesKeys,
    PrintsSessions,

    // Time: expiry, the sweep, a stalled call.
    NeverExpires,
    NeverExpiresForGood,
    SweepsWithoutBound,
    SweepsTheLiving,
    SweepSparesTombstones,
    NeverSweepsTheReplaced,
    NeverSweepsTheTouched,
    NeverSweepsTheRotated,
    NeverEnds,

    // The index by owner.
    ListsTheDead,
    FoldsOwners,
    IndexForgetsRotations,
    DropsTheIndex,
    IgnoresTheException,
    KeepsEntriesOfTheDestroyed,
    KeepsEntriesOfTheRotated,
    KeepsEntriesOfFormerOwners,
    KeepsEntriesOfTheEnded,
    TrustsItsEntries,

    // Damaged records, and those of a newer format.
    ReadsAnything,
    OverwritesNewer,
    RemovesTheCorrupt,

    // Capabilities.
    HasNoCapabilities,
}

#[derive(Clone)]
pub(crate) struct Flawed {
    flaw: Flaw,
    data: Arc<Mutex<Data>>,
}

#[derive(Default)]
struct Data {
    slots: HashMap<StoreKey, Loaded>,
    /// Where the tombstones of rotations lead.
    successors: HashMap<StoreKey, StoreKey>,
    spoiled: HashMap<StoreKey, DamageKind>,
    unlisted: HashSet<StoreKey>,
    /// Never due to the sweep.
    undue: HashSet<StoreKey>,
    /// The owner index.
    entries: HashMap<String, HashSet<StoreKey>>,
}

impl Flawed {
    pub(crate) fn with(flaw: Flaw) -> Self {
        Self { flaw, data: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap()
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn key(&self, key: &StoreKey) -> StoreKey {
        let mut bytes = *key.as_bytes();
        if self.has(Flaw::MixesKeys) {
            bytes[31] |= 0x80;
        }
        StoreKey::from_bytes(bytes)
    }

    fn is_live(&self, record: &Record, now: Timestamp) -> bool {
        match self.flaw {
            Flaw::NeverExpires => true,
            Flaw::NeverExpiresForGood => now < record.idle_deadline,
            _ => record.is_live(now),
        }
    }

    fn check(&self, record: &Record) -> Result<(), StoreError> {
        if self.has(Flaw::NoLimit) {
            Ok(())
        } else {
            StoreError::check_size(NAME, record, DEFAULT_MAX_RECORD)
        }
    }

    /// The record as this store keeps it.
    fn kept(&self, record: &Record) -> Record {
        let mut record = record.clone();
        match self.flaw {
            Flaw::TextOnly => record.payload = String::from_utf8_lossy(&record.payload).as_bytes().into(),
            Flaw::SecondsOnly => {
                record.idle_deadline =
                    Timestamp::from_millis(record.idle_deadline.as_millis() / 1_000 * 1_000);
            }
            Flaw::EtagsOf63Bits => record.etag = Etag::new(record.etag.get() & (u64::MAX >> 1)),
            _ => {}
        }
        record
    }

    fn read(&self, data: &Data, key: &StoreKey, writes: bool) -> Result<Loaded, StoreError> {
        let spoiled = data.spoiled.get(key).filter(|_| !self.has(Flaw::ReadsAnything));
        match spoiled {
            Some(DamageKind::NewerFormat) if writes && self.has(Flaw::OverwritesNewer) => {}
            Some(DamageKind::NewerFormat) => return Err(StoreError::new(StoreErrorKind::Newer, NAME)),
            Some(_) => return Err(StoreError::new(StoreErrorKind::Corrupt, NAME)),
            None => {}
        }
        Ok(data.slots.get(key).cloned().unwrap_or(Loaded::Missing))
    }

    /// Returns the current key and record of a session that was rotated.
    fn moved(&self, data: &Data, key: &StoreKey, now: Option<Timestamp>) -> Option<Written> {
        let mut key = *data.successors.get(key).filter(|_| !self.has(Flaw::ForgetsSuccessors))?;
        while let (Some(next), false) = (data.successors.get(&key), self.has(Flaw::FollowsOneRotation)) {
            key = *next;
        }
        let Loaded::Found(record) = data.slots.get(&key)?.clone() else { return None };
        let is_there = now.is_none_or(|now| self.is_live(&record, now)) || self.has(Flaw::FollowsToTheDead);
        is_there.then_some(Written::Moved { key, record })
    }

    fn bury(&self, data: &mut Data, key: &StoreKey, until: Timestamp, keeps: Flaw) {
        data.spoiled.remove(key);
        if !self.has(keeps) && !self.has(Flaw::TrustsItsEntries) {
            for keys in data.entries.values_mut() {
                keys.remove(key);
            }
        }
        if self.has(Flaw::ForgetsTombstones) {
            data.slots.remove(key);
        } else {
            data.slots.insert(*key, Loaded::Ended { until });
        }
    }

    fn put(&self, data: &mut Data, key: &StoreKey, record: &Record) {
        data.spoiled.remove(key);
        data.undue.remove(key);
        data.slots.insert(*key, Loaded::Found(self.kept(record)));
        if !self.has(Flaw::KeepsEntriesOfFormerOwners) && !self.has(Flaw::TrustsItsEntries) {
            for keys in data.entries.values_mut() {
                keys.remove(key);
            }
        }
        if let Some(owner) = &record.owner {
            data.entries.entry(owner.to_string()).or_default().insert(*key);
        }
    }

    /// Returns the number of entries that the owner index has for this owner.
    pub(crate) fn entries(&self, owner: &str) -> usize {
        self.lock().entries.get(owner).map_or(0, HashSet::len)
    }
}

impl fmt::Debug for Flawed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.has(Flaw::PrintsSessions) {
            return write!(f, "Flawed({:?})", self.flaw);
        }
        let data = self.lock();
        let payloads = data.slots.values().filter_map(|slot| match slot {
            Loaded::Found(record) => Some(record.payload.to_vec()),
            _ => None,
        });
        f.debug_list().entries(payloads).finish()
    }
}

/// Damages a record by a mark beside it.
pub(crate) struct Scribble(pub(crate) Flawed);

#[async_trait]
impl Damage for Scribble {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        self.0.lock().spoiled.insert(*key, kind);
    }
}

const NAME: &str = "flawed";
