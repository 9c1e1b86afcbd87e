//! The verbs of the flawed store: those that write, rotate and end sessions, each with its flaws.

use session_core::{
    Timestamp,
    store::{
        Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Sweep, Written, async_trait,
    },
};
use tokio::task::yield_now;

use super::{Flaw, Flawed, NAME};

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
