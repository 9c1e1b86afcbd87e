//! A sign-in whose session has ended or has got a new id meanwhile: it joins its sibling, or begins a session of its own.
//!
//! A double click sends two requests that sign the same user in, with the same cookie. The later one joins the session of
//! the earlier one: its changes are written there, and its response sets the same cookie, so that it does not matter which
//! of the two responses reaches the browser. If there is no such session, or it is another user's, the sign-in begins a new
//! one, as it would have if its request had come a moment later. That holds what this visit wrote, and nothing of the old
//! one.

use super::attempt::{head, idle_deadline};
use super::writing::Writing;
use super::{CommitError, Fresh, StoreOp};
use crate::decision::decide::{Fate, Origin, Placement, Situation, decide};
use crate::decision::policy::Policy;
use crate::value::content::Content;
use crate::value::id::{SessionId, StoreKey};
use crate::value::record::Record;
use crate::value::sibling;
use crate::value::time::Timestamp;

impl Writing {
    /// Asks the tombstone under this key for the session that a sibling signed in, before a new one is created: no record
    /// has this etag, so that nothing is replaced.
    pub(super) fn look_for_siblings(&mut self, tombstone: Option<StoreKey>) {
        if let (Some(key), Some(StoreOp::Create { record, now, .. }), Some(_)) =
            (tombstone, &self.attempt.op, self.changes.signs_in())
        {
            let (expected, record, now) = (record.etag, record.clone(), *now);
            self.attempt.op = Some(StoreOp::Replace { key, expected, record, now });
        }
    }

    /// Goes on where the session of this sign-in has got a new id.
    ///
    /// # Errors
    /// [`CommitError::Gone`] if this visit signs nobody in.
    pub(super) fn sign_in_elsewhere<E>(
        &mut self,
        key: StoreKey,
        there: Record,
        policy: &Policy,
        now: Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) -> Result<(), CommitError> {
        match self.id_of_sibling(&key, &there) {
            Some(id) => self.join_sibling(id, key, there, policy, now, draw),
            None => self.begin_anew(policy, draw),
        }
    }

    /// The id of this session, if a request with the same cookie has signed the same user in on it.
    fn id_of_sibling(&self, key: &StoreKey, there: &Record) -> Option<SessionId> {
        let content = Content::decode(&there.payload, None).ok().filter(|_| self.is_of_same_user(there))?;
        sibling::unwrap(&content.sibling()?, self.came_with.as_ref()?, key)
    }

    /// Returns whether the changes may be replayed on this record. A session that was joined may have lost its user, and
    /// what has ended is never written again.
    pub(super) fn may_replay(&self, current: &Record) -> bool {
        match self.joined {
            true => self.is_of_same_user(current),
            false => self.situation.is_none_or(|then| then.origin != Origin::Ended),
        }
    }

    fn is_of_same_user(&self, there: &Record) -> bool {
        there.owner.is_some() && there.owner.as_deref() == self.changes.signs_in()
    }

    fn join_sibling<E>(
        &mut self,
        id: SessionId,
        key: StoreKey,
        there: Record,
        policy: &Policy,
        now: Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) -> Result<(), CommitError> {
        let replace = StoreOp::Replace { key, expected: there.etag, record: there.clone(), now: self.now };
        (self.attempt.op, self.attempt.id, self.joined, self.moved) = (Some(replace), Some(id), true, None);
        if let Some(then) = self.situation {
            self.decision = decide(Situation {
                origin: Origin::Stored,
                fate: Fate::Keep,
                changed: true,
                reissue: true,
                moved: false,
                ..then
            });
        }
        self.replay(there, policy, now, draw)
    }

    /// Begins a session of its own for this sign-in.
    ///
    /// # Errors
    /// [`CommitError::Gone`] if this visit signs nobody in.
    pub(super) fn begin_anew<E>(
        &mut self,
        policy: &Policy,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) -> Result<(), CommitError> {
        let has_begun = matches!(self.attempt.op, Some(StoreOp::Create { .. }));
        let signs_in = self.changes.signs_in().is_some() && !has_begun;
        let renews = self.situation.filter(|then| signs_in && then.fate == Fate::Renew);
        let then = renews.ok_or(CommitError::Gone)?;
        let Ok(Fresh { id: Some(id), etag, .. }) = draw() else { return Err(CommitError::Entropy) };
        self.decision = decide(Situation { origin: Origin::Ended, moved: false, something: true, ..then });
        (self.joined, self.moved) = (false, None);
        let mut content = Content::default().replay(&self.changes);
        content.set_sibling(None);
        let (payload, entries) = content.encode(&self.changes, etag);
        let record = head(None, &self.changes, policy, self.now)
            .with_etag(etag)
            .with_payload(payload)
            .with_owner(content.owner.clone())
            .with_idle_deadline(idle_deadline(&content, &self.changes, policy, self.now));
        self.attempt.op = match policy.placement {
            Placement::Store => {
                Some(StoreOp::Create { key: id.store_key(), record: record.clone(), now: self.now })
            }
            Placement::Cookie => None,
        };
        (self.attempt.id, self.attempt.record, self.attempt.entries) = (Some(id), Some(record), entries);
        self.replayed = Some(Box::new(content));
        self.fit(policy)
    }
}
