//! One attempt of a commit: the record to write, the store operation, and the effect on state and cookie once applied.

use std::time::Duration;

use super::{CommitError, CookieOrder, Fresh, StoreOp};
use crate::decision::decide::{CookieAction, Decision, Fate, Origin, Placement, Write};
use crate::decision::moved::began;
use crate::decision::policy::Policy;
use crate::decision::state::{Over, SessionState};
use crate::value::content::{Changes, Content};
use crate::value::cookie::format::MOST_AGE;
use crate::value::flash::{Entry, Flash, FlashBag, give_way};
use crate::value::id::{Etag, SessionId, StoreKey};
use crate::value::record::{Payload, Record};
use crate::value::time::Timestamp;

/// The write that is in progress.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) op: Option<StoreOp>,
    pub(super) id: Option<SessionId>,
    pub(super) record: Option<Record>,
    pub(super) entries: Vec<Entry>,
    /// The new idle deadline of a touch.
    pub(super) touched: Option<Timestamp>,
    pub(super) nonce: [u8; 24],
    /// The revocation that found a note there already.
    pub(super) note: Option<StoreOp>,
}

impl Attempt {
    pub(super) fn plan(
        state: &mut SessionState,
        policy: &Policy,
        now: Timestamp,
        decision: Decision,
        changes: &Changes,
        keeps_its_id: bool,
        fresh: Option<Fresh>,
    ) -> Self {
        let mut plan = Self {
            op: None,
            id: None,
            record: None,
            entries: Vec::new(),
            touched: None,
            nonce: [0; 24],
            note: None,
        };
        let etag = fresh.as_ref().map_or(Etag::new(0), |fresh| fresh.etag);
        if let Some(Fresh { id, etag, nonce }) = fresh {
            plan.nonce = nonce;
            if matches!(decision.write, Write::Create | Write::Replace | Write::Rotate)
                || decision.cookie == CookieAction::SetRecord
            {
                let (payload, entries) = state.content.encode(changes, etag);
                plan.record = Some(
                    head(state.base.as_ref(), changes, policy, now)
                        .with_etag(etag)
                        .with_payload(payload)
                        .with_owner(state.content.owner.clone())
                        .with_idle_deadline(idle_deadline(&state.content, changes, policy, now)),
                );
                plan.entries = entries;
            }
            plan.id = match keeps_its_id {
                true => state.id.clone(),
                false => state.next_id.take().map(|id| *id).or(id),
            };
        }
        if decision.write == Write::Touch || decision.cookie == CookieAction::SetTouch {
            plan.touched = Some(now.plus(state.age(policy)));
        }
        plan.op = plan.operation(state, policy, now, decision.write, etag);
        plan
    }

    fn operation(
        &self,
        state: &SessionState,
        policy: &Policy,
        now: Timestamp,
        write: Write,
        etag: Etag,
    ) -> Option<StoreOp> {
        let old = || state.key();
        let expected = || state.base.as_ref().map(|base| base.etag);
        let new = || self.id.as_ref().map(SessionId::store_key);
        let record = || self.record.clone();
        let tombstone_until = policy.tombstone_until(now);
        match write {
            Write::Nothing => None,
            Write::Create => Some(StoreOp::Create { key: new()?, record: record()?, now }),
            Write::Replace => {
                Some(StoreOp::Replace { key: old()?, expected: expected()?, record: record()?, now })
            }
            Write::Touch => Some(StoreOp::Touch { key: old()?, idle_deadline: self.touched?, now }),
            Write::Rotate => Some(StoreOp::Rotate {
                old: old()?,
                expected: expected()?,
                new: new()?,
                record: record()?,
                now,
                tombstone_until,
            }),
            Write::Destroy => Some(StoreOp::Destroy { key: old()?, tombstone_until }),
            Write::Revoke => Some(StoreOp::Revoke {
                key: old()?,
                record: note(state.base.as_ref()?, state.stored_age(policy), policy, now, etag),
                now,
            }),
        }
    }

    pub(super) fn rename(&mut self, id: SessionId) {
        match &mut self.op {
            Some(StoreOp::Create { key, .. }) => *key = id.store_key(),
            Some(StoreOp::Rotate { new, .. }) => *new = id.store_key(),
            Some(
                StoreOp::Replace { .. }
                | StoreOp::Touch { .. }
                | StoreOp::Destroy { .. }
                | StoreOp::Revoke { .. }
                | StoreOp::Prolong { .. },
            )
            | None => return,
        }
        self.id = Some(id);
    }

    /// Leaves out the next flash bag of the record: old input, then errors, last messages. `None` if there is none.
    pub(super) fn give_way(&mut self) -> Option<FlashBag> {
        let record = self.record.as_ref()?;
        let mut content = Content::decode(&record.payload, record.owner.clone()).ok()?;
        let mut entries = std::mem::take(&mut self.entries);
        let bag = give_way(&mut entries);
        content.flash = Flash::new(entries);
        let (payload, entries) = content.encode(&Changes::default(), record.etag);
        self.entries = entries;
        let smaller = record.clone().with_payload(payload);
        if let Some(
            StoreOp::Create { record, .. } | StoreOp::Replace { record, .. } | StoreOp::Rotate { record, .. },
        ) = &mut self.op
        {
            record.clone_from(&smaller);
        }
        self.record = Some(smaller);
        bag
    }

    /// Directs the operation at the key to which the session has moved.
    pub(super) fn redirect(&mut self, to: StoreKey) {
        match &mut self.op {
            Some(
                StoreOp::Replace { key, .. }
                | StoreOp::Destroy { key, .. }
                | StoreOp::Rotate { old: key, .. },
            ) => *key = to,
            Some(
                StoreOp::Create { .. }
                | StoreOp::Touch { .. }
                | StoreOp::Revoke { .. }
                | StoreOp::Prolong { .. },
            )
            | None => {}
        }
    }

    pub(super) fn too_large(&self, policy: &Policy) -> Option<CommitError> {
        let size = self.record.as_ref()?.size();
        (size > policy.max_record).then_some(CommitError::TooLarge { size, limit: policy.max_record })
    }

    /// Returns the cookie instruction, after the write was applied.
    pub(super) fn order(
        &self,
        state: &SessionState,
        policy: &Policy,
        now: Timestamp,
        decision: Decision,
    ) -> CookieOrder {
        let record = self.record.as_ref().or(state.base.as_ref());
        let is_persistent = state.is_persistent(policy);
        let expires = |record: &Record, idle: Timestamp| {
            is_persistent.then(|| record.absolute_deadline.map_or(idle, |absolute| absolute.min(idle)))
        };
        match (decision.cookie, record) {
            (CookieAction::Keep, _) => CookieOrder::Keep,
            (CookieAction::Clear, _) => CookieOrder::Clear { touch: policy.placement == Placement::Cookie },
            (CookieAction::SetNew | CookieAction::SetOld, Some(record)) => {
                let idle = self.touched.unwrap_or(record.idle_deadline);
                match self.id.clone() {
                    Some(id) => CookieOrder::SetId {
                        id,
                        absolute_deadline: record.absolute_deadline,
                        expires: expires(record, idle),
                        nonce: self.nonce,
                    },
                    None => CookieOrder::Keep,
                }
            }
            (CookieAction::SetRecord, Some(record)) => match self.id.clone() {
                Some(id) => CookieOrder::SetRecord {
                    id,
                    record: record.clone(),
                    // Reads do not send it again, so it must outlive the idle deadline, which is judged here.
                    expires: is_persistent
                        .then(|| record.absolute_deadline.unwrap_or_else(|| now.plus(MOST_AGE))),
                    nonce: self.nonce,
                },
                None => CookieOrder::Keep,
            },
            (CookieAction::SetTouch, Some(record)) => match (self.id.clone(), self.touched) {
                (Some(id), Some(idle_deadline)) => CookieOrder::SetTouch {
                    id,
                    etag: record.etag,
                    idle_deadline,
                    expires: expires(record, idle_deadline),
                    nonce: self.nonce,
                },
                _ => CookieOrder::Keep,
            },
            (
                CookieAction::SetNew
                | CookieAction::SetOld
                | CookieAction::SetRecord
                | CookieAction::SetTouch,
                None,
            ) => CookieOrder::Keep,
        }
    }

    /// Makes what was written the base of the state.
    pub(super) fn settle(
        self,
        state: &mut SessionState,
        decision: Decision,
        fate: Option<Fate>,
        replayed: Option<Box<Content>>,
        moved: Option<Box<StoreKey>>,
    ) {
        if fate == Some(Fate::Destroy) {
            state.over = Some(Over::Destroyed);
        }
        if matches!(decision.cookie, CookieAction::SetNew | CookieAction::SetOld) {
            // The id is known.
            state.moved = None;
        } else if moved.is_some() {
            state.moved = moved;
        }
        if let (Some(base), Some(touched)) = (&mut state.base, self.touched) {
            base.idle_deadline = touched;
        }
        let Some(record) = self.record else { return };
        state.content.rebase(replayed.as_deref(), self.entries);
        state.regenerated |= fate == Some(Fate::Renew) && state.base.is_some();
        state.origin = match decision.cookie {
            CookieAction::SetRecord => Origin::Carried,
            CookieAction::Keep
            | CookieAction::SetNew
            | CookieAction::SetOld
            | CookieAction::SetTouch
            | CookieAction::Clear => Origin::Stored,
        };
        // An order that was given during the write is still pending.
        if Some(state.fate) == fate {
            state.fate = Fate::Keep;
        }
        state.id = self.id;
        state.base = Some(record);
        state.came = true;
        state.old_key = false;
    }
}

/// What the list of revocations keeps about a carried session: no data, and for as long as any copy of its cookie could be
/// accepted. All copies have the same lifetimes; one that another request has refreshed lives longer than the one that came
/// here, and one that is being refreshed now is at most as young as the longest request.
fn note(base: &Record, age: Duration, policy: &Policy, now: Timestamp, etag: Etag) -> Record {
    let any_copy = base.absolute_deadline.unwrap_or(now.plus(age).plus(policy.tombstone));
    Record::new(etag, now, any_copy.max(base.deadline()), b"{\"v\":1}".as_slice().into())
}

/// Makes the head of a record to be written over `base`, without its etag, owner, idle deadline and payload.
pub(super) fn head(base: Option<&Record>, changes: &Changes, policy: &Policy, now: Timestamp) -> Record {
    let created = began(base, changes.wiped(), now);
    // An invalidated session shares nothing with the old one, so its lifetime begins now.
    let base = base.filter(|_| !changes.wiped());
    let absolute = match (changes.absolute(), base) {
        (Some(by_hand), _) => by_hand,
        (None, Some(base)) => base.absolute_deadline,
        (None, None) => policy.absolute.map(|lifetime| now.plus(lifetime)),
    };
    Record::new(Etag::new(0), created, now, Payload::default()).with_absolute_deadline(absolute)
}

pub(super) fn idle_deadline(
    content: &Content,
    changes: &Changes,
    policy: &Policy,
    now: Timestamp,
) -> Timestamp {
    let something = content.will_have_something(changes);
    // The eager behaviour keeps every visitor's session, even an empty one.
    now.plus(if something || policy.eager { content.age().unwrap_or(policy.age) } else { policy.lapse })
}
