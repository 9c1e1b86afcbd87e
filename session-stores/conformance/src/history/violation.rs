//! A history that is not linearizable, reduced to the calls that show it.

use std::collections::HashMap;
use std::fmt;

use session_core::store::StoreKey;

use super::event::{Answer, Call, Event};

/// Returned when a history is not linearizable. `Display` shows the calls as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What is wrong.
    pub rule: Rule,
    /// The calls that show it, in the order of their invocation: a minimal history that breaks the rule.
    pub events: Vec<Event>,
}

/// What is wrong with a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// A record could not be decoded.
    Damaged,
    /// A record was read that no call wrote.
    Phantom,
    /// A record was read with another content than was written with its etag.
    Torn,
    /// A record was read although its write was refused.
    RefusedWriteVisible,
    /// Two writes were applied to the same version, so one of them is lost.
    LostUpdate,
    /// Two creates were applied to one session.
    CreatedTwice,
    /// A record was read under a key that it was never written to.
    WrongKey,
    /// No state of the store gives this answer.
    Impossible,
    /// The session ended, and no call ended it.
    EndedByNobody,
    /// No order of the calls explains the answers: one is older than what an earlier call had shown or acknowledged.
    Order,
    /// An idle deadline that no call set, that was shortened, or an acknowledged touch that is lost.
    Deadline,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Damaged => "a record could not be decoded",
            Self::Phantom => "a record was read that no call wrote",
            Self::Torn => "a record was read with another content than was written with its etag",
            Self::RefusedWriteVisible => "a write was refused and is visible",
            Self::LostUpdate => "two writes were applied to the same version",
            Self::CreatedTwice => "two creates of one session were applied",
            Self::WrongKey => "a record was read under a key that it was never written to",
            Self::Impossible => "no state of the store gives this answer",
            Self::EndedByNobody => "the session ended and no call ended it",
            Self::Order => "an answer is older than what an earlier call had shown or acknowledged",
            Self::Deadline => "an idle deadline was lost, shortened or made up",
        })
    }
}

impl std::error::Error for Violation {}

/// Times in microseconds from the first invocation; keys and etags are numbered in the order of their appearance.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "not linearizable: {}", self.rule)?;
        let from = self.events.iter().map(|event| event.invoked).min().unwrap_or(0);
        let micros = |at: u64| format!("{}", at.saturating_sub(from) / 1_000);
        let mut names = Names::default();
        for event in &self.events {
            let ended = event.returned.map_or("…".to_owned(), micros);
            let times = format!("{}..{ended}", micros(event.invoked));
            let (call, answer) = (names.call(&event.call), names.answer(&event.answer));
            writeln!(f, "  client {:<6} {times:>20} µs  {call} -> {answer}", event.client)?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Names {
    keys: HashMap<StoreKey, usize>,
    etags: HashMap<u64, usize>,
}

impl Names {
    fn key(&mut self, key: StoreKey) -> String {
        let next = self.keys.len();
        format!("k{}", *self.keys.entry(key).or_insert(next))
    }

    fn etag(&mut self, etag: u64) -> String {
        let next = self.etags.len();
        format!("e{}", *self.etags.entry(etag).or_insert(next))
    }

    fn call(&mut self, call: &Call) -> String {
        let key = self.key(call.key());
        match call {
            Call::Load { .. } => format!("load {key}"),
            Call::Create { written, .. } => format!("create {key} {}", self.etag(written.etag)),
            Call::Replace { expected, written, .. } => {
                format!("replace {key} {} by {}", self.etag(*expected), self.etag(written.etag))
            }
            Call::Touch { idle, .. } => format!("touch {key} until {idle}"),
            Call::Destroy { .. } => format!("destroy {key}"),
            Call::Rotate { expected, new, written, .. } => {
                let (expected, new) = (self.etag(*expected), self.key(*new));
                format!("rotate {key} {expected} to {new} {}", self.etag(written.etag))
            }
        }
    }

    fn answer(&mut self, answer: &Answer) -> String {
        match answer {
            Answer::Found(content) => format!("found {} until {}", self.etag(content.etag), content.idle),
            Answer::Conflict(content) => format!("conflict {}", self.etag(content.etag)),
            Answer::Moved { key, content } => {
                format!("moved to {} {}", self.key(*key), self.etag(content.etag))
            }
            Answer::Missing
            | Answer::Ended
            | Answer::Applied
            | Answer::Gone
            | Answer::Taken
            | Answer::Damaged
            | Answer::Unknown => format!("{answer:?}").to_lowercase(),
        }
    }
}
