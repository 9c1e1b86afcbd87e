//! The idle deadlines within one version: set by its write, and moved later by touches.

use super::event::{Answer, Call, Event};
use super::versions::{Versions, Wrong};
use super::violation::Rule;

/// Checks every deadline that was read: a call has set it, none has shortened it, and no acknowledged touch of this
/// version is lost.
pub(super) fn check(events: &[Event], versions: &Versions) -> Result<(), Wrong> {
    for (number, version) in (1..).zip(&versions.list) {
        let shows = |event: &Event| {
            let shown = event.shown().filter(|(_, content)| content.etag == version.content.etag);
            shown.map(|(_, content)| content.idle)
        };
        let reads: Vec<(usize, i64)> =
            events.iter().enumerate().filter_map(|(at, event)| Some((at, shows(event)?))).collect();
        // From this time on, the version is known to exist.
        let acknowledged = Some(version.event).filter(|&at| events[at].answer == Answer::Applied);
        let known = reads.iter().map(|(at, _)| *at).chain(acknowledged).min_by_key(|&at| events[at].end());
        let Some(known) = known else { continue };
        // A read that begins after the event has ended must find at least this deadline.
        let touches = events.iter().enumerate().filter_map(|(at, event)| match event.call {
            Call::Touch { key, idle } => {
                let counts = key == version.key
                    && event.answer == Answer::Applied
                    && event.invoked >= events[known].end();
                counts.then_some((at, idle))
            }
            _ => None,
        });
        let floor: Vec<(usize, i64)> = reads.iter().copied().chain(touches).collect();
        let writes = || versions.list.iter().take(number).map(|version| version.event);
        for &(at, idle) in &reads {
            let mut least = floor.iter().filter(|(other, _)| events[*other].end() < events[at].invoked);
            if let Some(&(other, _)) = least.find(|(_, least)| *least > idle) {
                return Err((Rule::Deadline, writes().chain([known, other, at]).collect()));
            }
            if idle < version.content.idle || !is_set(events, version.key, at, idle, version.content.idle) {
                return Err((Rule::Deadline, writes().chain([at]).collect()));
            }
        }
    }
    Ok(())
}

/// Returns whether the write or a touch had set this deadline before the read returned.
fn is_set(
    events: &[Event],
    key: session_core::store::StoreKey,
    read: usize,
    idle: i64,
    written: i64,
) -> bool {
    let touched = |event: &Event| {
        event.call == Call::Touch { key, idle }
            && matches!(event.answer, Answer::Applied | Answer::Unknown)
            && event.invoked <= events[read].end()
    };
    idle == written || events.iter().any(touched)
}
