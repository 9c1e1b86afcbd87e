//! Tests of the judge with histories written by hand: each is one step away from one that it accepts.

use crate::application::Shown;
use crate::history::{Action, Call, Cookie, History};
use crate::judge::judge;
use crate::store_server::Live;

/// One browser that asks one thing after the other, and the record that is left.
struct Story {
    history: History,
    cookie: Option<usize>,
    live: Vec<Live>,
}

impl Story {
    /// Ada is signed in, and her session is called `s`.
    fn begin() -> Self {
        let mut story = Self { history: History::default(), cookie: None, live: Vec::new() };
        let call = story.done(Action::SignIn, "s");
        story.gets_cookie(call);
        story
    }

    fn ask(&self, action: Action, word: &str) -> usize {
        self.history.ask("ada", action, word, self.cookie)
    }

    fn done(&mut self, action: Action, word: &str) -> usize {
        let call = self.ask(action, word);
        self.history.answered(call, 204, Some("s".to_owned()), None);
        call
    }

    fn gets_cookie(&mut self, set_by: usize) {
        let (value, name) = ("sid=x".to_owned(), Some("s".to_owned()));
        self.cookie = Some(self.history.cookie(Cookie { user: "ada", value, name, set_by }));
    }

    fn shows(&mut self, count: u64, log: &[&str], messages: &[&str], handle: &str) {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let shown = Shown {
            name: Some("s".to_owned()),
            handle: Some(handle.to_owned()),
            count,
            log: words(log),
            messages: words(messages),
        };
        let call = self.ask(Action::Show, "");
        self.history.answered(call, 200, shown.name.clone(), Some(shown));
    }

    fn is_stored(&mut self, count: u64, log: &[&str]) {
        let log = log.iter().map(|&word| word.to_owned()).collect();
        self.live.push(Live { key: "0123456789".to_owned(), name: Some("s".to_owned()), count, log });
    }

    fn check(&self, expected: &str) {
        let calls: Vec<Call> = self.history.calls().clone();
        let wrong = judge(&calls, &self.history.cookies(), &self.live);
        match expected {
            "" => assert_eq!(wrong, [""; 0]),
            _ => assert!(wrong.iter().any(|wrong| wrong.contains(expected)), "{expected}: {wrong:?}"),
        }
    }
}

#[test]
fn a_write_and_a_message_that_are_seen_once_are_accepted() {
    let mut story = Story::begin();
    story.done(Action::Write, "w1");
    story.done(Action::Flash, "m1");
    story.shows(1, &["w1"], &["m1"], "a");
    story.shows(1, &["w1"], &[], "a");
    story.is_stored(1, &["w1"]);
    story.check("");
}

#[test]
fn a_write_that_was_not_answered_may_be_there_or_not() {
    for log in [&["w1"][..], &[]] {
        let mut story = Story::begin();
        story.ask(Action::Write, "w1");
        story.shows(log.len() as u64, log, &[], "a");
        story.is_stored(log.len() as u64, log);
        story.check("");
    }
}

#[test]
fn a_write_that_counts_twice_is_found() {
    let mut story = Story::begin();
    story.done(Action::Write, "w1");
    story.shows(2, &["w1", "w1"], &[], "a");
    story.is_stored(2, &["w1", "w1"]);
    story.check("has counted 2 writes");
}

#[test]
fn a_write_that_was_refused_and_is_there_is_found() {
    let mut story = Story::begin();
    let call = story.ask(Action::Write, "w1");
    story.history.answered(call, 401, None, None);
    story.shows(1, &["w1"], &[], "a");
    story.is_stored(1, &["w1"]);
    story.check("were refused");
}

#[test]
fn a_log_that_changes_its_order_is_found() {
    let mut story = Story::begin();
    story.done(Action::Write, "w1");
    story.done(Action::Write, "w2");
    story.shows(2, &["w1", "w2"], &[], "a");
    story.shows(2, &["w2", "w1"], &[], "a");
    story.is_stored(2, &["w2", "w1"]);
    story.check("and later");
}

#[test]
fn a_message_that_is_lost_or_shown_again_is_found() {
    let mut story = Story::begin();
    story.done(Action::Flash, "m1");
    story.shows(0, &[], &[], "a");
    story.is_stored(0, &[]);
    story.check("has lost the message");
    let mut story = Story::begin();
    story.done(Action::Flash, "m1");
    story.shows(0, &[], &["m1"], "a");
    story.shows(0, &[], &["m1"], "a");
    story.is_stored(0, &[]);
    story.check("once more");
}

#[test]
fn a_session_that_is_seen_or_stored_after_its_end_is_found() {
    let mut story = Story::begin();
    story.done(Action::SignOut, "");
    story.check("");
    story.shows(0, &[], &[], "a");
    story.check("and show found it");
    let mut story = Story::begin();
    story.done(Action::SignOutEverywhere, "");
    story.is_stored(0, &[]);
    story.check("is in the store");
}

#[test]
fn a_session_under_two_keys_or_two_ids_is_found() {
    let mut story = Story::begin();
    story.shows(0, &[], &[], "a");
    story.shows(0, &[], &[], "b");
    story.is_stored(0, &[]);
    story.check("under several ids");
    story.is_stored(0, &[]);
    story.check("under several keys");
}

#[test]
fn a_session_that_vanishes_is_found_unless_something_may_have_ended_it() {
    let story = Story::begin();
    story.check("is not in the store");
    story.ask(Action::SignOut, "");
    story.check("");
}

#[test]
fn a_live_session_that_is_not_found_is_found_out_unless_its_id_has_changed() {
    let mut story = Story::begin();
    let call = story.ask(Action::Write, "w1");
    story.history.answered(call, 401, None, None);
    story.shows(0, &[], &[], "a");
    story.is_stored(0, &[]);
    story.check("was alive, and write did not find it");
    let mut story = Story::begin();
    story.done(Action::Regenerate, "");
    let call = story.ask(Action::Write, "w1");
    story.history.answered(call, 401, None, None);
    story.shows(0, &[], &[], "a");
    story.is_stored(0, &[]);
    story.check("");
}
