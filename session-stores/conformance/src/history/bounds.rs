//! When each version began: the earliest and the latest time that the answers allow.

use super::event::{Answer, Call, Event};
use super::versions::{Versions, Wrong};
use super::violation::Rule;

/// A time, and the events that determine it.
#[derive(Clone, Copy)]
struct Bound {
    at: u64,
    by: [Option<usize>; 2],
}

/// Checks that there are times at which the versions of a session can have followed one another.
///
/// An answer that was given while one of the versions `first..=last` was current shows that `first` began before the
/// call returned, and that the version after `last` began after the call was invoked. If the earliest times, taken in
/// order, are all within the latest ones, they are a linearization.
pub(super) fn check(events: &[Event], versions: &Versions) -> Result<(), Wrong> {
    let end = versions.end();
    let mut earliest = vec![Bound { at: 0, by: [None; 2] }; end + 1];
    let mut latest = vec![Bound { at: u64::MAX, by: [None; 2] }; end + 1];
    for (number, version) in (1..).zip(&versions.list) {
        let (event, by) = (&events[version.event], [Some(version.event), None]);
        earliest[number] = Bound { at: event.invoked, by };
        latest[number] = Bound { at: event.end(), by };
    }
    for (at, event) in events.iter().enumerate() {
        let Some(span) = span(events, versions, event).map_err(|rule| (rule, vec![at]))? else { continue };
        let by = [Some(at), span.because];
        if span.first > 0 && event.end() < latest[span.first].at {
            latest[span.first] = Bound { at: event.end(), by };
        }
        if span.last < end && event.invoked > earliest[span.last + 1].at {
            earliest[span.last + 1] = Bound { at: event.invoked, by };
        }
    }
    let mut time = Bound { at: 0, by: [None; 2] };
    for number in 1..=end {
        if earliest[number].at > time.at {
            time = earliest[number];
        }
        if time.at > latest[number].at {
            return Err((Rule::Order, because(versions, number, [time, latest[number]])));
        }
    }
    the_end(events, versions, time, latest[end])
}

/// Checks that an ended session was ended by a call that could do so, within the time of that call.
fn the_end(events: &[Event], versions: &Versions, earliest: Bound, latest: Bound) -> Result<(), Wrong> {
    if latest.at == u64::MAX {
        return Ok(());
    }
    let last = versions.last_key();
    let last_etag = versions.list.last().map(|version| version.content.etag);
    let ends = |event: &Event| match event.call {
        Call::Destroy { key } => {
            Some(key) == last && matches!(event.answer, Answer::Applied | Answer::Unknown)
        }
        // To a key that was never read.
        Call::Rotate { key, expected, .. } => {
            Some(key) == last && Some(expected) == last_etag && event.answer == Answer::Unknown
        }
        _ => false,
    };
    let ending: Vec<usize> = (0..events.len()).filter(|&at| ends(&events[at])).collect();
    let in_time = |&at: &usize| earliest.at.max(events[at].invoked) <= latest.at.min(events[at].end());
    if ending.iter().any(in_time) {
        return Ok(());
    }
    let rule = if ending.is_empty() { Rule::EndedByNobody } else { Rule::Order };
    let mut shown = because(versions, versions.end(), [earliest, latest]);
    shown.extend(ending);
    Err((rule, shown))
}

/// Returns the events that determine the two bounds, and the writes up to this version.
fn because(versions: &Versions, number: usize, bounds: [Bound; 2]) -> Vec<usize> {
    let writes = versions.list.iter().take(number).map(|version| version.event);
    bounds.into_iter().flat_map(|bound| bound.by).flatten().chain(writes).collect()
}

/// The versions of which one was current when an answer was given.
struct Span {
    first: usize,
    last: usize,
    /// An event that narrows the meaning of the answer.
    because: Option<usize>,
}

/// Returns the span of an event, or `None` if its answer excludes nothing.
fn span(events: &[Event], versions: &Versions, event: &Event) -> Result<Option<Span>, Rule> {
    let end = versions.end();
    let key = event.call.key();
    let tenure = versions.tenure(key);
    let some = |first: usize, last: usize| Ok(Some(Span { first, last, because: None }));
    // The same answer is given before the session is created: it is unambiguous only if the session was known.
    let later = |first: usize| {
        let because = versions.proof(events, event);
        Ok(because.map(|_| Span { first: first.min(end), last: end, because }))
    };
    let shown = |etag: u64| versions.number(etag).ok_or(Rule::Phantom);
    match (&event.call, event.answer) {
        (_, Answer::Unknown | Answer::Damaged) => Ok(None),
        (Call::Load { .. }, Answer::Found(content)) => {
            let number = shown(content.etag)?;
            some(number, number)
        }
        (Call::Load { .. }, Answer::Missing) => match tenure {
            Some((first, _)) => some(0, first - 1),
            None => Ok(None),
        },
        (Call::Load { .. }, Answer::Ended) => match tenure {
            Some((_, last)) => some(last + 1, end),
            None => Err(Rule::EndedByNobody),
        },
        // The transition itself already bounds its own version.
        (Call::Create { .. } | Call::Replace { .. } | Call::Rotate { .. }, Answer::Applied) => Ok(None),
        (Call::Create { .. }, Answer::Taken) => match tenure {
            Some((first, _)) => some(first, end),
            None => Err(Rule::Impossible),
        },
        // For a key that was in use already, the order of a store's checks is not known.
        (Call::Rotate { .. }, Answer::Taken) => Ok(None),
        (
            Call::Replace { expected, written, .. } | Call::Rotate { expected, written, .. },
            Answer::Conflict(content),
        ) => {
            if content.etag == *expected || content.etag == written.etag {
                return Err(Rule::Impossible);
            }
            let number = shown(content.etag)?;
            some(number, number)
        }
        (
            Call::Replace { .. } | Call::Rotate { .. } | Call::Destroy { .. },
            Answer::Moved { content, .. },
        ) => {
            let number = shown(content.etag)?;
            match tenure {
                Some((_, last)) if number > last => some(number, number),
                _ => Err(Rule::Impossible),
            }
        }
        (Call::Replace { .. } | Call::Rotate { .. }, Answer::Gone) => later(end),
        (Call::Touch { .. }, Answer::Applied) => match tenure {
            Some((first, last)) => some(first, last),
            None => Err(Rule::Impossible),
        },
        (Call::Touch { .. }, Answer::Gone) => later(tenure.map_or(end, |(_, last)| last + 1)),
        (Call::Destroy { .. }, Answer::Applied) => later(end),
        _ => Err(Rule::Impossible),
    }
}
