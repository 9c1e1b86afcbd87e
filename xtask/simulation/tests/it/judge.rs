//! What no run may show: a lost or a repeated write, a session that lives after its end or under two keys, a lost or a
//! repeated message, a live session that is taken for none.
//!
//! A call that failed or was not answered may have been carried out or not, at any time: it is *open*. Whatever is said
//! here is said of calls that were answered, and only where no open call explains it.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Action, Answer, Call, Cookie};
use crate::store_server::Live;

/// Returns what is wrong, in words.
pub(crate) fn judge(calls: &[Call], cookies: &[Cookie], live: &[Live]) -> Vec<String> {
    let judge = Judge { calls, cookies, sessions: sessions(calls), wrong: Vec::new() };
    judge.run(live)
}

struct Judge<'r> {
    calls: &'r [Call],
    cookies: &'r [Cookie],
    /// What is known of each session, by its name.
    sessions: BTreeMap<&'r str, Known>,
    wrong: Vec<String>,
}

/// What the answers say about one session.
struct Known {
    user: &'static str,
    /// When the first answer about it was read: from then on it is certain to have been there.
    seen: u64,
    /// When the sign-in was sent that was answered with its name, if one was.
    begun: u64,
}

/// How a session was ended, if at all.
#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    /// The first moment at which it may have been ended.
    possible: Option<u64>,
    /// The moment from which it has certainly ended.
    certain: Option<u64>,
}

fn sessions(calls: &[Call]) -> BTreeMap<&str, Known> {
    let mut sessions = BTreeMap::new();
    for call in calls {
        let (Some(name), Some(at)) = (call.name(), call.at()) else { continue };
        let known = sessions.entry(name).or_insert(Known { user: call.user, seen: at, begun: call.asked });
        known.seen = known.seen.min(at);
        known.begun = known.begun.min(call.asked);
    }
    sessions
}

impl<'r> Judge<'r> {
    fn run(mut self, live: &[Live]) -> Vec<String> {
        let sessions = std::mem::take(&mut self.sessions);
        for (name, known) in &sessions {
            let ends = self.ends(name, known);
            self.dead_stays_dead(name, ends);
            self.pages_show_every_write(name);
            self.messages_are_shown_once(name);
            self.is_found(name, ends);
            self.has_one_key(name, ends, live);
        }
        let known = |live: &&Live| live.name.as_deref().is_some_and(|name| sessions.contains_key(name));
        for (at, one) in live.iter().enumerate() {
            let twice = live[..at].iter().any(|other| one.name.is_some() && one.name == other.name);
            if twice && !known(&one) {
                self.wrong.push(format!("{:?} is alive under several keys", one.name));
            }
        }
        self.wrong
    }

    /// The calls that are about this session, by their answer or by their cookie.
    fn about(&self, name: &str) -> impl Iterator<Item = &'r Call> {
        let cookies = self.cookies;
        self.calls.iter().filter(move |call| match call.name() {
            Some(answered) => answered == name,
            // A 401 says that the session was not found.
            None => call.is_open() && sent_for(cookies, call) == Some(name),
        })
    }

    fn ends(&self, name: &str, known: &Known) -> Ends {
        let mut ends = Ends::default();
        for call in self.calls {
            let (is_possible, is_certain) = match call.action {
                Action::SignOut => {
                    let open = call.is_open() && sent_for(self.cookies, call) == Some(name);
                    let done = call.is_done() && call.name() == Some(name);
                    (open || done, done)
                }
                Action::SignOutEverywhere if call.user == known.user => {
                    let after = call.at().is_none_or(|at| at > known.begun);
                    let reaches = (call.is_open() || call.is_done()) && after;
                    (reaches, call.is_done() && known.seen < call.asked)
                }
                _ => continue,
            };
            if is_possible {
                ends.possible = Some(ends.possible.map_or(call.asked, |first| first.min(call.asked)));
            }
            if let (true, Some(at)) = (is_certain, call.at()) {
                ends.certain = Some(ends.certain.map_or(at, |first| first.min(at)));
            }
        }
        ends
    }

    fn dead_stays_dead(&mut self, name: &str, ends: Ends) {
        let Some(end) = ends.certain else { return };
        for call in self.calls.iter().filter(|call| call.asked > end && call.name() == Some(name)) {
            let verb = call.action.verb();
            self.wrong.push(format!("{name} had ended at {end}, and {verb} found it at {}", call.asked));
        }
    }

    /// Every page shows each write that was acknowledged before it was asked for, no other, none twice, and in the order
    /// of the page before.
    fn pages_show_every_write(&mut self, name: &str) {
        let mut wrong = Vec::new();
        let pages: Vec<_> = self.pages(name).collect();
        for (page, answer, shown) in &pages {
            wrong.extend(self.log_is_wrong(name, shown.count, &shown.log, page.asked, answer.at));
            for (earlier, _, there) in &pages {
                if earlier.ended_before(page.asked) && !shown.log.starts_with(&there.log) {
                    wrong.push(format!("{name} showed {:?}, and later {:?}", there.log, shown.log));
                }
            }
        }
        self.wrong.extend(wrong);
    }

    /// What is wrong with this log, which was read between the two moments.
    fn log_is_wrong(&self, name: &str, count: u64, log: &[String], asked: u64, read: u64) -> Vec<String> {
        let mut wrong = Vec::new();
        let words: BTreeSet<&str> = log.iter().map(String::as_str).collect();
        if words.len() != log.len() || count != log.len() as u64 {
            wrong.push(format!("{name} has counted {count} writes, and its log is {log:?}"));
        }
        let writes = self.calls.iter().filter(|call| matches!(call.action, Action::Write | Action::Update));
        let mut explained = BTreeSet::new();
        for write in writes {
            let word = write.word.as_str();
            if write.is_done()
                && write.name() == Some(name)
                && write.ended_before(asked)
                && !words.contains(word)
            {
                wrong.push(format!("{name} has lost the write {word}: its log is {log:?}"));
            }
            let may_be_in = write.asked < read
                && (write.is_done() && write.name() == Some(name)
                    || write.is_open() && sent_for(self.cookies, write) == Some(name));
            if may_be_in {
                explained.insert(word);
            }
        }
        let strange: Vec<_> = words.difference(&explained).collect();
        if !strange.is_empty() {
            wrong.push(format!("{name} has writes that are not its own or were refused: {strange:?}"));
        }
        wrong
    }

    /// A message is shown by the first page after it, and by no page after that.
    fn messages_are_shown_once(&mut self, name: &str) {
        let mut wrong = Vec::new();
        let pages: Vec<_> = self.pages(name).collect();
        let takers: Vec<&Call> = self.about(name).filter(|call| may_take_messages(call)).collect();
        for flash in self.calls.iter().filter(|call| call.action == Action::Flash) {
            let (word, own) = (&flash.word, flash.is_done() && flash.name() == Some(name));
            let open = flash.is_open() && sent_for(self.cookies, flash) == Some(name);
            let mut shown_at = None;
            for (page, answer, shown) in &pages {
                let shows = shown.messages.iter().filter(|there| *there == word).count();
                if shows > 1 || shows == 1 && !(own || open && flash.asked < answer.at) {
                    wrong.push(format!("{name} shows the message {word} twice, or it is not its own"));
                }
                if shows == 1 {
                    let again = shown_at.is_some_and(|at| at < page.asked);
                    if again {
                        wrong.push(format!("{name} shows the message {word} once more at {}", page.asked));
                    }
                    shown_at = Some(shown_at.map_or(answer.at, |at: u64| at.min(answer.at)));
                }
                let due = own && flash.ended_before(page.asked) && shows == 0;
                let taken = || {
                    takers.iter().any(|taker| {
                        taker.asked != page.asked
                            && taker.asked < answer.at
                            && taker.at().is_none_or(|at| at > flash.asked)
                    })
                };
                if due && !taken() {
                    wrong.push(format!("{name} has lost the message {word}, due at {}", page.asked));
                }
            }
        }
        self.wrong.extend(wrong);
    }

    /// A request with the current cookie of a live session finds it.
    fn is_found(&mut self, name: &str, ends: Ends) {
        let mut wrong = Vec::new();
        for call in self.calls {
            let Some(answer) = &call.answer else { continue };
            let missed = call.name().is_none() && !call.is_open() && call.action != Action::SignIn;
            let Some(cookie) = call.cookie.map(|cookie| &self.cookies[cookie]) else { continue };
            if !missed || cookie.name.as_deref() != Some(name) {
                continue;
            }
            let ended = ends.possible.is_some_and(|end| end < answer.at);
            if !ended && self.is_current(name, cookie, answer) {
                let verb = call.action.verb();
                wrong.push(format!("{name} was alive, and {verb} did not find it at {}", call.asked));
            }
        }
        self.wrong.extend(wrong);
    }

    /// Whether no other call has given the session another id by then.
    fn is_current(&self, name: &str, cookie: &Cookie, answer: &Answer) -> bool {
        let set_by = &self.calls[cookie.set_by];
        let moves = self.about(name).filter(|call| {
            matches!(call.action, Action::Regenerate | Action::SignIn) && call.asked != set_by.asked
        });
        moves.filter(|call| call.asked < answer.at).all(|call| call.ended_before(set_by.asked))
    }

    /// In the end, a session that lives is under one key, with every acknowledged write; one that nothing has ended lives,
    /// and a cookie leads to it.
    fn has_one_key(&mut self, name: &str, ends: Ends, live: &[Live]) {
        let records: Vec<&Live> = live.iter().filter(|live| live.name.as_deref() == Some(name)).collect();
        let keys: Vec<&str> = records.iter().map(|live| &live.key[..6]).collect();
        match (records.as_slice(), ends) {
            ([], Ends { possible: None, .. }) => {
                self.wrong.push(format!("nothing has ended {name}, and it is not in the store"));
            }
            ([], _) => {}
            ([_, ..], Ends { certain: Some(end), .. }) => {
                self.wrong.push(format!("{name} had ended at {end}, and is in the store under {keys:?}"));
            }
            ([one], _) => {
                let end = u64::MAX;
                let wrong = self.log_is_wrong(name, one.count, &one.log, end, end);
                self.wrong.extend(wrong.into_iter().map(|wrong| format!("in the store, {wrong}")));
            }
            _ => self.wrong.push(format!("{name} is alive under several keys: {keys:?}")),
        }
        // The auditor has asked last, with every cookie.
        let handles: BTreeSet<_> = self.last_pages(name).collect();
        if handles.len() > 1 {
            self.wrong.push(format!("{name} can be reached under several ids: {handles:?}"));
        }
        let has_moved = self
            .about(name)
            .any(|call| matches!(call.action, Action::Regenerate | Action::SignIn) && call.is_open());
        if handles.is_empty() && ends.possible.is_none() && !has_moved {
            self.wrong.push(format!("nothing has ended {name}, and no cookie leads to it"));
        }
    }

    /// The pages of this session, with their answers.
    fn pages(
        &self,
        name: &str,
    ) -> impl Iterator<Item = (&'r Call, &'r Answer, &'r crate::application::Shown)> {
        self.calls.iter().filter_map(move |call| {
            let answer = call.answer.as_ref()?;
            let shown = answer.shown.as_ref()?;
            (answer.name.as_deref() == Some(name)).then_some((call, answer, shown))
        })
    }

    /// The handles on the pages that were asked for after everything else had ended.
    fn last_pages(&self, name: &str) -> impl Iterator<Item = &'r str> {
        let shows =
            self.calls.iter().rposition(|call| call.action != Action::Show).map_or(0, |last| last + 1);
        let begun = self.calls[..shows].iter().filter_map(Call::at).max().unwrap_or_default();
        self.pages(name)
            .filter(move |(call, ..)| call.asked > begun)
            .filter_map(|(_, _, shown)| shown.handle.as_deref())
    }
}

/// The session that the cookie of this call was sent for.
fn sent_for<'r>(cookies: &'r [Cookie], call: &Call) -> Option<&'r str> {
    cookies[call.cookie?].name.as_deref()
}

/// Whether messages may have been taken by this call: it is a page, or has failed, or is still to be answered.
fn may_take_messages(call: &Call) -> bool {
    call.status() != Some(204)
}
