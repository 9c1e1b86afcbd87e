//! Histories written by hand, and what the oracle says about them.

use super::*;
use crate::soak::wire::{Shown, name_of};

/// Sends requests one after the other, or several at once.
#[derive(Default)]
struct History {
    oracle: Oracle,
    now: u64,
    found: Vec<Violation>,
}

const USER: u64 = 1;
const SESSION: u64 = 7;

impl History {
    /// A session that has just begun.
    fn of_a_session() -> Self {
        let mut history = Self::default();
        history.ask(0, Ask::SignIn(SESSION), Answer::Done);
        history
    }

    fn send(&mut self, cookie: usize, ask: Ask) -> Ticket {
        self.now += 10;
        let (invoked, answer) = (self.now, Answer::Unknown);
        let event = Event { process: 0, cookie, ask, invoked, returned: None, answer };
        self.oracle.sent(USER, SESSION, event)
    }

    fn hear(&mut self, ticket: Ticket, answer: Answer) {
        self.now += 10;
        self.found.extend(self.oracle.answered(ticket, answer, self.now));
    }

    fn ask(&mut self, cookie: usize, ask: Ask, answer: Answer) {
        let ticket = self.send(cookie, ask);
        self.hear(ticket, answer);
    }

    fn write(&mut self, number: u64, answer: Answer) {
        self.ask(0, Ask::Write(number), answer);
    }

    fn read(&mut self, cookie: usize, writes: &[u64]) {
        self.ask(cookie, Ask::Read, shown(writes));
    }

    /// The rule that was broken, and the requests that show it.
    fn verdict(&self) -> Option<(Rule, Vec<Ask>)> {
        let violation = self.found.first()?;
        Some((violation.rule, violation.events.iter().map(|event| event.ask).collect()))
    }
}

fn shown(writes: &[u64]) -> Answer {
    let (user, count) = (name_of(USER), writes.len() as u64);
    Answer::Shown(Shown { user, session: SESSION, writes: writes.to_vec(), count })
}

#[test]
fn an_application_that_keeps_its_promises_is_accepted() {
    let mut history = History::of_a_session();
    history.write(1, Answer::Done);
    history.read(0, &[1]);
    history.ask(0, Ask::Renew, Answer::Done);
    history.ask(0, Ask::Read, Answer::Dead);
    history.ask(1, Ask::Write(2), Answer::Done);
    history.read(1, &[1, 2]);
    history.ask(1, Ask::SignOut, Answer::Done);
    history.ask(1, Ask::Read, Answer::Dead);
    history.ask(0, Ask::SignOutEverywhere, Answer::Done);
    history.ask(0, Ask::Read, Answer::Dead);
    assert_eq!(history.found, []);
    let heard = history.oracle.heard();
    assert_eq!((heard.requests, heard.writes, heard.reads, heard.dead), (11, 2, 2, 3));
}

#[test]
fn an_acknowledged_write_that_is_not_read_is_lost() {
    let mut history = History::of_a_session();
    history.write(1, Answer::Done);
    history.write(2, Answer::Done);
    history.read(0, &[2]);
    let evidence = vec![Ask::SignIn(SESSION), Ask::Write(1), Ask::Read];
    assert_eq!(history.verdict(), Some((Rule::LostWrite, evidence)));
    let told = history.found[0].to_string();
    assert!(told.contains("a write that was acknowledged or read is lost (user 1, session 7)"), "{told}");
    assert!(told.contains("cookie 0  Write(1) -> Done"), "{told}");
}

#[test]
fn a_write_without_an_answer_may_be_there_or_not_and_once_read_it_stays() {
    let mut history = History::of_a_session();
    history.write(1, Answer::Unknown);
    history.read(0, &[]);
    history.read(0, &[1]);
    assert_eq!(history.found, []);
    history.read(0, &[]);
    assert_eq!(history.verdict().unwrap().0, Rule::LostWrite);
}

#[test]
fn a_read_beside_a_write_may_miss_it() {
    let mut history = History::of_a_session();
    let read = history.send(0, Ask::Read);
    history.write(1, Answer::Done);
    history.hear(read, shown(&[]));
    assert_eq!(history.found, []);
}

#[test]
fn a_session_that_was_signed_out_stays_ended() {
    let mut history = History::of_a_session();
    history.ask(0, Ask::SignOut, Answer::Done);
    history.read(0, &[]);
    let evidence = vec![Ask::SignIn(SESSION), Ask::SignOut, Ask::Read];
    assert_eq!(history.verdict(), Some((Rule::Revived, evidence)));
}

#[test]
fn an_acknowledged_write_shows_a_revived_session_as_well() {
    let mut history = History::of_a_session();
    history.ask(0, Ask::SignOut, Answer::Unknown);
    history.ask(0, Ask::Read, Answer::Dead);
    assert_eq!(history.found, []);
    history.write(1, Answer::Done);
    assert_eq!(history.verdict().unwrap().0, Rule::Revived);
}

#[test]
fn a_write_beside_the_sign_out_may_be_acknowledged() {
    let mut history = History::of_a_session();
    let write = history.send(0, Ask::Write(1));
    history.ask(0, Ask::SignOut, Answer::Done);
    history.hear(write, Answer::Done);
    assert_eq!(history.found, []);
}

#[test]
fn no_session_that_was_there_before_survives_the_sign_out_everywhere() {
    let mut history = History::of_a_session();
    history.ask(0, Ask::SignOutEverywhere, Answer::Done);
    history.read(0, &[]);
    let evidence = vec![Ask::SignIn(SESSION), Ask::SignOutEverywhere, Ask::Read];
    assert_eq!(history.verdict(), Some((Rule::SurvivedEverywhere, evidence)));
}

#[test]
fn a_session_that_begins_or_moves_during_the_sign_out_everywhere_may_survive_it() {
    let mut history = History::default();
    let everywhere = history.send(0, Ask::SignOutEverywhere);
    history.ask(0, Ask::SignIn(SESSION), Answer::Done);
    history.hear(everywhere, Answer::Done);
    history.read(0, &[]);
    let everywhere = history.send(0, Ask::SignOutEverywhere);
    history.ask(0, Ask::Renew, Answer::Done);
    history.hear(everywhere, Answer::Done);
    history.read(1, &[]);
    assert_eq!(history.found, []);
    // Under its old id it may not.
    history.read(0, &[]);
    assert_eq!(history.verdict().unwrap().0, Rule::OldCookie);
}

#[test]
fn a_session_without_an_answer_to_its_new_id_does_not_survive_the_sign_out_everywhere() {
    let mut history = History::of_a_session();
    history.ask(0, Ask::Renew, Answer::Unknown);
    history.ask(0, Ask::SignOutEverywhere, Answer::Done);
    history.read(0, &[]);
    assert_eq!(history.verdict().unwrap().0, Rule::SurvivedEverywhere);
}

#[test]
fn the_old_cookie_is_dead_once_the_new_one_is_there() {
    let mut history = History::of_a_session();
    history.ask(0, Ask::Renew, Answer::Done);
    history.read(0, &[]);
    assert_eq!(history.verdict().unwrap().0, Rule::OldCookie);
}

#[test]
fn a_session_does_not_end_by_itself() {
    let mut history = History::of_a_session();
    history.write(1, Answer::Done);
    history.ask(0, Ask::Read, Answer::Dead);
    let evidence = vec![Ask::SignIn(SESSION), Ask::Write(1), Ask::Read];
    assert_eq!(history.verdict(), Some((Rule::EndedByNobody, evidence)));
}

#[test]
fn a_renewal_or_an_earlier_sign_out_everywhere_explains_no_end_of_the_new_session() {
    let mut history = History::default();
    history.ask(0, Ask::SignOutEverywhere, Answer::Done);
    history.ask(0, Ask::SignIn(SESSION), Answer::Done);
    history.ask(0, Ask::Renew, Answer::Done);
    history.ask(1, Ask::Read, Answer::Dead);
    assert_eq!(history.verdict().unwrap().0, Rule::EndedByNobody);
}

#[test]
fn a_request_without_an_answer_explains_the_end_of_a_session() {
    for ask in [Ask::SignOut, Ask::SignOutEverywhere, Ask::Renew] {
        let mut history = History::of_a_session();
        history.ask(0, ask, Answer::Unknown);
        history.read(0, &[]);
        history.ask(0, Ask::Read, Answer::Dead);
        assert_eq!(history.found, [], "{ask:?}");
    }
}

#[test]
fn what_a_session_shows_is_its_own_whole_and_written_once() {
    let rule = |content: Answer| {
        let mut history = History::of_a_session();
        history.write(1, Answer::Done);
        history.ask(0, Ask::Renew, Answer::Done);
        history.write(2, Answer::Dead);
        history.ask(1, Ask::Read, content);
        history.verdict().map(|(rule, _)| rule)
    };
    let other = |user: &str, session, count| {
        Answer::Shown(Shown { user: user.to_owned(), session, writes: vec![1], count })
    };
    assert_eq!(rule(shown(&[1])), None);
    assert_eq!(rule(shown(&[1, 1])), Some(Rule::WrittenTwice));
    assert_eq!(rule(shown(&[1, 2])), Some(Rule::RefusedWriteVisible));
    assert_eq!(rule(shown(&[1, 3])), Some(Rule::Phantom));
    assert_eq!(rule(other(&name_of(USER), SESSION, 2)), Some(Rule::Torn));
    assert_eq!(rule(other(&name_of(2), SESSION, 1)), Some(Rule::Foreign));
    assert_eq!(rule(other(&name_of(USER), 8, 1)), Some(Rule::Foreign));
}

#[test]
fn a_failure_that_no_fault_explains_is_a_violation() {
    let mut history = History::of_a_session();
    history.write(1, Answer::Wrong("the session is too large".to_owned()));
    assert_eq!(history.verdict().unwrap().0, Rule::Failed);
}

#[test]
fn a_user_is_forgotten_with_the_last_session() {
    let mut history = History::of_a_session();
    history.oracle.leave(USER);
    assert!(history.oracle.users.contains_key(&USER));
    history.oracle.forget(USER, SESSION);
    assert!(history.oracle.users.is_empty());
}
