//! The rotation: one transaction where the server has them, and the safe order of single writes where it has not.

use session_core::{
    Timestamp,
    store::{Etag, StoreError, Written},
};

use crate::call::{Calls, Outcome, Together};
use crate::classify;
use crate::item::{self, Item};
use crate::write::{Write, unless_longer};

/// Everything that one rotation writes, and what its answer is judged by.
pub(crate) struct Rotation {
    /// The primary key of the session that is left.
    pub(crate) old: Item,
    /// The primary key that it goes on under.
    pub(crate) new: Item,
    pub(crate) retirement: Write,
    pub(crate) creation: Write,
    /// Takes the creation back.
    pub(crate) withdrawal: Write,
    /// The owner's entry for the new key.
    pub(crate) entry: Option<Write>,
    pub(crate) expected: Etag,
    /// The new record's etag.
    pub(crate) written: Etag,
    pub(crate) now: Timestamp,
}

impl Rotation {
    pub(crate) async fn run(&self, calls: &Calls) -> Result<Written, StoreError> {
        if self.old == self.new {
            return self.onto_itself(calls).await;
        }
        let mut writes = vec![&self.retirement, &self.creation];
        writes.extend(&self.entry);
        let refused = match calls.write_together(&writes).await? {
            Together::Done => return Ok(Written::Applied),
            Together::Unsupported => return self.in_steps(calls).await,
            Together::Refused(refused) => refused,
        };
        match &refused[..] {
            [Some(Outcome::Refused(old)), Some(Outcome::Refused(new)), ..] => {
                self.judge(old.as_ref(), new.as_ref())
            }
            [Some(Outcome::Refused(old)), ..] => self.judge(old.as_ref(), None),
            // The old session was as expected, so the new key is what was in the way.
            _ => Ok(Written::Taken),
        }
    }

    /// New before old, so that a crash between loses nothing: the new key is not in any cookie yet.
    async fn in_steps(&self, calls: &Calls) -> Result<Written, StoreError> {
        // Looking first keeps the usual refusals from writing anything at all.
        let (old, new) = (calls.get(&self.old).await?, calls.get(&self.new).await?);
        let ours = classify::is_ours(new.as_ref(), self.written);
        match self.judge(old.as_ref(), new.as_ref())? {
            Written::Taken if ours || new.is_none() => {}
            answer => return Ok(answer),
        }
        if let Some(entry) = &self.entry {
            calls.write(&unless_longer(entry)).await?;
        }
        if let Outcome::Refused(standing) = calls.write(&self.creation).await?
            && !classify::is_ours(standing.as_ref(), self.written)
        {
            return Ok(Written::Taken);
        }
        let Outcome::Refused(old) = calls.write(&self.retirement).await? else { return Ok(Written::Applied) };
        // The tombstone of an earlier try of this very rotation, whose answer was lost.
        if old.as_ref().is_some_and(|old| item::is_left_for(old, self.written)) {
            return Ok(Written::Applied);
        }
        let answer = self.judge(old.as_ref(), None)?;
        calls.write(&self.withdrawal).await?;
        Ok(answer)
    }

    /// A key cannot be rotated to itself: something stands under it.
    async fn onto_itself(&self, calls: &Calls) -> Result<Written, StoreError> {
        let old = calls.get(&self.old).await?;
        self.judge(old.as_ref(), None)
    }

    /// `Taken` when the old session is as expected.
    fn judge(&self, old: Option<&Item>, new: Option<&Item>) -> Result<Written, StoreError> {
        let answer = classify::rotate(old, new, self.expected, self.written, self.now)?;
        Ok(answer.unwrap_or(Written::Taken))
    }
}
