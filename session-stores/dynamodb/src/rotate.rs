//! The rotation: a transaction, or a safe order of single writes on servers without transactions.

use session_core::{
    Timestamp,
    store::{Etag, StoreError, StoreKey, Written},
};

use crate::call::{Calls, Outcome, Together};
use crate::classify;
use crate::item::{self, Item};
use crate::write::{Write, unless_longer};

/// The writes of a rotation, and the data to classify its result.
pub(crate) struct Rotation {
    /// The primary key of the old session.
    pub(crate) old: Item,
    /// The primary key of the new session.
    pub(crate) new: Item,
    pub(crate) retirement: Write,
    pub(crate) creation: Write,
    /// Removes the new record again.
    pub(crate) withdrawal: Write,
    /// The owner's entry for the new store key.
    pub(crate) entry: Option<Write>,
    pub(crate) expected: Etag,
    /// The new record's etag.
    pub(crate) written: Etag,
    pub(crate) now: Timestamp,
}

/// The result of a rotation.
pub(crate) enum Rotated {
    Answer(Written),
    /// An earlier rotation has moved the session to this store key.
    Before(StoreKey),
}

impl Rotation {
    pub(crate) async fn run(&self, calls: &Calls) -> Result<Rotated, StoreError> {
        if self.old == self.new {
            return self.onto_itself(calls).await;
        }
        let mut writes = vec![&self.retirement, &self.creation];
        writes.extend(&self.entry);
        let refused = match calls.write_together(&writes).await? {
            Together::Done => return Ok(Rotated::Answer(Written::Applied)),
            Together::Unsupported => return self.in_steps(calls).await,
            Together::Refused(refused) => refused,
        };
        match &refused[..] {
            [Some(Outcome::Refused(old)), Some(Outcome::Refused(new)), ..] => {
                self.judge(old.as_ref(), new.as_ref())
            }
            [Some(Outcome::Refused(old)), ..] => self.judge(old.as_ref(), None),
            // The old session was as expected, so the new store key is taken.
            _ => Ok(Rotated::Answer(Written::Taken)),
        }
    }

    /// Writes the new record first, so that a crash in between loses nothing: the new id is not in any cookie yet.
    async fn in_steps(&self, calls: &Calls) -> Result<Rotated, StoreError> {
        // Reading first avoids writes in the common cases of refusal.
        let (old, new) = (calls.get(&self.old).await?, calls.get(&self.new).await?);
        let ours = classify::is_ours(new.as_ref(), self.written);
        match self.judge(old.as_ref(), new.as_ref())? {
            Rotated::Answer(Written::Taken) if ours || new.is_none() => {}
            answer => return Ok(answer),
        }
        if let Some(entry) = &self.entry {
            calls.write(&unless_longer(entry)).await?;
        }
        if let Outcome::Refused(standing) = calls.write(&self.creation).await?
            && !classify::is_ours(standing.as_ref(), self.written)
        {
            return Ok(Rotated::Answer(Written::Taken));
        }
        let Outcome::Refused(old) = calls.write(&self.retirement).await? else {
            return Ok(Rotated::Answer(Written::Applied));
        };
        // The tombstone of an earlier attempt of this rotation, whose answer was lost.
        if old.as_ref().is_some_and(|old| item::is_left_for(old, self.written)) {
            return Ok(Rotated::Answer(Written::Applied));
        }
        let answer = self.judge(old.as_ref(), None)?;
        calls.write(&self.withdrawal).await?;
        Ok(answer)
    }

    /// Handles a rotation to the same store key, which is taken by definition.
    async fn onto_itself(&self, calls: &Calls) -> Result<Rotated, StoreError> {
        let old = calls.get(&self.old).await?;
        self.judge(old.as_ref(), None)
    }

    /// Classifies the result. `Taken` if the old session is as expected.
    fn judge(&self, old: Option<&Item>, new: Option<&Item>) -> Result<Rotated, StoreError> {
        let answer = classify::rotate(old, new, self.expected, self.written, self.now)?;
        Ok(match (answer, old.and_then(item::read_successor)) {
            (Some(Written::Gone), Some(successor)) => Rotated::Before(successor),
            (answer, _) => Rotated::Answer(answer.unwrap_or(Written::Taken)),
        })
    }
}
