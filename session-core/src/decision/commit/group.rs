//! Commits of one session that a single operation of the store writes together.
//!
//! Each commit is replayed on the record that the one before it would have written, and the last record is written over the
//! version that the first one expects. What comes of it is what would come of the same commits one after the other with
//! nobody looking in between: each has its own record, cookie and result. A commit that fails behind others (it does not fit,
//! say) is left out, and is told so only once the others were written, since its failure rests on what they write.

use super::writing::Writing;
use super::{CommitError, Fresh, StoreOp};
use crate::decision::policy::Policy;
use crate::value::answer::{StoreError, StoreErrorKind, Written};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// Commits that are written together. Drive it like a single commit: as long as [`step`](Self::step) returns an operation,
/// perform it and pass the result to [`answer`](Self::answer).
#[derive(Debug)]
#[must_use = "dropped, it loses the changes of its visits: `finish` it"]
pub(crate) struct Group {
    members: Vec<Member>,
    /// How many members one operation may write.
    width: usize,
    /// The record that was last seen in the store, if any was.
    latest: Option<Record>,
    op: Option<StoreOp>,
}

#[derive(Debug)]
struct Member {
    writing: Box<Writing>,
    part: Part,
}

/// A member's part in the operation.
#[derive(Debug)]
enum Part {
    /// It is written with it.
    Written,
    /// It cannot be written behind those before it.
    Refused(CommitError),
    /// It comes later, or is settled.
    None,
}

#[expect(clippy::vec_box, reason = "they come in boxes and go back in them")]
impl Group {
    /// Joins commits in this order. Each must [join](Writing::joins), all under one key. `latest` is the record that stands
    /// in the store, as far as is known.
    pub(crate) fn of(writings: Vec<Box<Writing>>, latest: Option<Record>) -> Self {
        let members = writings.into_iter().map(|writing| Member { writing, part: Part::None }).collect();
        Self { members, width: usize::MAX, latest, op: None }
    }

    /// Returns the operation that the store must perform next, or `None` if there is none left.
    pub(crate) fn step(&self) -> Option<&StoreOp> {
        self.op.as_ref()
    }

    /// Takes the result of the operation.
    pub(crate) fn answer<E>(
        &mut self,
        answer: Result<Written, StoreError>,
        policy: &Policy,
        now: Timestamp,
        mut draw: impl FnMut() -> Result<Fresh, E>,
    ) {
        let op = self.op.take();
        match answer {
            Ok(Written::Applied) => {
                if let Some(StoreOp::Replace { record, .. }) = op {
                    self.latest = Some(record);
                }
                for Member { writing, part } in &mut self.members {
                    match std::mem::replace(part, Part::None) {
                        Part::Written => writing.settle(Ok(())),
                        Part::Refused(error) => writing.settle(Err(error)),
                        Part::None => {}
                    }
                }
            }
            Ok(Written::Conflict(current)) => self.latest = Some(current),
            // Together they do not fit, or one of them does not: each is tried by itself.
            Err(error) if is_too_large(&error) && self.written() > 1 => self.width = 1,
            Err(error) => {
                for Member { writing, part } in &mut self.members {
                    // That the one record does not fit says nothing about a commit that is not in it.
                    let concerned = match part {
                        Part::Written => true,
                        Part::Refused(_) => !is_too_large(&error),
                        Part::None => false,
                    };
                    if concerned {
                        writing.answer(Err(error.clone()), policy, || now, &mut draw);
                    }
                }
            }
            // The session has ended for all of them, or has moved, and each decides by itself whether it follows.
            Ok(answer @ (Written::Gone | Written::Moved { .. } | Written::Taken)) => {
                for Member { writing, .. } in &mut self.members {
                    if writing.step().is_some() {
                        writing.answer(Ok(answer.clone()), policy, || now, &mut draw);
                    }
                }
                return;
            }
        }
        self.chain(policy, now, draw);
    }

    /// Returns the commits, in the order in which they came. One that still has a [step](Writing::step) goes on by itself.
    pub(crate) fn finish(self) -> (Vec<Box<Writing>>, Option<Record>) {
        (self.members.into_iter().map(|member| member.writing).collect(), self.latest)
    }

    /// Replays each commit on the record of the one before it, and makes the operation that writes them all. To be called
    /// once before the first step.
    pub(crate) fn chain<E>(
        &mut self,
        policy: &Policy,
        now: Timestamp,
        mut draw: impl FnMut() -> Result<Fresh, E>,
    ) {
        let mut on = self.latest.clone();
        let mut written = 0;
        for Member { writing, part } in &mut self.members {
            let was = std::mem::replace(part, Part::None);
            if written == self.width {
                continue;
            }
            writing.give_up_if_late(policy, now);
            // What was refused is not what it would write now, whichever record it stands on.
            let stands = !matches!(was, Part::Refused(_));
            match writing.join(on.as_ref(), stands, policy, now, &mut draw) {
                None => continue,
                Some(Err(error)) => {
                    *part = Part::Refused(error);
                    continue;
                }
                Some(Ok(())) => {}
            }
            let Some(StoreOp::Replace { key, expected, record, now }) = writing.step() else { continue };
            on = Some(record.clone());
            (written, *part) = (written + 1, Part::Written);
            match &mut self.op {
                Some(StoreOp::Replace { record: last, now: latest, .. }) => {
                    (*last, *latest) = (record.clone(), (*latest).max(*now));
                }
                op => {
                    *op = Some(StoreOp::Replace {
                        key: *key,
                        expected: *expected,
                        record: record.clone(),
                        now: *now,
                    });
                }
            }
        }
        if self.op.is_none() {
            // They were refused on what stands in the store.
            for Member { writing, part } in &mut self.members {
                if let Part::Refused(error) = std::mem::replace(part, Part::None) {
                    writing.settle(Err(error));
                }
            }
        }
    }

    /// How many members the operation writes.
    fn written(&self) -> usize {
        self.members.iter().filter(|member| matches!(member.part, Part::Written)).count()
    }
}

fn is_too_large(error: &StoreError) -> bool {
    matches!(error.kind(), StoreErrorKind::TooLarge { .. })
}

impl Writing {
    /// Whether it can be written together with others: it writes the session under its own id, and replaying it runs no
    /// closure of the application, which could panic in the middle of the others.
    pub(crate) fn joins(&self) -> bool {
        matches!(self.step(), Some(StoreOp::Replace { .. })) && !self.changes.run_closures()
    }

    /// Puts it behind the commit that writes this record, unless it `stands` on that record already. `None` if there is
    /// nothing to write any more.
    fn join<E>(
        &mut self,
        on: Option<&Record>,
        stands: bool,
        policy: &Policy,
        now: Timestamp,
        draw: impl FnOnce() -> Result<Fresh, E>,
    ) -> Option<Result<(), CommitError>> {
        let Some(StoreOp::Replace { expected, .. }) = self.step() else { return None };
        match on.filter(|record| !stands || record.etag != *expected) {
            None => Some(Ok(())),
            Some(record) => {
                self.conflicts += 1;
                Some(self.replay(record.clone(), policy, now, draw))
            }
        }
    }
}

#[cfg(test)]
mod tests;
