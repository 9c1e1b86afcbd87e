//! The oracle of the soak: it hears every request and every answer, and says which answers break a promise.

mod event;
mod judge;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub(crate) use event::{Answer, Event, Rule, Violation};

use super::wire::Ask;

/// All requests of the users that are still in use.
#[derive(Default)]
pub(crate) struct Oracle {
    users: BTreeMap<u64, User>,
    heard: Heard,
}

#[derive(Default)]
struct User {
    /// The requests to end all sessions.
    everywhere: Vec<Event>,
    /// The requests of each session, from the sign-in on.
    sessions: BTreeMap<u64, Vec<Event>>,
    left: bool,
}

/// How many requests were answered, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) requests: u64,
    pub(crate) unknown: u64,
    pub(crate) sign_ins: u64,
    pub(crate) writes: u64,
    pub(crate) reads: u64,
    pub(crate) renewed: u64,
    pub(crate) sign_outs: u64,
    pub(crate) everywhere: u64,
    /// Answers by which a session is not alive.
    pub(crate) dead: u64,
}

/// A request that has been sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    user: u64,
    /// Of a request to end all sessions, none.
    session: Option<u64>,
    at: usize,
}

impl Oracle {
    /// Hears of a request before it is sent. `session` and `cookie` say which session of the user the browser means.
    pub(crate) fn sent(&mut self, user: u64, session: u64, event: Event) -> Ticket {
        let everywhere = event.ask == Ask::SignOutEverywhere;
        let known = self.users.entry(user).or_default();
        let events = match everywhere {
            true => &mut known.everywhere,
            false => known.sessions.entry(session).or_default(),
        };
        events.push(event);
        self.heard.requests += 1;
        Ticket { user, session: (!everywhere).then_some(session), at: events.len() - 1 }
    }

    /// Hears of the answer, at this time, and judges it.
    pub(crate) fn answered(&mut self, ticket: Ticket, answer: Answer, now: u64) -> Option<Violation> {
        self.heard.count(&answer);
        let user = self.users.get_mut(&ticket.user)?;
        let events = match ticket.session {
            None => &mut user.everywhere,
            Some(session) => user.sessions.get_mut(&session)?,
        };
        let event = events.get_mut(ticket.at)?;
        event.returned = (answer != Answer::Unknown).then_some(now);
        event.answer = answer;
        self.heard.done(event);
        let (session, events) = match ticket.session {
            None => (0, &user.everywhere),
            Some(session) => (session, user.sessions.get(&session)?),
        };
        let trial = judge::Trial { user: ticket.user, session, events, everywhere: &user.everywhere };
        let (rule, mut events) = trial.judge(&events[ticket.at]).err()?;
        events.sort_by_key(|event| event.invoked);
        events.dedup();
        Some(Violation { rule, user: ticket.user, session, events })
    }

    /// Forgets a session, of which no browser has a cookie any more.
    pub(crate) fn forget(&mut self, user: u64, session: u64) {
        if let Some(known) = self.users.get_mut(&user) {
            known.sessions.remove(&session);
            if known.left && known.sessions.is_empty() {
                self.users.remove(&user);
            }
        }
    }

    /// Hears that no browser signs this user in again.
    pub(crate) fn leave(&mut self, user: u64) {
        if let Some(known) = self.users.get_mut(&user) {
            known.left = true;
            if known.sessions.is_empty() {
                self.users.remove(&user);
            }
        }
    }

    pub(crate) fn heard(&self) -> Heard {
        self.heard
    }
}

impl Heard {
    fn count(&mut self, answer: &Answer) {
        match answer {
            Answer::Unknown => self.unknown += 1,
            Answer::Dead => self.dead += 1,
            Answer::Shown(_) => self.reads += 1,
            Answer::Done | Answer::Wrong(_) => {}
        }
    }

    fn done(&mut self, event: &Event) {
        if event.answer != Answer::Done {
            return;
        }
        match event.ask {
            Ask::SignIn(_) => self.sign_ins += 1,
            Ask::Write(_) => self.writes += 1,
            Ask::Renew => self.renewed += 1,
            Ask::SignOut => self.sign_outs += 1,
            Ask::SignOutEverywhere => self.everywhere += 1,
            Ask::Read => {}
        }
    }
}
