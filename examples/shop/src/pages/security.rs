//! "Security": whether this browser's session is bound to it, and what happens of it.

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use super::user;
use crate::ask::Ask;
use crate::go::{Go, Problem};
use crate::seen::Seen;
use crate::words::clock;

#[derive(Serialize)]
struct Row {
    at: String,
    word: &'static str,
    event: String,
    this: bool,
}

pub(crate) fn show(ask: &Ask, seen: &Seen, binds: bool) -> Result<Go, Problem> {
    user(ask)?;
    let session = ask.session();
    let bound = session.user().binding().map(|binding| {
        let proofs: Vec<_> = binding.proofs.iter().rev().copied().map(clock).collect();
        let seconds = ask.now.until(binding.next_refresh).as_secs();
        context! { since => clock(binding.since), next => clock(binding.next_refresh), seconds, proofs }
    });
    let own = session.id()?;
    // A shop in the street would show its staff this list, and its customers no more than their own proofs.
    let seen = seen.newest().into_iter().map(|sight| Row {
        at: clock(sight.at),
        word: sight.word,
        event: sight.event,
        this: sight.session == Some(own),
    });
    Go::page("security.html", context! { binds, bound, seen => Serde(seen.collect::<Vec<_>>()) })
}
