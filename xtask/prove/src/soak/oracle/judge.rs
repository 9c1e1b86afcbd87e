//! The rules by which an answer is judged: which requests, answered before, it must not contradict.
//!
//! A request without an answer may have taken effect at any time after it was sent, or never. A request that overlaps
//! with the one that is judged may have taken effect before or after it. Only what is left is a contradiction.

use super::{Answer, Event, Rule};
use crate::soak::wire::{Ask, Shown, name_of};

/// One session, with all requests that concern it.
pub(super) struct Trial<'e> {
    pub(super) user: u64,
    pub(super) session: u64,
    /// The requests of the session; the first is its sign-in.
    pub(super) events: &'e [Event],
    /// The requests to end all sessions of its user.
    pub(super) everywhere: &'e [Event],
}

/// A broken rule, and the events that show it.
type Verdict = Result<(), (Rule, Vec<Event>)>;

impl Trial<'_> {
    pub(super) fn judge(&self, event: &Event) -> Verdict {
        match &event.answer {
            Answer::Wrong(_) => Err((Rule::Failed, vec![event.clone()])),
            Answer::Dead => self.was_ended(event),
            Answer::Shown(shown) => {
                self.is_its_own(event, shown)?;
                self.may_live(event)?;
                self.has_its_writes(event, shown)
            }
            Answer::Done if event.shows_life() => self.may_live(event),
            Answer::Done | Answer::Unknown => Ok(()),
        }
    }

    /// An ended session stays ended, under every cookie that it ever had.
    fn may_live(&self, event: &Event) -> Verdict {
        let born = &self.events[0];
        for other in self.events.iter().filter(|other| other.is_before(event)) {
            let rule = match (other.ask, &other.answer) {
                (Ask::SignOut, Answer::Done) => Rule::Revived,
                (_, Answer::Dead) if other.cookie >= event.cookie => Rule::Revived,
                (Ask::Renew, Answer::Done) if other.cookie >= event.cookie => Rule::OldCookie,
                _ => continue,
            };
            return Err((rule, vec![born.clone(), other.clone(), event.clone()]));
        }
        // A session that gets a new id during the call is ended by it, or listed afterwards under the new one.
        let moved = |every: &Event| {
            self.events.iter().any(|other| {
                let is_source = other.cookie < event.cookie && other.answer == Answer::Done;
                let overlaps = other.may_explain(every) && !other.is_before(every);
                other.ask == Ask::Renew && is_source && overlaps
            })
        };
        let ended = |every: &&Event| {
            every.answer == Answer::Done && born.is_before(every) && every.is_before(event) && !moved(every)
        };
        match self.everywhere.iter().find(ended) {
            Some(every) => Err((Rule::SurvivedEverywhere, vec![born.clone(), every.clone(), event.clone()])),
            None => Ok(()),
        }
    }

    /// A session ends only by a request that ends it or gives it a new id.
    fn was_ended(&self, event: &Event) -> Verdict {
        let born = &self.events[0];
        let may_end = |other: &Event| match (other.ask, &other.answer) {
            (Ask::SignOut, Answer::Done | Answer::Unknown) => true,
            (Ask::Renew, Answer::Done | Answer::Unknown) => other.cookie >= event.cookie,
            _ => false,
        };
        let ends_all =
            |every: &Event| matches!(every.answer, Answer::Done | Answer::Unknown) && !every.is_before(born);
        let mut own = self.events.iter().filter(|other| may_end(other));
        let mut all = self.everywhere.iter().filter(|every| ends_all(every));
        if own.any(|other| other.may_explain(event)) || all.any(|every| every.may_explain(event)) {
            return Ok(());
        }
        let alive = self.events.iter().rfind(|other| other.shows_life() && other.is_before(event));
        let shown = [Some(born), alive, Some(event)];
        Err((Rule::EndedByNobody, shown.into_iter().flatten().cloned().collect()))
    }

    fn is_its_own(&self, event: &Event, shown: &Shown) -> Verdict {
        if shown.user == name_of(self.user) && shown.session == self.session {
            return Ok(());
        }
        Err((Rule::Foreign, vec![self.events[0].clone(), event.clone()]))
    }

    /// Every write that was acknowledged or read before is there, once, and nothing else.
    fn has_its_writes(&self, event: &Event, shown: &Shown) -> Verdict {
        let born = &self.events[0];
        for other in self.events.iter().filter(|other| other.is_before(event)) {
            let missing = match (other.ask, &other.answer) {
                (Ask::Write(number), Answer::Done) => !shown.writes.contains(&number),
                // Writes are appended, and nothing changes their order.
                (_, Answer::Shown(before)) => !shown.writes.starts_with(&before.writes),
                _ => false,
            };
            if missing {
                return Err((Rule::LostWrite, vec![born.clone(), other.clone(), event.clone()]));
            }
        }
        for (at, number) in shown.writes.iter().enumerate() {
            let writer = self.events.iter().find(|other| other.ask == Ask::Write(*number));
            let rule = match writer {
                _ if shown.writes[..at].contains(number) => Rule::WrittenTwice,
                Some(writer) if writer.answer == Answer::Dead => Rule::RefusedWriteVisible,
                Some(writer) if writer.may_explain(event) => continue,
                _ => Rule::Phantom,
            };
            let shown = [Some(born), writer, Some(event)];
            return Err((rule, shown.into_iter().flatten().cloned().collect()));
        }
        if shown.count != shown.writes.len() as u64 {
            return Err((Rule::Torn, vec![born.clone(), event.clone()]));
        }
        Ok(())
    }
}
