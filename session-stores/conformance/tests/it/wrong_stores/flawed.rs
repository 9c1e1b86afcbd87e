//! A plain map behind one lock that keeps every law except for the one that its flaw breaks.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use session_conformance::{Damage, DamageKind};
use session_core::{
    Timestamp,
    store::{
        Cursor, DEFAULT_MAX_RECORD, Etag, Loaded, OwnerIndex, Page, Record, SessionStore, StoreError,
        StoreErrorKind, StoreKey, Sweep, Swept, Written, async_trait,
    },
};
use tokio::task::yield_now;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    ReplaceUpserts,
    ReplaceRevives,
    ForgetsTombstones,
    BuriesNothing,
    MovesTombstones,
    TouchCreates,
    TouchShortens,
    TouchChangesTheEtag,
    IgnoresEtags,
    ReplaceInTwoSteps,
    RotateInTwoSteps,
    RotateOverwrites,
    ForgetsSuccessors,
    FollowsOneRotation,
    FollowsToTheDead,
    DestroyFollowsNothing,
    DestroyEndsTheSuccessor,
    LoadFollows,
    CreateOverwrites,
    KnowsNoRetries,
    NeverExpires,
    NeverExpiresForGood,
    TextOnly,
    SecondsOnly,
    EtagsOf63Bits,
    NoLimit,
    PrintsSessions,
    ListsTheDead,
    FoldsOwners,
    IndexForgetsRotations,
    DropsTheIndex,
    IgnoresTheException,
    SweepsWithoutBound,
    SweepsTheLiving,
    SweepSparesTombstones,
    ReadsAnything,
    OverwritesNewer,
    MixesKeys,
    NeverSweepsTheReplaced,
    NeverSweepsTheTouched,
    NeverSweepsTheRotated,
    KeepsEntriesOfTheDestroyed,
    KeepsEntriesOfTheRotated,
    KeepsEntriesOfFormerOwners,
    KeepsEntriesOfTheEnded,
    TrustsItsEntries,
    RemovesTheCorrupt,
    NeverEnds,
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

    /// Where the session under this key is, if it was rotated.
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

    /// How many entries the owner index has for this owner.
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

#[async_trait]
impl SessionStore for Flawed {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        if self.has(Flaw::NeverEnds) {
            std::future::pending::<()>().await;
        }
        let data = self.lock();
        match self.moved(&data, &self.key(key), None) {
            Some(Written::Moved { record, .. }) if self.has(Flaw::LoadFollows) => Ok(Loaded::Found(record)),
            _ => self.read(&data, &self.key(key), false),
        }
    }

    async fn create(&self, key: &StoreKey, record: &Record, _: Timestamp) -> Result<Written, StoreError> {
        self.check(record)?;
        let (key, mut data) = (self.key(key), self.lock());
        match self.read(&data, &key, false)? {
            Loaded::Found(there) if there.etag == record.etag && !self.has(Flaw::KnowsNoRetries) => {
                return Ok(Written::Applied);
            }
            Loaded::Found(_) | Loaded::Ended { .. } if !self.has(Flaw::CreateOverwrites) => {
                return Ok(Written::Taken);
            }
            _ => {}
        }
        self.put(&mut data, &key, record);
        Ok(Written::Applied)
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.check(record)?;
        let key = self.key(key);
        let judged = {
            let data = self.lock();
            match self.read(&data, &key, true)? {
                Loaded::Missing if self.has(Flaw::ReplaceUpserts) => Written::Applied,
                Loaded::Ended { .. } if self.has(Flaw::ReplaceRevives) => Written::Applied,
                Loaded::Found(there) if self.is_live(&there, now) => {
                    if there.etag == record.etag && !self.has(Flaw::KnowsNoRetries) {
                        return Ok(Written::Applied);
                    }
                    let same = there.etag == self.kept(&there.clone().with_etag(expected)).etag;
                    if same || self.has(Flaw::IgnoresEtags) {
                        Written::Applied
                    } else {
                        Written::Conflict(there)
                    }
                }
                _ => self.moved(&data, &key, Some(now)).unwrap_or(Written::Gone),
            }
        };
        if judged == Written::Applied {
            if self.has(Flaw::ReplaceInTwoSteps) {
                yield_now().await;
            }
            // The sound store would have to hold the lock throughout; this one checks again instead.
            let mut data = self.lock();
            let unchanged = match (self.read(&data, &key, true)?, self.flaw) {
                (
                    _,
                    Flaw::ReplaceInTwoSteps
                    | Flaw::IgnoresEtags
                    | Flaw::ReplaceUpserts
                    | Flaw::ReplaceRevives,
                ) => true,
                (Loaded::Found(there), Flaw::EtagsOf63Bits) => {
                    there.etag.get() == expected.get() & (u64::MAX >> 1)
                }
                (Loaded::Found(there), _) if there.etag != expected => return Ok(Written::Conflict(there)),
                (Loaded::Found(_), _) => true,
                _ => false,
            };
            if !unchanged {
                return Ok(self.moved(&data, &key, Some(now)).unwrap_or(Written::Gone));
            }
            self.put(&mut data, &key, record);
            if self.has(Flaw::NeverSweepsTheReplaced) {
                data.undue.insert(key);
            }
        }
        Ok(judged)
    }

    async fn touch(&self, key: &StoreKey, idle: Timestamp, now: Timestamp) -> Result<Written, StoreError> {
        let (key, mut data) = (self.key(key), self.lock());
        match self.read(&data, &key, false)? {
            Loaded::Found(mut there) if self.is_live(&there, now) => {
                if there.idle_deadline < idle || self.has(Flaw::TouchShortens) {
                    there.idle_deadline = idle;
                }
                if self.has(Flaw::TouchChangesTheEtag) {
                    there.etag = Etag::new(there.etag.get() ^ 1);
                }
                self.put(&mut data, &key, &there);
                if self.has(Flaw::NeverSweepsTheTouched) {
                    data.undue.insert(key);
                }
                Ok(Written::Applied)
            }
            Loaded::Missing if self.has(Flaw::TouchCreates) => {
                let empty = Record::new(Etag::new(0), now, idle, vec![].into());
                self.put(&mut data, &key, &empty);
                Ok(Written::Applied)
            }
            _ => Ok(Written::Gone),
        }
    }

    async fn destroy(&self, key: &StoreKey, until: Timestamp) -> Result<Written, StoreError> {
        let (key, mut data) = (self.key(key), self.lock());
        let corrupt = data.spoiled.contains_key(&key);
        let buries = match data.slots.get(&key) {
            Some(Loaded::Found(_)) => true,
            Some(Loaded::Ended { .. }) => self.has(Flaw::MovesTombstones),
            Some(Loaded::Missing) | None => self.has(Flaw::BuriesNothing),
        };
        if buries {
            self.bury(&mut data, &key, until, Flaw::KeepsEntriesOfTheDestroyed);
        }
        if corrupt && self.has(Flaw::RemovesTheCorrupt) {
            data.slots.remove(&key);
        }
        let moved = self.moved(&data, &key, None).filter(|_| !self.has(Flaw::DestroyFollowsNothing));
        match moved {
            Some(Written::Moved { key, .. }) if self.has(Flaw::DestroyEndsTheSuccessor) => {
                self.bury(&mut data, &key, until, Flaw::KeepsEntriesOfTheDestroyed);
                Ok(Written::Applied)
            }
            moved => Ok(moved.unwrap_or(Written::Applied)),
        }
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Written, StoreError> {
        self.check(record)?;
        let (old, new) = (self.key(old), self.key(new));
        {
            let mut data = self.lock();
            let at_new = self.read(&data, &new, true)?;
            match self.read(&data, &old, true)? {
                Loaded::Ended { .. } => {
                    let mine = matches!(at_new, Loaded::Found(there) if there.etag == record.etag);
                    let again = mine && old != new && !self.has(Flaw::KnowsNoRetries);
                    let moved = || self.moved(&data, &old, Some(now)).unwrap_or(Written::Gone);
                    return Ok(if again { Written::Applied } else { moved() });
                }
                Loaded::Found(there) if self.is_live(&there, now) => {
                    if there.etag != expected {
                        return Ok(Written::Conflict(there));
                    }
                    if at_new != Loaded::Missing && !self.has(Flaw::RotateOverwrites) {
                        return Ok(Written::Taken);
                    }
                }
                _ => return Ok(Written::Gone),
            }
            self.put(&mut data, &new, record);
            if self.has(Flaw::IndexForgetsRotations) {
                data.unlisted.insert(new);
            }
            if self.has(Flaw::NeverSweepsTheRotated) {
                data.undue.insert(new);
            }
            if !self.has(Flaw::RotateInTwoSteps) {
                self.bury(&mut data, &old, until, Flaw::KeepsEntriesOfTheRotated);
                data.successors.insert(old, new);
                return Ok(Written::Applied);
            }
        }
        for _ in 0..20 {
            yield_now().await;
        }
        let mut data = self.lock();
        self.bury(&mut data, &old, until, Flaw::KeepsEntriesOfTheRotated);
        data.successors.insert(old, new);
        Ok(Written::Applied)
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        (!self.has(Flaw::HasNoCapabilities)).then_some(self as &dyn OwnerIndex)
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        (!self.has(Flaw::HasNoCapabilities)).then_some(self as &dyn Sweep)
    }
}

impl Flawed {
    fn of(&self, data: &Data, owner: &str, now: Timestamp) -> Vec<(StoreKey, Record)> {
        let same = |theirs: &str| match self.flaw {
            Flaw::FoldsOwners => theirs.eq_ignore_ascii_case(owner),
            _ => theirs == owner,
        };
        let listed = data.slots.iter().filter(|(key, _)| !data.unlisted.contains(key));
        let records = listed.filter_map(|(key, slot)| match slot {
            Loaded::Found(record) => Some((*key, record.clone())),
            Loaded::Missing | Loaded::Ended { .. } => None,
        });
        let entered = |key: &StoreKey| data.entries.get(owner).is_some_and(|keys| keys.contains(key));
        records
            .filter(|(key, record)| match self.flaw {
                Flaw::TrustsItsEntries => entered(key),
                _ => record.owner.as_deref().is_some_and(same),
            })
            .filter(|(_, record)| record.is_live(now) || self.has(Flaw::ListsTheDead))
            .collect()
    }
}

#[async_trait]
impl OwnerIndex for Flawed {
    async fn page(
        &self,
        owner: &str,
        _: Option<&Cursor>,
        _: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        Ok(Page::last(self.of(&self.lock(), owner, now)))
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut ended = 0;
        {
            let mut data = self.lock();
            for (key, _) in self.of(&data, owner, now) {
                if Some(&key) != except || self.has(Flaw::IgnoresTheException) {
                    self.bury(&mut data, &key, until, Flaw::KeepsEntriesOfTheEnded);
                    ended += 1;
                }
            }
        }
        if self.has(Flaw::DropsTheIndex) {
            for _ in 0..20 {
                yield_now().await;
            }
            let mut data = self.lock();
            let since = self.of(&data, owner, now);
            data.unlisted.extend(since.into_iter().map(|(key, _)| key));
        }
        Ok(ended)
    }
}

#[async_trait]
impl Sweep for Flawed {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        let mut data = self.lock();
        let due = data.slots.iter().filter(|(key, _)| !data.undue.contains(key));
        let dead = due.filter(|(_, slot)| match slot {
            Loaded::Found(_) if self.has(Flaw::SweepsTheLiving) => true,
            Loaded::Found(record) => !record.is_live(before),
            Loaded::Ended { until } => *until <= before && !self.has(Flaw::SweepSparesTombstones),
            Loaded::Missing => false,
        });
        let most = if self.has(Flaw::SweepsWithoutBound) { usize::MAX } else { most };
        let dead: Vec<_> = dead.map(|(key, _)| *key).take(most).collect();
        for key in &dead {
            data.slots.remove(key);
            data.successors.remove(key);
        }
        Ok(Swept { removed: dead.len(), more: dead.len() == most })
    }
}

/// Spoils a record by a mark beside it.
pub(crate) struct Scribble(pub(crate) Flawed);

#[async_trait]
impl Damage for Scribble {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        self.0.lock().spoiled.insert(*key, kind);
    }
}

const NAME: &str = "flawed";
